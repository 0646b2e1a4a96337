"""What a call asks of the world: `model`, `tool`, and `agent`, the loop between the two.

In: a prompt, tools by name or as functions. Out: requests to the agents `model` and `tool.NAME`, as `ask` says them.
All that one call asks of the world is one conversation, so that it is looked at, bounded and replayed as one.
"""

# mypy: ignore-errors
# pyright: basic

import inspect
import types
import typing
from collections.abc import Callable, Coroutine, Iterable

from caxton_numbers import encode
from caxton_waits import Failed, Json, Timeout, Wait, ask, gather, in_call

SECONDS = 120
_KINDS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    tuple: "array",
    dict: "object",
}


def model(
    messages: "str | list[Json]", name: str | None = None, timeout: float = 120, **options: object
) -> Coroutine[object, object, Json]:
    """Ask a model, at once; `await` gives its answer: `text`, `tool_calls`, `content` where there is a `schema`.

    `options` are the request's: tools, schema, max_tokens, temperature, seed. Raises Failed, whose `code` says why,
    and Timeout.
    """
    talk = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    named = {"model": name} if name else {}
    return _content(
        _world("model", {"action": "complete", **named, "messages": talk, **options}, timeout, "caxton-model")
    )


_model = model


def tool(name: str, /, *, timeout: float = 120, **arguments: object) -> Coroutine[object, object, Json]:
    """Call a tool, `SERVER.TOOL`, at once; `await` gives its answer: MCP's `content` and `structured`.

    Raises Failed, whose `code` says why, and Timeout.
    """
    return _call(name, arguments, timeout)


async def agent(
    model: str | None,
    tools: "Iterable[str | Callable[..., object]]",
    prompt: "str | list[Json]",
    rounds: int = 10,
    timeout: float = 120,
    **options: object,
) -> str:
    """Let a model work on a prompt with tools until it needs none; its last text.

    A tool is a name, `SERVER.TOOL`, or a function of the agent's own. What a tool fails with is told to the model.
    After so many rounds RuntimeError is raised. A prompt that is a list of messages grows by what was said.
    """
    functions = [_described(one) for one in tools if not isinstance(one, str)]
    named = [one for one in tools if isinstance(one, str)]
    offered = _by_name([*functions, *(await _found(named) if named else [])])
    talk: list[Json] = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    if offered:
        options["tools"] = [told for told, _ in offered.values()]
    for _ in range(rounds):
        said = await _model(talk, model, timeout, **options)
        calls = said.get("tool_calls") or []
        talk.append(
            {"role": "assistant", "content": said["text"], **({"tool_calls": calls} if calls else {})}
        )
        if not calls:
            return said["text"]
        done = await gather(*(_done(offered, one) for one in calls))
        talk += [
            {"role": "tool", "tool_call_id": one["id"], "content": text}
            for one, text in zip(calls, done, strict=True)
        ]
    raise RuntimeError(f"the model still calls tools after {rounds} rounds; agent(…, rounds=…) allows more")


def _by_name(
    tools: list[tuple[Json, Callable[..., object]]],
) -> dict[str, tuple[Json, Callable[..., object]]]:
    """Tools by the names that the model is told; ValueError where two have the same."""
    offered = {}
    for one in tools:
        name = one[0]["name"]
        if name in offered:
            raise ValueError(
                f"two tools are {name!r} to a model, which takes letters, digits, _ and -: wrap one in a function"
            )
        offered[name] = one
    return offered


def _world(to: str, content: Json, timeout: float, ontology: str) -> Wait:
    """Ask an agent that stands for something outside, which gives up when we do."""
    fields = {
        "conversation_id": in_call("a question to the world").world,
        "ontology": ontology,
        "reply_by": f"{timeout}s",
    }
    return ask(to, "request", content, timeout, **fields)


def _call(name: str, arguments: Json, timeout: float) -> Coroutine[object, object, Json]:
    server, dot, its = name.partition(".")
    if not dot:
        raise ValueError(f"a tool is named SERVER.TOOL, not {name!r}")
    return _content(_world(f"tool.{server}", {"tool": its, "arguments": arguments}, timeout, "caxton-tool"))


async def _content(wait: Wait) -> Json:
    return (await wait)["content"]


async def _found(names: list[str]) -> list[tuple[Json, Callable[..., object]]]:
    """Tools of servers, as the directory of services describes them."""
    wanted = {"action": "search", "description": {"services": [{"type": "mcp-tool"}]}}
    answer = await ask("df", "request", wanted)
    known = {}
    for entry in answer["content"]["result"]:
        server = entry["name"].partition("@")[0].removeprefix("tool.")
        for one in entry["services"]:
            if one["type"] == "mcp-tool":
                told = one.get("properties", [])
                known[f"{server}.{one['name']}"] = {each["name"]: each["value"] for each in told}
    found = []
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known)[:20]) or "none"
            raise ValueError(f"there is no tool {name!r}; tools here: {there}")
        about = known[name]
        told = {
            # a provider takes no other signs
            "name": "".join(one if one.isascii() and (one.isalnum() or one == "_") else "-" for one in name),
            "description": str(about.get("description", "")),
            "parameters": about.get("schema") or {"type": "object", "properties": {}},
        }
        found.append((told, _calls(name)))
    return found


def _calls(name: str) -> Callable[..., object]:
    return lambda **arguments: _call(name, arguments, SECONDS)


def _described(function: Callable[..., object]) -> tuple[Json, Callable[..., object]]:
    """A function as a tool: its name, its docstring, its parameters as a schema."""
    hints = typing.get_type_hints(function)
    given = inspect.signature(function).parameters.values()
    properties = {}
    for one in given:
        hint = hints.get(one.name)
        kind = _KINDS.get(typing.get_origin(hint) or hint)
        properties[one.name] = {"type": kind} if kind else {}
    required = [one.name for one in given if one.default is inspect.Parameter.empty]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    about = inspect.cleandoc(function.__doc__ or "")
    return {"name": function.__name__, "description": about, "parameters": schema}, function


async def _done(offered: Json, call: Json) -> str:
    """What came of a tool call, as the model is told."""
    known = offered.get(call["name"])
    if known is None:
        return f"error: there is no tool {call['name']!r}; there are: {', '.join(offered)}"
    try:
        came = known[1](**call["arguments"])
        if type(came) is types.CoroutineType or isinstance(came, Wait):
            came = await came
    except Failed as failed:
        return f"error: {failed.code or failed.performative}: {failed.reason}"
    except (Timeout, ArithmeticError, LookupError, TypeError, ValueError) as error:
        return f"error: {type(error).__name__}: {error}"
    return came if isinstance(came, str) else encode(_plain(came))


def _plain(came: object) -> object:
    """Of MCP's answer what a model can read."""
    if isinstance(came, dict) and isinstance(came.get("content"), list):
        if came.get("structured") is not None:
            return came["structured"]
        return [one.get("text", one) for one in came["content"]]
    return came
