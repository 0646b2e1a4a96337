"""Agents that wait for each other, and agents that say the same again and again, are found and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from caxton.acl import Message, Performative
from caxton.agents.loops import TIMES, period
from caxton.agents.waits import Wait, cycles, in_words, open_asks
from caxton.sandbox.python.runtime import packed
from caxton.testing import System, runtime

Json = dict[str, Any]


def said(sender: str, to: str, act: str = "request", **more: Any) -> Message:
    return Message("", Performative(act), sender, [to], more.pop("talk", "c"), "", "", 7, **more)


@pytest.mark.parametrize(
    ("messages", "open"),
    [
        ([said("a", "b")], ["b"]),
        ([said("a", "b"), said("b", "a", "inform")], []),
        ([said("a", "b"), said("b", "a", "agree")], ["b"]),
        ([said("a", "b"), said("b", "a", "inform", talk="d")], ["b"]),
        ([said("a", "b"), said("ams@local", "a", "failure")], []),
        ([said("a", "b"), said("b", "a")], ["b"]),
        ([said("a", "b", reply_with="1"), said("b", "a", "inform", in_reply_to="2")], ["b"]),
        ([said("a", "b", reply_with="1"), said("b", "a", in_reply_to="1")], []),
        ([said("a", "b", reply_by="2030-01-01T00:00:00Z")], []),
        ([said("a", "b", "propose"), said("b", "a", "accept-proposal")], []),
        ([said("a", "b", "inform"), said("a", "b", "subscribe")], []),
    ],
)
def test_what_an_agent_waits_for(messages: list[Message], open: list[str]) -> None:
    found = list(open_asks("a", enumerate(messages, 1)))
    assert [one.awaits for one in found] == open


def wait(agent: str, awaits: str, seq: int) -> Wait:
    return Wait(agent=agent, awaits=awaits, seq=seq, conversation_id="c", since_us=seq)


@pytest.mark.parametrize(
    ("waits", "found"),
    [
        ([], []),
        ([wait("a", "b", 1)], []),
        ([wait("a", "b", 1), wait("b", "a", 2)], ["a waits for b, b waits for a"]),
        ([wait("a", "a", 1)], ["a waits for a"]),
        ([wait("a", "b", 1), wait("b", "c", 2), wait("c", "b", 3)], ["b waits for c, c waits for b"]),
        (
            [wait("a", "b", 4), wait("b", "a", 3), wait("c", "d", 1), wait("d", "c", 2)],
            ["b waits for a, a waits for b", "c waits for d, d waits for c"],
        ),
    ],
)
def test_cycles(waits: list[Wait], found: list[str]) -> None:
    by_agent: dict[str, list[Wait]] = {}
    for one in waits:
        by_agent.setdefault(one.agent, []).append(one)
    assert [in_words(one) for one in cycles(by_agent)] == found


@pytest.mark.parametrize(
    ("steps", "length"),
    [("ababababab", 2), ("aaaa", 1), ("abab", 0), ("abcabcabcabc", 3), ("abacadae", 0), ("xababab", 0)],
)
def test_what_repeats(steps: str, length: int) -> None:
    assert (period(steps), TIMES) == (length, 4)


ASKS = """
from caxton_agent import send

OTHERS = {"a": "b", "b": "c", "c": "a"}
asked = []


def handle(message):
    if message["performative"] == "request" and not asked:
        asked.append(message)
        me = message["receiver"][0].split("@")[0]
        if TIMER:
            send("request", "timer", {"after_ms": 60000})
        send("request", OTHERS[me], 1, conversation_id=message["conversation_id"], reply_with=me)
"""
ECHO = """
from caxton_agent import send


def handle(message):
    to = "b" if message["receiver"][0].startswith("a@") else "a"
    send("inform", to, message["content"] + STEP, conversation_id="loop")
"""


def python(source: str) -> bytes:
    return packed(Path("agent.py"), source.encode())


def told(system: System, kind: str) -> int:
    return sum(kind in row for row in system.rows()["event"])


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("python_runtime")
@pytest.mark.parametrize(("timer", "many"), [("False", 1), ("True", 0)])
def test_a_cycle_of_agents_that_wait_is_found_within_a_second(timer: str, many: int) -> None:
    agents = {name: python(ASKS.replace("TIMER", timer)) for name in "abc"}
    with runtime(agents) as system:
        system.submit(1, to="a", conversation_id="c")
        system.advance(1.0)
        found = [in_words(one) for one in system.runtime.standstills.waits.cycles]
        assert found == ["a waits for b, b waits for c, c waits for a"] * many
        assert len(system.messages(performative="request", content=1)) == 4
        system.advance(2.0)
        assert told(system, "waits") == many, "it is told once"


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("python_runtime")
@pytest.mark.parametrize(("step", "many"), [(0, 1), (1, 0)])
def test_a_loop_without_anything_new_is_named(step: int, many: int) -> None:
    agents = {name: python(ECHO.replace("STEP", str(step))) for name in "ab"}
    with runtime(agents) as system:
        system.submit(1, to="a", performative="inform", conversation_id="loop")
        system.advance(1.0)
        loops = system.runtime.standstills.loops.all
        assert len(loops) == many == told(system, "loop")
        for loop in loops:
            assert sorted(loop.agents) == ["a@local", "b@local"]
            assert (loop.conversation_id, loop.model) == ("loop", False)
            assert loop.times >= TIMES


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("python_runtime")
def test_a_model_that_is_asked_the_same_again_and_again_refuses() -> None:
    source = """
from caxton_agent import send

QUESTION = {"messages": [{"role": "user", "content": "Go on?"}], "max_tokens": 5}


def handle(message):
    if message["performative"] != "refuse":
        send("request", "model", QUESTION, conversation_id="c")
"""
    asked: list[Json] = []

    def model(call: Json) -> Json:
        asked.append(call)
        usage = {"input": 1, "output": 1}
        text = f"answer {len(asked)}"
        return {"inform": {"text": text, "tool_calls": [], "finish": "stop", "model": "x", "usage": usage}}

    models = {"fast": {"url": "http://127.0.0.1:9/v1", "model": "x"}}
    config = {"models": models, "agents": {"w": {"wasm": "w.py", "models": ["fast"]}}}
    with runtime({"w": python(source)}, config=config, effects={"model": model}) as system:
        system.submit(1, to="w", performative="inform", conversation_id="c")
        system.until_quiet(2)
        said = system.messages(conversation_id="c")
        assert said[-1]["performative"] == "refuse"
        assert said[-1]["content"]["error"] == "loop"
        assert TIMES < len(asked) < 5_000, "it was stopped before its hops ended it"
