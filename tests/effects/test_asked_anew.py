"""Replays of agents that ask models: the same question has its answer in the record, another one is the difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from caxton.deploy import ReplayGate
from caxton.journal import Pin, Unpin
from caxton.presentation.replays import difference_lines, totals_line
from caxton.replay import ReplayRequest
from caxton.replay.asked import asked_anew, says_the_same
from caxton.sandbox.python.runtime import packed
from caxton.schemas.deployments import ReplayTotals, ReplayTurn
from caxton.testing import System, runtime

Json = dict[str, Any]
TALKS = """
from caxton_agent import model, reply

STYLE = {"odd": "be brief", "even": "be kind"}


async def handle(message):
    said = []
    for number in range(message["content"]):
        kind = "odd" if number % 5 == 1 else "even"
        talk = [{"role": "system", "content": STYLE[kind]}, {"role": "user", "content": f"line {number}"}]
        said.append((await model(talk, max_tokens=10))["text"])
    reply("inform", len(said))
"""
EDITED = TALKS.replace("be brief", "be\\nbriefer")
MODELS = {"fast": {"url": "http://127.0.0.1:9/v1", "model": "x-1", "price_input": 1.0, "price_output": 2.0}}
USAGE = {"input": 10, "output": 5, "cached": 0}


def module(source: str) -> bytes:
    return packed(Path("agent.py"), source.encode())


def system(asked: list[Json], **more: Any) -> Any:
    def answer(call: Json) -> Json:
        asked.append(call["request"])
        text = f"answer {len(asked)}"
        return {"inform": {"text": text, "tool_calls": [], "finish": "stop", "model": "x-1", "usage": USAGE}}

    config = {"models": MODELS, "agents": {"w": {"wasm": "w.py", "models": ["fast"]}}, **more}
    return runtime({"w": module(TALKS)}, config=config, effects={"model": answer})


def pin(running: System, conversation: str) -> None:
    running.runtime.journal.batch.records.append(Pin(conversation, 1))
    running.runtime.bus.settle()
    running.run(running.runtime.journal.written())


def replayed(running: System, **more: Any) -> Any:
    return running.run(running.runtime.replayer.replay(ReplayRequest(agent="w", **more)))


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
def test_ten_calls_replay_without_a_call_and_an_edited_prompt_shows_those_that_differ() -> None:
    asked: list[Json] = []
    with system(asked) as running:
        assert running.ask(10, to="w", conversation_id="c")["content"] == 10
        assert len(asked) == 10
        same = replayed(running, conversations=["c"])
        assert (same.totals.turns, same.totals.same, same.totals.asks) == (11, 11, 0)

        report = replayed(running, conversations=["c"], wasm=module(EDITED))
        assert report.totals.asks == 2
        numbers = [one.after["messages"][1]["content"] for turn in report.turns for one in turn.asks]
        assert numbers == ["line 1", "line 6"]
        changed = [turn for turn in report.turns if turn.verdict != "same"]
        assert [turn.differences for turn in changed] == [[], []]
        assert all(turn.conversation_id == "c" for turn in report.turns)

        # the newest conversations are its own questions, too: none of them counts twice
        again = replayed(running, last=100, wasm=module(EDITED))
        assert (again.totals.asks, again.conversations.count("c")) == (2, 1)

        pin(running, "c")
        gate = ReplayGate(mode="replay", timeout_s=60.0)
        held = running.bring("w", module(EDITED), gate=gate)
        assert held.gate is not None
        assert held.gate.reason == "something else is asked in pinned c"
        assert held.gate.totals.asks == 2
        assert held.gate.totals.money > 0
        assert len(asked) == 10, "nothing of all this has asked the model"

        # asked for real it answers as it did, which is good enough; only what is new was asked, and it has a price
        done = running.run(running.runtime.engine.ask_live(held.id))
        assert (done.state, len(asked)) == ("running", 12)
        assert done.gate is not None
        totals = done.gate.totals
        assert (totals.asks, totals.live, totals.tokens, totals.money) == (2, 2, 30, 4e-05)
        assert [one.source for turn in done.gate.turns for one in turn.asks] == ["live", "live"]
        spent = {one.name: one.calls for one in running.runtime.effects.usage("agent")}
        assert spent == {"w": 10, "operator.replay.w": 2}


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
@pytest.mark.long
def test_a_pinned_conversation_keeps_the_answers_that_its_calls_got() -> None:
    with system([], journal={"keep_days": 1, "snapshot_every": 1}) as running:
        for talk in ("c", "d"):
            assert running.ask(3, to="w", conversation_id=talk)["content"] == 3
        pin(running, "c")
        running.advance(26 * 3600)
        assert not running.messages(conversation_id="d"), "what is not pinned is removed"
        report = replayed(running, conversations=["c"])
        assert (report.totals.turns, report.totals.same, report.totals.asks) == (4, 4, 0)
        running.runtime.journal.batch.records.append(Unpin("c"))
        running.advance(26 * 3600)
        assert not running.messages(), "and then it goes with all of that"


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
def test_what_a_replay_asks_has_a_budget_of_its_own() -> None:
    asked: list[Json] = []
    with system(asked, budgets={"replay": {"tokens": 10}, "conversation": {"tokens": 1000}}) as running:
        assert running.ask(2, to="w", conversation_id="c")["content"] == 2
        report = replayed(running, conversations=["c"], wasm=module(EDITED), live=True)
        [answer] = [one.answer for turn in report.turns for one in turn.asks]
        assert (answer["error"], answer["scope"]) == ("budget-exhausted", "replay")
        assert (len(asked), report.totals.tokens) == (2, 0), "nothing was called"


LOOP = '''
from caxton_agent import agent, reply, tool


async def read(n: int):
    """Read it."""
    return await tool("fs.read", n=n)


async def handle(message):
    reply("inform", await agent("fast", [read], "PROMPT", rounds=5))
'''


def scripted(asked: list[Json]) -> Any:
    """A model that calls the tool as often as its prompt says, and a tool."""

    def model(call: Json) -> Json:
        asked.append(call["request"])
        talk = call["request"]["messages"]
        wanted = int(talk[0]["content"][-1])
        had = sum(1 for one in talk if one["role"] == "tool")
        calls = [{"id": f"c{had}", "name": "read", "arguments": {"n": had}}] if had < wanted else []
        text = "" if calls else f"read {had}"
        finish = "tool_calls" if calls else "stop"
        return {"inform": {"text": text, "tool_calls": calls, "finish": finish, "model": "x", "usage": USAGE}}

    def tool(call: Json) -> Json:
        asked.append(call["request"])
        return {"inform": {"content": [{"type": "text", "text": "x"}], "structured": None}}

    config = {
        "models": MODELS,
        "tools": {"fs": {"command": ["fs"]}},
        "agents": {"w": {"wasm": "w.py", "models": ["fast"], "tools": ["fs.*"]}},
    }
    source = module(LOOP.replace("PROMPT", "times 1"))
    return runtime({"w": source}, config=config, effects={"model": model, "tool.fs": tool})


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
@pytest.mark.parametrize(("times", "calls"), [(0, 1), (1, 0), (3, 6)])
def test_a_live_replay_goes_where_the_answers_lead(times: int, calls: int) -> None:
    asked: list[Json] = []
    with scripted(asked) as running:
        assert running.ask(1, to="w", conversation_id="c")["content"] == "read 1"
        assert len(asked) == 3, asked[1]["messages"]
        wasm = module(LOOP.replace("PROMPT", f"times {times}"))
        report = replayed(running, conversations=["c"], wasm=wasm, live=True)
        live = [one for turn in report.turns for one in turn.asks if one.source == "live"]
        assert (report.totals.live, len(live), len(asked)) == (calls, calls, 3 + calls)
        said = [one["content"] for turn in report.turns for one in (turn.after.messages or [])]
        assert (f"read {times}" in said) == (times != 1), said
        assert report.totals.not_run == 0


def question(text: str, to: str = "model@local") -> Json:
    talk = [{"role": "user", "content": text}]
    return {"performative": "request", "receiver": [to], "content": {"messages": talk}}


def cost(name: str, content: bytes) -> tuple[int, float] | None:
    return (len(content), 0.5) if name.startswith("model@") else None


REPLY = {"performative": "inform", "receiver": ["operator@local"], "content": 1}


@pytest.mark.parametrize(
    ("then", "now", "anew", "nothing_else"),
    [
        ([question("a"), REPLY], [question("b"), REPLY], [("a", "b")], True),
        ([question("a")], [question("a"), question("b")], [(None, "b")], True),
        ([question("a"), question("b")], [question("b"), question("a"), question("a")], [(None, "a")], True),
        ([question("a"), question("b")], [question("b"), question("a")], [], True),
        ([question("a")], [question("b"), REPLY], [("a", "b")], False),
        ([REPLY], [question("b")], [(None, "b")], False),
        ([question("a", "peer@local")], [question("b", "peer@local")], [], False),
    ],
)
def test_what_is_asked_anew(then: list[Json], now: list[Json], anew: list[Any], nothing_else: bool) -> None:
    found, only = asked_anew(then, now, cost), says_the_same(then, now, cost)

    def text(content: Any) -> Any:
        return content and content["messages"][0]["content"]

    assert [(text(one.before), text(one.after)) for one in found] == anew
    assert only == nothing_else
    assert all((one.money, one.tokens > 20) == (0.5, True) for one in found)


def test_a_prompt_is_shown_line_by_line() -> None:
    side: Json = {"status": "ok", "fuel": 1, "memory_kib": None, "error": None, "messages": []}
    before, after = question("be brief\nsay hello")["content"], question("be\nbriefer\nsay hello")["content"]
    asked = {"to": "model@local", "before": before, "after": after, "tokens": 30, "money": 0.25}
    turn: Json = {
        "seq": 1, "agent": "w", "conversation_id": "c", "at": "2026-01-01T00:00:00Z", "performative": "request",
        "sender": "x@local", "revision": None, "verdict": "changed", "before": side, "after": side,
        "differences": [], "illegal": [], "asks": [asked],
    }  # fmt: skip
    assert list(difference_lines(msgspec.convert(turn, ReplayTurn, strict=False))) == [
        "asks model something else",
        "  - user: be brief",
        "  + user: be",
        "  + briefer",
    ]
    counts = {"turns": 1, "same": 0, "changed": 1, "illegal": 0, "trapped": 0, "not_run": 0}
    totals = ReplayTotals(**counts, fuel_before=0, fuel_after=0, asks=1, tokens=30, money=0.25)
    assert totals_line(totals) == (
        "0 same, 1 changed, 0 illegal, 1 asked anew (at most 30 tokens, 0.2500 of money)"
    )
