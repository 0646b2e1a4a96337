"""Memory that comes back by replay: after a trap, a cell's death, a power cut; and what is said where it cannot."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from caxton.cells.link import Answer
from caxton.deploy import DeploymentRequest
from caxton.runtime import Runtime
from caxton.sandbox.frames import Kind
from caxton.turn_status import Status

from .systems import (
    COUNTER,
    answers,
    ask,
    commit,
    count,
    events,
    guest,
    home,
    kill_cell,
    letters,
    link_of,
    power_cut,
    reached,
    remove,
    tally,
    tell,
)

LONG, REFUSED, TRAPS = "x" * 600, "x" * 1100, "x" * 2100


async def memories(runtime: Runtime, what: str = "restarted") -> list[tuple[Any, Any]]:
    """What the events said of memories."""
    told = await events(runtime, "agent")
    return [(one["memory"], one.get("memory_reason")) for one in told if one["what"] == what]


async def many(runtime: Runtime, name: str, turns: int) -> None:
    """Ask an agent that often, as fast as its mailbox takes it."""
    talk = f"many-{runtime.bus.last_seq}"
    with runtime.bus.clients.expect(talk) as waiter:
        for begun in range(0, turns, 500):
            portion = min(500, turns - begun)
            for _ in range(portion):
                runtime.bus.submit({"performative": "request", "receiver": name, "conversation_id": talk})
            for _ in range(portion):
                assert await waiter.next(8.0) is not None


async def test_a_counter_at_ten_thousand_is_there_again_after_its_cell_was_killed(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await many(runtime, "c", 10_000)
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await tell(runtime) == 10_001
        assert await memories(runtime) == [("replayed 10,000 turns", None)]
        assert await letters(runtime) == []


async def test_a_counter_at_ten_thousand_is_there_again_after_a_power_cut(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    async with home(first) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await runtime.engine.deploy(DeploymentRequest("other", COUNTER))
        await many(runtime, "c", 10_000)
        await count(runtime, "other")
        await power_cut(runtime, second)
    async with home(second) as runtime:
        assert await tell(runtime) == 10_001
        assert ("replayed 10,000 turns", None) in await memories(runtime, "revived")
        assert await count(runtime, "other") == 2


async def test_a_trap_costs_its_own_turn_only(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        assert [await tell(runtime) for _ in range(3)] == [1, 2, 3]
        # both of these leave the instance alive, and what it counted in them stays counted
        assert (await ask(runtime, "c", REFUSED))["content"]["error"] == "guest_error"
        assert (await ask(runtime, "c", LONG))["content"]["error"] == "foreign_sender"
        assert await tell(runtime) == 6
        assert (await ask(runtime, "c", TRAPS))["content"]["error"] == "unreachable"
        assert await tell(runtime) == 7
        assert await memories(runtime) == [("replayed 6 turns", None)]
        # the trap is in the past now, and is left out there too
        assert (await ask(runtime, "c", TRAPS))["content"]["error"] == "unreachable"
        assert await tell(runtime) == 8


async def test_nothing_that_is_run_again_is_said_again(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        for _ in range(5):
            await tell(runtime)
        before = runtime.bus.counts.messages
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert runtime.bus.counts.messages == before
        said = await answers(runtime)
        assert all(len(of) == 1 for of in said.values())


async def test_only_the_turns_after_the_last_snapshot_are_run_again(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 4") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        for _ in range(4):
            await count(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        assert [await count(runtime) for _ in range(3)] == [5, 6, 7]
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await count(runtime) == 8
        assert await memories(runtime) == [("replayed 3 turns", None)]


async def test_a_snapshot_that_is_due_while_one_is_taken_is_taken_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER, recover="snapshot"))
        record, link, counted = runtime.agents.registry.find("c"), link_of(runtime), list[int]()
        request = link.request

        async def late(kind: Kind, slot: int, payload: bytes = b"") -> Answer:
            """The cell's answer, which is heard of after another turn has ended."""
            answer = await request(kind, slot, payload)
            if kind is Kind.SNAPSHOT and not counted:
                counted.append(await count(runtime))
            return answer

        monkeypatch.setattr(link, "request", late)
        assert await count(runtime) == 1
        await reached(
            runtime, lambda: counted == [2] and not runtime.agents.repair.snapshots.is_asked(record)
        )
        assert record.snapshot_seq == record.endpoint.last_seq
        await commit(runtime)
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await count(runtime) == 3


async def test_a_snapshot_that_traps_is_not_asked_for_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = "(if (i32.eq (global.get $n) (i32.const 1)) (then unreachable))"
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", guest(snapshot=trap), wat=True))
        record, link, answered = runtime.agents.registry.find("c"), link_of(runtime), list[int]()
        request = link.request

        async def noted(kind: Kind, slot: int, payload: bytes = b"") -> Answer:
            """The cell's answer; what is due meanwhile is due for an instance that is gone."""
            answer = await request(kind, slot, payload)
            if kind is Kind.SNAPSHOT:
                answered.append(answer.status)
                if answer.status == Status.TRAP:
                    runtime.bus.turns.state_due(record.endpoint)
            return answer

        monkeypatch.setattr(link, "request", noted)
        assert await count(runtime) == 1
        await reached(
            runtime,
            lambda: record.snapshot_failures == 1 and not runtime.agents.repair.snapshots.is_asked(record),
        )
        assert answered == [Status.TRAP]
        assert [await count(runtime), await count(runtime)] == [2, 3]
        await reached(
            runtime, lambda: len(answered) == 2 and not runtime.agents.repair.snapshots.is_asked(record)
        )
        assert (answered[1], runtime.agents.view("c").restarts) == (Status.OK, 0)


async def test_an_agent_that_was_stopped_remembers(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        assert [await tell(runtime), await tell(runtime)] == [1, 2]
        await runtime.agents.stop("c")
        await runtime.agents.start("c")
        assert await tell(runtime) == 3
        assert await memories(runtime, "started") == [("replayed 2 turns", None)]
    async with home(tmp_path) as runtime:
        assert await tell(runtime) == 4


async def test_another_agent_of_the_same_name_is_another(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await tell(runtime)
        await runtime.agents.remove("c")
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        assert await tell(runtime) == 1
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await tell(runtime) == 2


async def test_a_fresh_state_stays_fresh(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await tell(runtime)
        await runtime.engine.deploy(DeploymentRequest("c", tally(tag="two"), wat=True, fresh_state=True))
        assert await tell(runtime) == 1
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await tell(runtime) == 2


async def test_a_state_that_was_carried_is_where_the_new_revision_begins(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 0") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert [await count(runtime) for _ in range(3)] == [1, 2, 3]
        assert (
            await runtime.engine.deploy(DeploymentRequest("c", COUNTER + b"\0\3\2v2"))
        ).memory == "carried"
        assert await count(runtime) == 4
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await count(runtime) == 5
        assert await memories(runtime) == [("replayed 1 turn", None)]


async def test_more_turns_than_the_bound_are_not_run_and_that_is_said(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nreplay_turns = 3") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        for _ in range(4):
            await tell(runtime)
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await tell(runtime) == 1
        # from here on it remembers again
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 2)
        assert await tell(runtime) == 2
        assert await memories(runtime) == [
            ("fresh", "it has had more than 3 turns since"),
            ("replayed 1 turn", None),
        ]


@pytest.mark.parametrize("snapshots", [True, False])
async def test_retention_leaves_what_a_memory_is_made_from(tmp_path: Path, snapshots: bool) -> None:
    async with home(tmp_path, f"[journal]\nsnapshot_every = {2 if snapshots else 0}") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert [await count(runtime), await count(runtime)] == [1, 2]
        if snapshots:
            await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        assert await count(runtime) == 3
        await commit(runtime)
        second = await power_cut(runtime, tmp_path / "second")
        last = runtime.bus.last_seq
    remove(second, last)
    async with home(second) as runtime:
        assert await count(runtime) == 4
        assert [reason for _, reason in await memories(runtime, "revived")] == [None]


@pytest.mark.parametrize("snapshots", [True, False])
async def test_what_an_older_version_removed_cannot_be_run_again_and_that_is_said(
    tmp_path: Path, snapshots: bool
) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    async with home(first, f"[journal]\nsnapshot_every = {2 if snapshots else 0}") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert [await count(runtime), await count(runtime)] == [1, 2]
        if snapshots:
            await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        assert await count(runtime) == 3
        await commit(runtime)
        await power_cut(runtime, second)
        last = runtime.bus.last_seq
    remove(second, last, as_before=True)
    async with home(second) as runtime:
        assert await count(runtime) == (3 if snapshots else 1)
        ((memory, reason),) = await memories(runtime, "revived")
        assert memory == ("snapshot" if snapshots else "fresh")
        assert reason == f"the journal has removed what it did up to message {last}"
    async with home(second) as runtime:
        assert await count(runtime) == (4 if snapshots else 2)


async def test_an_agent_that_did_nothing_in_what_was_removed_remembers_all(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    async with home(first) as runtime:
        await runtime.engine.deploy(DeploymentRequest("idle", tally(), wat=True))
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        assert [await tell(runtime), await tell(runtime)] == [1, 2]
        await commit(runtime)
        last = runtime.bus.last_seq
        assert await tell(runtime, "idle") == 1
        await power_cut(runtime, second)
    remove(second, last)
    async with home(second) as runtime:
        assert await tell(runtime, "idle") == 2
        assert await tell(runtime, "c") == 3


async def test_a_turn_that_ends_otherwise_than_it_did_ends_the_replay_and_that_is_said(
    tmp_path: Path,
) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await tell(runtime)
        await ask(runtime, "c", TRAPS)
        assert await tell(runtime) == 2
    # as a guest would do it that is not deterministic after all
    db = sqlite3.connect(tmp_path / ".caxton" / "journal.db")
    db.execute("update turn set status = 0 where status = 2")
    db.commit()
    db.close()
    (tmp_path / ".caxton" / "journal.sums").unlink()
    async with home(tmp_path) as runtime:
        assert await tell(runtime) == 1
        ((memory, reason),) = await memories(runtime, "revived")
        assert memory == "fresh"
        assert "went well once and now ended: the guest trapped: unreachable" in reason


async def test_agents_of_a_dead_cell_come_back_each_with_its_own(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        names = [f"c{n}" for n in range(12)]
        await asyncio.gather(
            *(runtime.engine.deploy(DeploymentRequest(name, tally(), wat=True)) for name in names)
        )
        for turn, name in enumerate(names):
            for _ in range(turn):
                await tell(runtime, name)
        kill_cell(runtime)
        await reached(runtime, lambda: all(runtime.agents.view(name).restarts == 1 for name in names))
        assert [await tell(runtime, name) for name in names] == [turn + 1 for turn in range(12)]
