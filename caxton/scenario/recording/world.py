"""What the world answered in a story, as a scenario says it.

In: the messages of a story, and which agents stand for the world. Out: TOML, an `[[answer]]` for each question that had
one, and an `[offer]` of the tools that agents found in the directory of services.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from caxton.effects.tools.vocabulary import SERVICE
from caxton.presentation.names import short
from caxton.scenario.recording.story import Said
from caxton.scenario.toml_text import inline, key, quoted

ACTS: Final = ("inform", "refuse", "failure")


def answers(
    said: Sequence[Said], names: Collection[str], platform: str, clean: Callable[[Any], Any]
) -> Iterator[str]:
    """What agents of these names (local) answered; an `agree` is no answer."""
    asked = {one.seq: one.message for one in said}
    for one in said:
        name, message = short(one.message.sender, platform), one.message
        question = asked.get(one.row.cause)
        if name in names and question is not None and message.performative in ACTS:
            act = "" if message.performative == "inform" else f'act = "{message.performative}"\n'
            yield (
                f"[[answer]]\nagent = {quoted(name)}\nrequest = {inline(clean(question.content))}\n"
                f"{act}content = {inline(clean(message.content))}\n"
            )


def offers(said: Sequence[Said], names: Collection[str], platform: str) -> Iterator[str]:
    """The tools of these servers, as the directory described them last."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in said:
        for name, tools in _described(one.message.content, platform):
            if name in names:
                found[name] = tools
    if found:
        yield "[offer]\n" + "".join(f"{key(name)} = {inline(tools)}\n" for name, tools in found.items())


def _described(content: Any, platform: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    match content:
        case {"result": [*entries]}:
            for entry in entries:
                match entry:
                    case {"name": str(name), "services": [*services]}:
                        tools = [_tool(one) for one in services if one.get("type") == SERVICE]
                        yield short(name, platform), tools
                    case _:
                        pass
        case _:
            pass


def _tool(service: dict[str, Any]) -> dict[str, Any]:
    told = {one["name"]: one["value"] for one in service.get("properties", ())}
    return {"name": service["name"], **told}
