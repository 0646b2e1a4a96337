"""`async def handle`: what is asked is answered once, whatever the peers do, and whoever began a call is told of its
end."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from caxton.testing import Agent, System, runtime

from .calls import agents, answers, begin, contents, fine, python

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("python_runtime")]

ASKS = """
from caxton_agent import Cancelled, Failed, Timeout, ask, conversation, gather, reply, send, sleep, state

async def handle(message):
    what = message["content"]
    if message["performative"] == "request":
        state["tries"] = state.get("tries", 0) + 1
        try:
            got = await ask(what.get("to", "a"), "request", what, timeout=0.3)
        except Failed as failed:
            return reply("inform", [failed.performative, failed.message["sender"]])
        except Timeout as late:
            return reply("inform", str(late))
        reply("inform", got["content"])
"""


def logged(system: System) -> list[str]:
    """What agents have logged."""
    rows = system.disk.db.execute("select body from event where kind = 'log'")
    return [json.loads(body)["message"] for (body,) in rows]


def call(source: str, content: object, **more: Any) -> object:
    """One request to a boss of that source, and what came of it."""
    with runtime(agents(source)) as system:
        answer = system.ask(content, to="boss", **more)
        return answer["content"] if answer["performative"] == "inform" else answer


def test_calls_overlap_and_each_is_answered_once() -> None:
    with runtime(agents()) as system:
        began = system.now_us
        begin(system, 50)
        system.until_quiet(40)
        assert contents(system, 50) == fine(50)
        spent = max(one["timestamp"] for n in range(50) for one in answers(system, n)) - began
        assert spent < 2_000_000
        assert system.ask({}, to="boss", performative="query-ref", ontology="caxton-calls")["content"] == {
            "open": 0,
            "calls": [],
        }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"n": 5}, 5),
        ({"how": "refuse"}, ["refuse", "a@local"]),
        ({"how": "failure"}, ["failure", "a@local"]),
        ({"how": "not-understood"}, ["not-understood", "a@local"]),
        ({"how": "agree", "n": 6}, 6),
        ({"how": "unnamed"}, 1),
        ({"how": "silent"}, "a did not answer in time"),
        ({"how": "crash"}, ["failure", "ams@local"]),
        ({"to": "nobody"}, ["failure", "ams@local"]),
    ],
)
def test_every_end_of_a_question(content: object, says: object) -> None:
    assert call(ASKS, content) == says


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("async with conversation('a', protocol='fipa-request') as talk:\n"
         "        one = await talk.ask('request', {'n': 3})\n"
         "    reply('inform', [one['content'], one['protocol']])", [3, "fipa-request"]),
        ("first = ask('a', 'request', {'n': 1})\n    other = ask('b', 'request', {'n': 2})\n"
         "    two = await other\n    one = await first\n    reply('inform', [one['content'], two['content']])", [1, 2]),
        ("async def twice(n):\n        got = await ask('a', 'request', {'n': n})\n        return got['content'] * 2\n"
         "    reply('inform', await gather(twice(1), twice(2), sleep(0.1)))", [2, 4, None]),
        ("async def wrong():\n        await sleep(0.01)\n        raise LookupError('no')\n"
         "    found = await gather(wrong(), sleep(0.1), return_exceptions=True)\n"
         "    reply('inform', [repr(one) for one in found])", ["LookupError('no')", "None"]),
        ("async def long():\n        try:\n            await sleep(20)\n        finally:\n"
         "            state['ended'] = True\n    try:\n"
         "        await gather(long(), ask('a', 'request', {'how': 'refuse'}))\n"
         "    except Failed:\n        reply('inform', state)", {"ended": True}),
        ("orders = state.setdefault('orders', {})\n    await sleep(0.1)\n    orders['x'] = 1\n"
         "    reply('inform', state)", {"orders": {}}),
    ],
)  # fmt: skip
def test_what_a_call_may_do(body: str, says: object) -> None:
    head, _, _ = ASKS.partition("async def")
    source = f"{head}async def handle(message):\n    {body}\n"
    assert call(source, {"n": 1}) == says


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("await ask('a', 'request', timeout=None)", "seconds are a number from 0 to 30 days, not None"),
        ("await ask(['a', 'b'], 'request')", "ask asks one agent"),
        ("await ask('a', 'request', reply_with='mine')", "reply_with is given by ask"),
        ("await sleep(-1)", "seconds are a number"),
        ("import types\n    await types.coroutine(lambda: (yield 1))()", "a call awaits what it asks itself"),
        ("async for one in numbers(): pass", "an agent has no async generators"),
        ("import asyncio", "No module named 'asyncio'"),
        ("await sleep(0.1)\n    1 / 0", "agent.py:5: ZeroDivisionError"),
        ("while True: await sleep(0)", "a call may wait 1,000 times"),
    ],
)
def test_what_is_refused_is_told_to_whoever_began(body: str, says: str) -> None:
    head = "from caxton_agent import ask, sleep\nasync def numbers(): yield 1\n"
    source = f"{head}async def handle(message):\n    {body}\n"
    answer = call(source, {"n": 1}, limit_s=3_000)
    assert isinstance(answer, dict), answer
    assert answer["performative"] == "failure"
    assert says in answer["content"]["reason"]


def test_what_another_call_asked_is_not_awaited() -> None:
    source = """
from caxton_agent import ask, sleep
held = []
async def handle(message):
    held.append(ask("a", "request", {"n": 1}))
    await held[0]
    await sleep(1)
"""
    with runtime(agents(source)) as system:
        begin(system, 2)
        system.until_quiet(40)
        assert [answer["performative"] for answer in answers(system, 1)] == ["failure"]
        assert "a call awaits what it asks itself" in answers(system, 1)[0]["content"]["reason"]


def test_a_call_that_fails_over_an_answer_leaves_no_timer() -> None:
    source = """
from caxton_agent import ask, gather, sleep
async def handle(message):
    await gather(ask("a", "request", {"how": "failure"}, timeout=1000), sleep(900))
"""
    with runtime(agents(source)) as system:
        assert system.ask({}, to="boss")["performative"] == "failure"
        system.until_quiet(5)
        called_off = [one["content"] for one in system.messages(sender="timer@local")]
        assert called_off == [{"cancelled": 1}] * 2


def test_a_step_that_fails_takes_back_its_own_changes_only() -> None:
    source = """
from caxton_agent import ask, reply, state
async def handle(message):
    if message["performative"] == "query-ref":
        return reply("inform", state)
    state["before"] = 1
    await ask("a", "request", {"n": 1})
    state["after"] = 1
    reply("inform", "never sent")
    raise LookupError("broken")
"""
    with runtime(agents(source)) as system:
        answer = system.ask({}, to="boss", reply_with="r", protocol="fipa-request")
        assert (answer["performative"], answer["in_reply_to"]) == ("failure", "r")
        assert answer["content"]["reason"] == "agent.py:10: LookupError: broken"
        assert system.ask({}, to="boss", performative="query-ref")["content"] == {"before": 1}
        assert not system.messages(content="never sent")


def test_a_step_that_costs_the_instance_ends_its_call() -> None:
    source = """
from caxton_agent import ask, reply, state
async def handle(message):
    state["seen"] = state.get("seen", 0) + 1
    n = message["content"]["n"]
    got = await ask("a", "request", {"n": n})
    while n == 1:
        pass
    reply("inform", [n, state["seen"]])
"""
    with runtime(agents(source)) as system:
        begin(system, 3)
        system.until_quiet(100)
        assert contents(system, 3)[0] == [[0, 3]]
        assert contents(system, 3)[2] == [[2, 3]]
        (failed,) = answers(system, 1)
        assert (failed["performative"], failed["content"]["error"]) == ("failure", "fuel")
        assert system.runtime.agents.view("boss").restarts == 1


def test_whoever_began_a_call_can_cancel_it() -> None:
    source = """
from caxton_agent import ask, conversation, reply, send, state
async def handle(message):
    try:
        async with conversation("a") as talk:
            await talk.ask("request", {"how": "silent"})
    finally:
        state["ended"] = state.get("ended", 0) + 1
        send("inform", "b", {"ended": state["ended"]})
"""
    with runtime(agents(source)) as system:
        system.submit({}, to="boss", conversation_id="c", reply_with="first")
        system.advance(1)
        # somebody else's cancel is a message as any other
        answer = system.ask(to="boss", performative="cancel", conversation_id="c", reply_with="r")
        assert (answer["performative"], answer["in_reply_to"]) == ("inform", "r")
        assert system.messages(receiver="b@local", content={"ended": 1})
        assert len(system.messages(receiver="a@local", performative="cancel")) == 1
        system.until_quiet(40)
        assert len(system.messages(conversation_id="c", receiver="operator@local")) == 1


def test_the_operator_sees_and_cancels_open_calls() -> None:
    with runtime(agents()) as system:
        begin(system, 3, how="silent")
        system.advance(0.2)
        seen = system.ask({}, to="boss", performative="query-ref", ontology="caxton-calls")["content"]
        assert seen["open"] == 3
        assert seen["calls"][0]["from"] == "operator@local"
        ended = system.ask({}, to="boss", performative="cancel", ontology="caxton-calls")
        assert ended["content"] == {"cancelled": 3, "open": 0}
        assert [one["content"]["error"] for n in range(3) for one in answers(system, n)] == ["cancelled"] * 3


def test_an_agent_may_ask_itself_and_be_asked_by_another_that_waits() -> None:
    source = """
from caxton_agent import ask, reply
async def handle(message):
    if message["content"]["n"] == 0:
        return reply("inform", 0)
    got = await ask("boss", "request", {"n": message["content"]["n"] - 1})
    reply("inform", got["content"] + 1)
"""
    assert call(source, {"n": 5}) == 5


def test_a_strangers_answer_ends_nothing() -> None:
    """Only who was asked may answer: a message that claims to do it is one as any other."""
    source = """
from caxton_agent import ask, reply
async def handle(message):
    if message["performative"] == "inform":
        return reply("confirm", "not for a call")
    got = await ask("a", "request", {"how": "silent"}, timeout=5)
"""
    with runtime(agents(source)) as system:
        system.submit({}, to="boss", conversation_id="c0")
        system.advance(1)
        (asked,) = system.messages(receiver="a@local")
        said = system.ask({}, to="boss", performative="inform", in_reply_to=asked["reply_with"])
        assert said["content"] == "not for a call"
        system.until_quiet(10)
        assert "Timeout" in answers(system, 0)[0]["content"]["reason"]


def test_the_agent_of_the_documentation_works() -> None:
    """Registers, wakes every second, asks two others, and gives up after 300 ms."""
    page = (Path(__file__).parents[2] / "docs" / "python-agents.md").read_text("utf-8")
    (source,) = re.findall(r"```python\n(\"\"\"agent.py: asks east.*?)```", page, re.DOTALL)
    assert len(source.splitlines()) < 25
    seller = "def handle(message):\n    if settings['price']: reply('inform', settings['price'])\n"
    sellers = {
        name: Agent(python(seller), settings={"price": price}) for name, price in (("east", 7), ("west", 5))
    }
    with runtime({**sellers, "best": python(source)}) as system:
        system.advance(1.5)
        assert system.ask(to="best", performative="query-ref")["content"] == 5
        (asked,) = system.messages(sender="best@local", receiver="df@local")
        assert asked["content"]["description"]["services"] == [{"type": "best-price"}]
        system.advance(3)
        assert len(system.messages(sender="best@local", receiver="west@local")) in (3, 4)
    with runtime(
        {"east": sellers["east"], "west": python("def handle(message): pass"), "b": python(source)}
    ) as system:
        system.advance(1.6)
        assert "content" not in system.ask(to="b", performative="query-ref")
        assert [one for one in logged(system) if one.endswith("did not answer in time")]


def test_topics_have_handlers() -> None:
    """They are subscribed to when the agent is born, and anew by a build that handles others."""
    source = """
from caxton_agent import ask, on, reply, state

@on("sensors/*")
async def read(message):
    got = await ask("a", "request", message["content"])
    state["read"] = state.get("read", 0) + got["content"]

@on("alarm")
def ring(message):
    state["rung"] = True

def handle(message):
    reply("inform", state)
"""
    with runtime(agents(source)) as system:
        system.until_quiet()
        for topic, content in (
            ("sensors/kitchen", {"n": 3}),
            ("alarm", {}),
            ("other", {}),
            ("sensors/a", {"n": 4}),
        ):
            system.send(content, to=f"topic:{topic}", performative="inform")
        system.until_quiet()
        assert system.ask(to="boss")["content"] == {"read": 7, "rung": True}
        system.deploy("boss", python(source.replace('"alarm"', '"other"')))
        system.until_quiet()
        for topic in ("alarm", "sensors/b"):
            system.send({"n": 1}, to=f"topic:{topic}", performative="inform")
        system.until_quiet()
        assert system.ask(to="boss")["content"] == {"read": 8, "rung": True}
        system.restart()
        system.send({"n": 1}, to="topic:sensors/b", performative="inform")
        system.until_quiet()
        assert system.ask(to="boss")["content"] == {"read": 9, "rung": True}
