"""Models: the wires, bad days of providers, schemas; budgets, rights and what is told of the cost."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from caxton.config import Allowance
from caxton.effects.json_schema import BadSchema, faults
from caxton.effects.models import complete
from caxton.effects.models.budgets import AGENT, DAY, Budgets, Place, Spent
from caxton.effects.models.complete import Models
from caxton.effects.models.complete import Place as ModelPlace
from caxton.effects.own_process import Call, Failed
from caxton.testing import runtime

from .provider import Json, Provider, Reply, provider

KEY = "sk-a-key-that-nobody-may-see"
TALK = [{"role": "user", "content": "hi"}]
BOTH = pytest.mark.parametrize("wire", ["openai", "anthropic"])


async def asked(at: Provider, wire: str = "openai", timeout_ms: int = 5_000, **request: Any) -> Any:
    place = ModelPlace(at.url, "x-1", wire, "KEY")
    whole = {"action": "complete", "model": "fast", "messages": TALK, "max_tokens": 50, **request}
    async with httpx.AsyncClient(trust_env=False) as http:
        return await Models({"fast": place}, {"KEY": KEY}, http).do(Call("1", whole, timeout_ms))


@BOTH
@pytest.mark.parametrize("whole", [False, True])
async def test_an_answer_is_joined_whatever_the_wire(wire: str, whole: bool) -> None:
    async with provider(Reply("hello you", whole=whole)) as at:
        answer = await asked(at, wire, messages=[{"role": "system", "content": "be brief"}, *TALK])
    assert (answer["text"], answer["finish"], answer["tool_calls"]) == ("hello you", "stop", [])
    assert answer["usage"] == {"input": 11, "output": 7, "cached": 5}
    ((path, headers, body),) = at.requests
    assert body["max_tokens"] == 50
    if wire == "openai":
        assert (path, headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
        assert [one["role"] for one in body["messages"]] == ["system", "user"]
    else:
        assert (path, headers["x-api-key"], body["system"]) == ("/v1/messages", KEY, "be brief")
        assert [one["role"] for one in body["messages"]] == ["user"]


@BOTH
async def test_tool_calls_go_there_and_back(wire: str) -> None:
    call = {"id": "c1", "name": "weather", "arguments": {"city": "Köln", "days": [1, 2]}}
    tool = {"name": "weather", "parameters": {"type": "object"}}
    async with provider(Reply("", calls=[call]), Reply("sunny")) as at:
        first = await asked(at, wire, tools=[tool])
        assert (first["finish"], first["tool_calls"]) == ("tool_calls", [call])
        more = [
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "21 degrees"},
        ]
        second = await asked(at, wire, messages=[*TALK, *more], tools=[tool])
    assert second["text"] == "sunny"
    said, done = at.requests[1][2]["messages"][1:]
    if wire == "openai":
        assert said["tool_calls"][0]["function"]["name"] == "weather"
        assert (done["role"], done["tool_call_id"]) == ("tool", "c1")
    else:
        assert said["content"][0]["input"] == call["arguments"]
        assert done["content"][0] == {"type": "tool_result", "tool_use_id": "c1", "content": "21 degrees"}


@pytest.mark.parametrize(
    ("reply", "code", "usage"),
    [
        (Reply("bad key", status=401), "provider", True),
        (Reply("no such model", status=404), "provider", True),
        (Reply(status=500), "provider", True),
        (Reply(cut=1), "provider", False),
        (Reply(cut=0), "provider", False),
        (Reply(raw=b"<html>"), "provider", False),
        (Reply(raw=b'{"choices": 5}'), "provider", False),
        (Reply(raw=b'{"choices": [{"message": {"content": [1]}}]}'), "provider", False),
        (Reply(raw=b"x" * 5_000_000), "provider", False),
        (Reply("slow down", status=429, headers={"retry-after": "60"}), "rate-limited", True),
    ],
)
async def test_a_bad_day_is_a_failure_with_its_code_and_never_tried_again(
    reply: Reply, code: str, usage: bool
) -> None:
    async with provider(reply) as at:
        with pytest.raises(Failed) as caught:
            await asked(at)
    assert caught.value.content["error"] == code
    assert ("usage" in caught.value.content) == usage, "what is not known is not said"
    assert len(at.requests) == 1
    assert KEY not in str(caught.value.content)


async def test_a_busy_provider_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complete, "FIRST_S", 0.01)
    async with provider(Reply(status=429), Reply(status=529), Reply("at last")) as at:
        assert (await asked(at))["text"] == "at last"
    assert len(at.requests) == 3


async def test_nobody_there_is_said_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complete, "FIRST_S", 0.01)
    async with provider() as at:
        pass
    with pytest.raises(Failed, match="no connection") as caught:
        await asked(at, timeout_ms=100)
    assert caught.value.content["error"] == "unavailable"


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"]}


async def test_an_answer_that_does_not_fit_its_schema_is_asked_for_again() -> None:
    async with provider(Reply("no json"), Reply('{"n": 12}'), Reply('{"n": 5}')) as at:
        answer = await asked(at, schema=SCHEMA)
    assert answer["content"] == {"n": 5}
    assert answer["usage"] == {"input": 33, "output": 21, "cached": 15}
    assert "n is more than 9" in at.requests[2][2]["messages"][-1]["content"]


async def test_tries_for_a_schema_have_an_end() -> None:
    async with provider(Reply('{"m": 1}')) as at:
        with pytest.raises(Failed, match="has no 'n'") as caught:
            await asked(at, schema=SCHEMA)
    assert len(at.requests) == 3
    assert caught.value.content["usage"] == {"input": 33, "output": 21, "cached": 15}


async def test_anthropic_answers_a_schema_by_a_tool() -> None:
    async with provider(Reply("", calls=[{"id": "a", "name": "answer", "arguments": {"n": 1}}])) as at:
        answer = await asked(at, "anthropic", schema=SCHEMA)
    assert (answer["content"], answer["finish"], answer["tool_calls"]) == ({"n": 1}, "stop", [])
    assert at.requests[0][2]["tool_choice"] == {"type": "tool", "name": "answer"}


async def test_a_cancelled_call_leaves_no_connection() -> None:
    gate = asyncio.Event()
    async with provider(Reply(gate=gate)) as at:
        task = asyncio.create_task(asked(at))
        while not at.requests:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()


# ------------------------------------------------------------------ schemas


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": ["string", "null"]}, [None, "a"], [1, {}]),
        ({"type": "integer"}, [1, 2.0], [1.5, True]),
        ({"enum": [1, "a"]}, [1, "a"], [2, True]),
        ({"const": {"a": [1]}}, [{"a": [1]}], [{"a": [True]}]),
        ({"items": {"type": "number"}, "minItems": 1, "uniqueItems": True}, [[1]], [[], ["a"], [1, 1]]),
        ({"prefixItems": [{"type": "string"}], "items": False}, [["a"]], [["a", 1]]),
        ({"properties": {"a": {}}, "additionalProperties": False}, [{"a": 1}], [{"b": 1}]),
        ({"minLength": 2, "pattern": "^a+$"}, ["aa"], ["a", "ab"]),
        ({"exclusiveMinimum": 0, "multipleOf": 2}, [2], [0, 3]),
        ({"anyOf": [{"type": "string"}, {"minimum": 5}]}, ["a", 5], [4]),
        ({"oneOf": [{"minimum": 1}, {"maximum": 3}]}, [0, 4], [2]),
        ({"not": {"type": "string"}}, [1], ["a"]),
        ({"$defs": {"n": {"type": "null"}}, "$ref": "#/$defs/n"}, [None], [1]),
        (
            {"properties": {"next": {"$ref": "#"}}, "required": ["v"]},
            [{"v": 1, "next": {"v": 2}}],
            [{"v": 1, "next": {}}],
        ),
    ],
)
def test_values_are_held_to_their_schema(schema: Json, good: list[Any], bad: list[Any]) -> None:
    assert [faults(schema, one) for one in good] == [[] for _ in good]
    assert all(faults(schema, one) for one in bad)


@pytest.mark.parametrize(
    "schema", [{"typo": 1}, {"type": "text"}, {"$ref": "#/nowhere"}, {"$ref": "#"}, {"pattern": "("}, 5]
)
def test_a_schema_that_is_not_understood_lets_nothing_pass(schema: Any) -> None:
    with pytest.raises(BadSchema):
        faults(schema, "a")


# ------------------------------------------------------------------ budgets


def test_what_is_reserved_is_not_left_for_others_and_comes_back() -> None:
    budgets = Budgets({AGENT: Allowance(tokens=100)}, {"rich": Allowance(money=2.0)})
    ann: list[Place] = [(AGENT, "ann"), (DAY, "today")]
    first = budgets.reserve(ann, Spent(1, 40, 30))
    short = budgets.shortage(ann, Spent(1, 20, 20))
    assert short is not None
    assert (short.scope, short.what, short.left, short.wanted) == (AGENT, "tokens", 30, 40)
    assert budgets.shortage([(AGENT, "bob")], Spent(1, 50, 50)) is None
    budgets.settle(first, Spent(1, 10, 5))
    assert budgets.shortage(ann, Spent(1, 40, 45)) is None
    assert budgets.spent[DAY, "today"].tokens == 15
    rich = budgets.shortage([(AGENT, "rich")], Spent(1, 10**9, 0, money=2.5))
    assert rich is not None
    assert rich.what == "money"


MODELS = {
    "fast": {
        "url": "http://127.0.0.1:9/v1",
        "model": "x-1",
        "price_input": 1.0,
        "price_output": 10.0,
        "max_tokens": 100,
    }
}


def said(usage: Json | None = None) -> Json:
    spent = {} if usage is None else {"usage": usage}
    return {"inform": {"text": "hi", "tool_calls": [], "finish": "stop", "model": "x-1", **spent}}


USED = {"input": 20, "output": 10, "cached": 0}


def test_a_model_is_asked_and_its_cost_is_told_and_kept_over_a_restart() -> None:
    calls: list[Json] = []

    def model(call: Json) -> Json:
        calls.append(call["request"])
        return said(USED)

    with runtime({}, config={"models": MODELS}, effects={"model": model}) as system:
        request = {"action": "complete", "messages": TALK}
        answer = system.ask(request, to="model", protocol="fipa-request", conversation_id="c")["content"]
        assert calls == [{"model": "fast", "messages": TALK, "max_tokens": 100}]
        assert (answer["text"], answer["money"], answer["source"]) == ("hi", 0.00012, "live")
        assert answer["key"].startswith("sha256:")
        system.restart()
        about = system.ask({"about": "budget"}, to="model", performative="query-ref", conversation_id="d")
        used = {one["scope"]: one["used"]["tokens"] for one in about["content"]["budget"]}
        assert used == {"turn": 0, "conversation": 0, "agent": 30, "day": 30, "project": 30}


@pytest.mark.parametrize("scope", ["turn", "conversation", "agent", "day", "project"])
def test_a_used_up_budget_is_a_refusal_and_no_call(scope: str) -> None:
    calls: list[Json] = []

    def model(call: Json) -> Json:
        calls.append(call)
        return said(USED)

    config = {"models": MODELS, "budgets": {scope: {"tokens": 130 if scope != "turn" else 50}}}
    with runtime({}, config=config, effects={"model": model}) as system:
        request = {"messages": TALK}
        answers = [system.ask(request, to="model", conversation_id="c") for _ in range(2)]
        if scope == "turn":
            assert not calls
        else:
            assert len(calls) == 1
        (refused,) = [one for one in answers[-1:] if one["performative"] == "refuse"]
        assert refused["content"]["error"] == "budget-exhausted"
        assert refused["content"]["scope"] == scope
        assert f"budgets.{scope}.tokens" in refused["content"]["hint"]


@pytest.mark.parametrize(
    ("outcome", "tokens"),
    [
        ({"failure": {"error": "provider", "reason": "401", "usage": {"input": 0, "output": 0}}}, 0),
        ({"failure": {"error": "provider", "reason": "cut"}}, 115),
        (said({"input": 1, "output": 1, "cached": 0}), 2),
        (said(None), 115),
        (None, 115),
    ],
)
def test_what_nobody_knows_of_a_call_counts_as_spent(outcome: Json | None, tokens: int) -> None:
    models = {"fast": {**MODELS["fast"], "timeout": "2s"}}
    with runtime({}, config={"models": models}, effects={"model": lambda call: outcome}) as system:
        system.send({"messages": TALK}, to="model")
        system.advance(15)
        about = system.ask({"about": "budget"}, to="model", performative="query-ref")
        (project,) = [one for one in about["content"]["budget"] if one["scope"] == "project"]
        assert project["reserved"] == {"tokens": 0, "money": 0} or outcome is None
        assert project["used"]["tokens"] + project["reserved"]["tokens"] == tokens


@pytest.mark.parametrize(
    "content",
    [
        None,
        {"messages": []},
        {"messages": TALK, "model": "other"},
        {"messages": TALK, "typo": 1},
        {"messages": TALK, "max_tokens": 0},
    ],
)
def test_what_is_no_request_is_not_understood(content: Any) -> None:
    with runtime({}, config={"models": MODELS}, effects={"model": lambda call: said(USED)}) as system:
        assert system.ask(content, to="model")["performative"] == "not-understood"
