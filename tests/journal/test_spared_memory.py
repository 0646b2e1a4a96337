"""Retention removes no row that an agent's memory is made from, and says what it keeps for that."""

from __future__ import annotations

from typing import Any

import pytest
from agents.systems import tally

from caxton.example_modules import module
from caxton.testing import Agent, System, runtime

COUNTER, TALLY = module("counter"), Agent(tally(), wat=True)
SINK = Agent(module("echo"), recover="fresh")
LARGE = "x" * 60_000


def small(**more: Any) -> dict[str, Any]:
    return {"journal": {"keep_mib": 1, **more}}


def flood(system: System, upto: int | None = None) -> None:
    """Others talk, in messages of 60 KB, until everything up to the last number of now is beyond its time."""
    upto = system.runtime.bus.last_seq if upto is None else upto
    for _ in range(400):
        system.send(LARGE, to="sink", performative="inform")
        if trimmed(system) >= upto:
            return
        system.advance(0.1)
    pytest.fail(f"it removes nothing more than {trimmed(system)}, {upto} was to go")


def trimmed(system: System) -> int:
    return int(system.disk.db.execute("select value from meta where key = 'trimmed_upto'").fetchone()[0])


def oldest(system: System) -> int:
    return int(system.disk.db.execute("select min(seq) from message").fetchone()[0])


def count_up(system: System, times: int) -> None:
    """Let the tally count so often, a mailbox at a time."""
    for _ in range(times // 600):
        for _ in range(600):
            system.submit("x" * 400, to="t")
        system.until_quiet()


def counted(system: System, to: str, times: int = 1) -> int:
    """The last of so many answers of a counter."""
    answers = [system.ask({"add": 1}, to=to)["content"] for _ in range(times)]
    last = answers[-1]
    return int(last if isinstance(last, str) else last["count"])


@pytest.mark.parametrize("every", [0, 100])
def test_an_agent_is_asked_for_its_state_before_its_past_goes(every: int) -> None:
    with runtime({"c": COUNTER, "sink": SINK}, config=small(snapshot_every=every)) as system:
        assert counted(system, "c", 50) == 50
        last = system.runtime.bus.last_seq
        flood(system, last)
        system.advance(5)
        flood(system)
        assert oldest(system) > last, "nothing of it has to stay"
        system.restart()
        assert counted(system, "c") == 51
        assert [one for one in system.rows()["event"] if b"removed what it did" in one[5]] == []


def test_of_an_agent_without_hooks_what_it_heard_stays() -> None:
    with runtime({"t": TALLY, "sink": SINK}, config=small()) as system:
        assert counted(system, "t", 50) == 50
        flood(system)
        kept = system.messages(receiver="t@local")
        assert len(kept) == 50
        assert system.messages(sender="t@local") == [], "its answers do not have to stay"
        assert system.runtime.journal.kept.memories[system_number(system, "t")].rows == 50
        for _ in range(2):
            system.restart()
            flood(system)
        assert counted(system, "t") == 51


def test_what_a_memory_needed_goes_when_it_is_needed_no_more() -> None:
    with runtime({"t": TALLY, "sink": SINK}, config=small()) as system:
        assert counted(system, "t", 50) == 50
        flood(system)
        system.run(system.runtime.agents.remove("t"))
        flood(system)
        assert system.messages(receiver="t@local") == []
        assert system.runtime.journal.kept.memories == {}
        assert system.rows()["spared"] == []


def test_an_agent_that_has_filled_its_share_is_suspended_and_forgets_nothing() -> None:
    agents = {"t": TALLY, "sink": SINK}
    with runtime(agents, config=small(keep_mib=4, memory_mib=1)) as system:
        count_up(system, 1_800)
        flood(system)
        system.advance(3)
        view = system.runtime.agents.view("t")
        assert view.state == "suspended"
        assert view.last_error is not None
        assert "journal.memory_mib = 1" in view.last_error
        assert "agent resume t" in view.last_error
        system.restart()
        system.advance(3)
        assert system.runtime.agents.view("t").last_error == view.last_error
        # the way out that forgets, because the operator says so
        system.deploy("t", Agent(tally(tag="two"), wat=True))
        system.run(system.runtime.agents.resume("t"))
        system.advance(3)
        assert system.runtime.agents.view("t").state == "suspended"
        system.deploy("t", TALLY, fresh_state=True)
        flood(system)
        system.run(system.runtime.agents.resume("t"))
        assert counted(system, "t") == 1


def test_the_share_can_be_raised() -> None:
    agents = {"t": TALLY, "sink": SINK}
    with runtime(agents, config=small(keep_mib=4, memory_mib=1)) as system:
        count_up(system, 1_800)
        flood(system)
        system.advance(3)
        assert system.runtime.agents.view("t").state == "suspended"
        disk, image = system.disk, system.disk.image()
    with runtime(agents, config=small(keep_mib=4, memory_mib=0), disk=type(disk)(image)) as system:
        system.run(system.runtime.agents.resume("t"))
        system.advance(3)
        assert counted(system, "t") == 1_801


def system_number(system: System, name: str) -> int:
    return system.runtime.agents.registry.find(name).number


@pytest.mark.parametrize("restarts", [False, True])
def test_a_message_that_waits_stays_by_itself(restarts: bool) -> None:
    with runtime({"t": TALLY, "sink": SINK}, config=small()) as system:
        assert counted(system, "t", 3) == 3
        system.run(system.runtime.agents.suspend("t"))
        waits = [system.submit({"add": 1}, to="t").seq for _ in range(2)]
        system.advance(2)
        upto = system.runtime.bus.last_seq + 20
        flood(system, upto)
        assert oldest(system) < waits[0], "its memory needs what it has heard"
        assert [one["content"] for one in system.messages(receiver="t@local")][-2:] == [{"add": 1}] * 2
        number = system_number(system, "t")
        assert system.runtime.journal.kept.unfinished[number].rows == 2
        if restarts:
            system.restart()
            flood(system)
        system.run(system.runtime.agents.resume("t"))
        system.until_quiet()
        system.advance(130)
        flood(system)
        assert system.runtime.journal.kept.unfinished == {}
        assert system.runtime.journal.kept.memories[number].rows == 5
        system.restart()
        assert counted(system, "t") == 6
        # and nothing else is left of it once nobody needs it
        system.run(system.runtime.agents.remove("t"))
        flood(system)
        assert system.rows()["spared"] == []
        assert oldest(system) > upto
        rows = system.rows()
        assert {row[0] >> 20 for row in rows["turn"]} <= {row[0] for row in rows["message"]}


def test_what_waits_goes_with_its_agent() -> None:
    with runtime({"c": COUNTER, "sink": SINK}, config=small()) as system:
        system.run(system.runtime.agents.suspend("c"))
        waits = system.submit({"add": 1}, to="c").seq
        flood(system, waits + 20)
        assert oldest(system) == waits
        system.run(system.runtime.agents.remove("c"))
        system.advance(130)
        flood(system)
        assert oldest(system) > waits
        assert system.rows()["spared"] == []


def test_what_is_held_stays_by_itself() -> None:
    with runtime({"c": COUNTER, "sink": SINK}, config=small()) as system:
        system.runtime.hold.add("to:c act:request", by="operator@local")
        held = system.submit({"add": 1}, to="c").seq
        flood(system, held + 20)
        system.restart()
        flood(system)
        assert [one.seq for one in system.runtime.hold] == [held]
        system.runtime.hold.release(held)
        system.until_quiet()
        flood(system)
        assert system.rows()["held"] == system.rows()["held_state"] == []


def test_a_conversation_that_goes_on_after_its_messages_have_gone_is_known_again() -> None:
    with runtime({"sink": SINK}, config=small()) as system:
        for _ in range(2):
            system.send("x", to="sink", performative="inform", conversation_id="long")
            flood(system)
        assert system.run(system.disk.reader().conversation("long")) is None
        system.send("x", to="sink", performative="inform", conversation_id="long")
        system.advance(2)
        found = system.run(system.disk.reader().conversation("long"))
        assert found is not None
        assert (found.messages, found.participants) == (1, ["operator@local", "sink@local"])
