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
