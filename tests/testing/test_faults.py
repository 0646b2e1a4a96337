"""What breaks on command, and what is promised all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from thorough import LONG

from caxton.errors import InvalidState, TimedOut
from caxton.example_modules import module
from caxton.testing import Crashed, DiskError, MemoryDisk, System, runtime
from testing.orders import EXAMPLES, ORDERS, carried_out, place, reports

EVERY = 1 if LONG else 17
"""A crash at every so-manieth step."""
COUNTER = {"c": module("counter")}
COUNTER_2 = module("counter") + b"\0\3\2v2"
"""The same code under another name: another revision."""


def count_up(system: System) -> None:
    for _ in range(9):
        system.send({"add": 1}, to="c")


@pytest.mark.parametrize("name", ORDERS)
def test_a_crash_at_any_step_reports_exactly_once(name: str) -> None:
    order = ORDERS[name]
    step, crashes = 1, 0
    while True:
        with runtime(EXAMPLES / name, seed=step) as system:
            # acknowledged, so it must be carried out whatever comes
            system.send(order.content, to=order.to, protocol="fipa-request", conversation_id="order")
            system.crash_after(step)
            try:
                system.until_quiet()
            except Crashed:
                crashes += 1
                assert not system.alive
                system.restart()
                system.until_quiet()
            system.crash_after(None)
            assert carried_out(system, name), f"crash at step {step}: {reports(system)}"
            turns = [row[0] for row in system.rows()["turn"]]
            assert len(turns) == len(set(turns))
            if system.lives == 1:
                break
        step += EVERY
    assert crashes * EVERY > 50


def test_what_was_not_acknowledged_is_there_whole_or_not_at_all() -> None:
    found: set[int] = set()
    for step in range(1, 50, 5):
        with runtime(COUNTER, seed=step) as system:
            system.crash_after(step)
            with pytest.raises(Crashed):
                count_up(system)
            system.restart()
            system.until_quiet()
            asked, said = len(system.messages(receiver="c@local")), len(system.messages(sender="c@local"))
            assert asked == said
            found.add(asked)
            assert system.ask({"add": 0}, to="c")["content"] == {"count": asked}
    assert len(found) > 2


@pytest.mark.parametrize("strategy", ["direct", "blue-green"])
def test_a_crash_in_a_deployment_loses_no_message(strategy: str) -> None:
    crashes = 0
    for step in range(1, 45, min(EVERY, 7)):
        with runtime(COUNTER, seed=step) as system:
            for _ in range(3):
                system.send({"add": 1}, to="c")
            system.submit({"add": 1}, to="c")
            system.crash_after(step)
            try:
                system.deploy("c", COUNTER_2, strategy=strategy)
                system.until_quiet()
            except Crashed:
                crashes += 1
                system.restart()
                system.until_quiet()
            system.crash_after(None)
            asked, said = system.messages(receiver="c@local"), system.messages(sender="c@local")
            assert 3 <= len(asked) <= 4
            assert [one["content"]["count"] for one in said] == list(range(1, len(asked) + 1))
            assert system.ask({"add": 1}, to="c")["content"] == {"count": len(asked) + 1}
            states = {row[5] for row in system.rows()["deployment"]}
            assert states <= {"running", "rolled_back", "failed"}, "every deployment has an end"
    assert crashes > 2


def said(system: System) -> dict[str, list[Any]]:
    """Every row but those of the journal's own housekeeping, which is no commit."""
    return {table: list(rows) for table, rows in system.rows().items() if table != "meta"}


@pytest.mark.parametrize("error", DiskError)
def test_nothing_is_acknowledged_that_the_disk_refused(error: DiskError) -> None:
    with runtime(COUNTER) as system:
        before = said(system)
        system.fail_next_write(error, times=1000)
        with pytest.raises(TimedOut):
            system.send({"add": 1}, to="c", limit_s=30)
        assert said(system) == before
        assert system.runtime.journal.failed == f"OperationalError: {error}"
        system.crash()
        system.disk.heal()
        system.restart()
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 1}


@pytest.mark.parametrize("error", DiskError)
@pytest.mark.parametrize("landed", [False, True])
def test_a_write_that_fails_for_a_while_is_made_once(error: DiskError, landed: bool) -> None:
    with runtime(COUNTER) as system:
        times = 1 if landed else 3
        system.fail_next_write(error, times=times, landed=landed)
        system.send({"add": 1}, to="c")
        system.until_quiet()
        assert len(system.messages(receiver="c@local")) == len(system.messages(sender="c@local")) == 1
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 2}
        assert system.runtime.journal.counts.failures == times
        assert system.runtime.journal.failed is None


def test_an_answer_that_was_given_is_on_disk() -> None:
    with runtime(COUNTER) as system:
        for number in range(1, 20):
            answer = system.ask({"add": 1}, to="c")
            assert answer["content"] == {"count": number}
            assert system.messages(id=answer["id"]) == [answer]


@pytest.mark.parametrize("name", ORDERS)
def test_a_killed_cell_is_replaced_and_its_agents_go_on(name: str) -> None:
    for seed in range(0, 40, EVERY):
        with runtime(EXAMPLES / name, seed=seed) as system:
            place(system, name)
            system.advance(seed / 100)
            system.kill_cell()
            system.until_quiet()
            assert carried_out(system, name)
            (view,) = system.runtime.cells.views()
            assert view.restarts == 1


def test_a_cell_that_dies_again_while_its_agents_come_back_costs_them_nothing() -> None:
    with runtime(COUNTER) as system:
        system.send({"add": 1}, to="c")
        system.until_quiet()
        # they wait for the journal until the second cell has died
        system.fail_next_write(DiskError.IO, times=4)
        system.submit({"add": 1}, to="c")
        for _ in range(2):
            system.kill_cell()
            system.advance(0.5)
        system.until_quiet()
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 3}
        assert [one for one in system.rows()["event"] if b'"failed"' in one[5]] == []


def test_committed_rows_are_two_systems_from_there_on() -> None:
    with runtime(COUNTER, seed=1) as system:
        system.ask({"add": 5}, to="c")
        image = system.disk.image()
        for seed in (2, 3):
            with runtime(COUNTER, seed=seed, disk=MemoryDisk(image)) as branch:
                assert branch.ask({"add": seed}, to="c")["content"] == {"count": 5 + seed}
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 6}


def test_a_system_that_does_not_run_says_so() -> None:
    with runtime(COUNTER) as system:
        with pytest.raises(InvalidState):
            system.start()
        system.stop()
        with pytest.raises(InvalidState):
            system.ask({"add": 1}, to="c")
        assert system.messages() == []
        system.start()
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 1}


def test_what_does_not_start_with_the_daemon_comes_back_once_somebody_has_started_it(tmp_path: Path) -> None:
    (tmp_path / "counter.wasm").write_bytes(module("counter"))
    (tmp_path / "caxton.toml").write_text('[agents.counter]\nwasm = "counter.wasm"\nstart = false\n')
    with runtime(tmp_path) as system:
        assert system.runtime.agents.view("counter").state != "running"
        system.restart()
        assert system.runtime.agents.view("counter").state != "running"
        system.run(system.runtime.agents.start("counter"))
        system.run(system.runtime.journal.written())
        system.restart()
        assert system.runtime.agents.view("counter").state == "running"
        system.run(system.runtime.agents.stop("counter"))
        system.run(system.runtime.journal.written())
        system.restart()
        assert system.runtime.agents.view("counter").state != "running"
