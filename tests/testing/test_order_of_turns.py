"""What is urgent overtakes what waits, and every memory comes back in the order in which turns were taken."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.errors import InvalidMessage
from caxton.limits import Limits
from caxton.replay.replayer import ReplayRequest
from caxton.sandbox.python.runtime import packed
from caxton.simulation.schedule import Pace
from caxton.testing import Agent, Crashed, System, runtime
from testing.orders import EXAMPLES

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("python_runtime")]

DIARY = b"""
from caxton_agent import reply, send, state
def handle(message):
    content = message["content"]
    seen = state.setdefault("seen", [])
    if content == "tell":
        reply("inform", list(seen))
    elif isinstance(content, dict):
        for line in content["say"]:
            send("inform", "diary", line["content"], **{k: v for k, v in line.items() if k != "content"})
    else:
        seen.append(content)
"""
BUILD = packed(EXAMPLES / "diary.py", DIARY)
BUILD_2 = packed(EXAMPLES / "diary.py", DIARY + b"\n# 2\n")


def diary(**limits: int) -> Agent:
    return Agent(BUILD, limits=Limits(**limits))


def write(system: System, content: object, **parameters: Any) -> None:
    system.submit(content, to="diary", performative="inform", **parameters)


def backlog(system: System, many: int = 12) -> None:
    """Messages that wait, and an urgent one."""
    for number in range(many):
        write(system, number)
    write(system, "stop", x_priority="urgent")


def told(system: System) -> list[Any]:
    answer: list[Any] = system.ask("tell", to="diary")["content"]
    return answer


def test_the_operators_stop_overtakes_what_waits() -> None:
    with runtime({"diary": diary()}) as system:
        backlog(system, 100)
        system.until_quiet()
        seen = told(system)
        assert seen.index("stop") <= 2, "its cell may have two messages of an agent whose turns nobody knows"
        assert [one for one in seen if one != "stop"] == list(range(100))
        assert system.runtime.bus.counts.overtakings == 1


@pytest.mark.parametrize("how", ["crash", "kill", "restart", "swap", "swap and crash"])
def test_memories_come_back_in_the_order_of_turns(how: str) -> None:
    config = {"journal": {"snapshot_every": 5}}
    with runtime({"diary": diary()}, config=config, pace=Pace()) as system:
        backlog(system)
        system.until_quiet()
        backlog(system, 5)
        system.until_quiet()
        before = told(system)
        assert before.index("stop") <= 2
        if "swap" in how:
            system.deploy("diary", BUILD_2)
        if how == "kill":
            system.kill_cell()
        elif how == "restart":
            system.restart()
        elif how != "swap":
            system.crash()
            system.start()
        system.until_quiet()
        assert told(system) == before
        write(system, "after")
        system.until_quiet()
        assert told(system) == [*before, "after"]


@pytest.mark.parametrize("seed", range(8))
def test_a_crash_at_any_step_neither_loses_nor_doubles_nor_reorders(seed: int) -> None:
    """Whatever was said of a turn is what the agent remembers, in the order in which it took them."""
    with runtime({"diary": diary()}, seed=seed, config={"journal": {"snapshot_every": 3}}) as system:
        backlog(system, 6)
        system.run(system.runtime.journal.written())
        for crash in range(4):
            system.crash_after(3 + seed + crash)
            try:
                backlog(system, 2)
                system.until_quiet()
            except Crashed:
                pass
            system.crash_after(None)
            if not system.alive:
                system.start()
            system.until_quiet()
            order = system.disk.db.execute(
                """select coalesce(p.place, t.id >> 20) place, cast(m.body as text)->>'content' said
                   from turn t join message m on m.seq = t.id >> 20 join agent a on a.no = t.id & 1048575
                   left join turn_place p on p.seq = m.seq and p.agent_no = a.no
                   where a.name = 'diary@local' and said <> 'tell' order by place"""
            ).fetchall()
            assert [str(one) for one in told(system)] == [str(said) for _, said in order]
            assert len({place for place, _ in order}) == len(order)
        assert len(system.rows()["turn_place"]) > 2


def test_agents_are_urgent_where_they_are_allowed_to_be() -> None:
    say = [{"content": n} for n in range(6)] + [{"content": "now", "x_priority": "urgent"}]
    for allowed in (0, 1):
        with runtime({"diary": diary(urgent=allowed), "boss": Agent(BUILD)}) as system:
            system.submit({"say": [*say, {"content": "and", "x_priority": "urgent"}]}, to="boss")
            system.until_quiet()
            seen = told(system)
            if allowed:
                assert seen[2] == "now" or seen[1] == "now"
                assert seen[-1] == "and", "one urgent message of an agent waits, and no more"
            else:
                assert seen == [*range(6), "now", "and"]


def test_an_agent_that_lets_others_be_urgent_has_few_messages_in_its_cell_however_quick_it_was() -> None:
    with runtime({"diary": diary(urgent=1)}) as system:
        for number in range(20):
            write(system, -number)
        system.until_quiet()
        backlog(system, 50)
        system.until_quiet()
        assert told(system).index("stop") <= 22


def test_urgent_ones_keep_their_order_and_that_of_their_conversation() -> None:
    with runtime({"diary": diary()}) as system:
        for number in range(6):
            write(system, number)
        write(system, "mine", sender="operator.ann", conversation_id="talk")
        write(system, "mine, now", sender="operator.ann", conversation_id="talk", x_priority="urgent")
        write(system, "a", x_priority="urgent")
        write(system, "b", sender="operator.bob", x_priority="urgent")
        write(system, "c", x_priority="urgent")
        system.until_quiet()
        seen = told(system)
        at = seen.index("a")
        assert at <= 2
        assert seen[at : at + 3] == ["a", "b", "c"]
        assert seen[-2:] == ["mine", "mine, now"]


def test_a_priority_is_urgent_or_normal() -> None:
    with runtime({"diary": diary()}) as system, pytest.raises(InvalidMessage, match="urgent") as refused:
        write(system, 1, x_priority="asap")
    assert refused.value.hint


@pytest.mark.parametrize("strategy", ["canary", "shadow", "blue-green", "direct"])
def test_two_revisions_have_the_same_memory_and_a_replay_is_the_same(strategy: str) -> None:
    with runtime({"diary": diary()}, config={"journal": {"snapshot_every": 4}}) as system:
        backlog(system, 20)
        view = system.deploy("diary", BUILD_2, strategy=strategy)
        assert view.state == "rolled_back" if strategy == "shadow" else view.state in ("running", "draining")
        backlog(system, 20)
        system.until_quiet()
        seen = told(system)
        assert seen.index("stop") < 20
        report = system.run(system.runtime.replayer.replay(ReplayRequest(last=60)))
        assert {turn.verdict for turn in report.turns} == {"same"}
        system.crash()
        system.start()
        system.until_quiet()
        assert told(system) == seen
