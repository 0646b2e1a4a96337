"""The move to another revision: between two turns, with the state, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from agents.systems import (
    COUNTER,
    COUNTER_2,
    ECHO,
    answers,
    ask,
    commit,
    count,
    events,
    guest,
    home,
    instances,
    letters,
    link_of,
    power_cut,
)

from caxton.deploy import ConfiguredBuilds, DeploymentRequest
from caxton.errors import (
    AgentNotFound,
    CaxtonError,
    DeploymentError,
    InvalidModule,
    InvalidState,
    MailboxFull,
)
from caxton.limits import Limits


async def test_the_state_is_carried_to_the_next_revision(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert (first.state, first.previous, first.memory) == ("running", None, None)
        assert [await count(runtime) for _ in range(3)] == [1, 2, 3]
        second = await runtime.engine.deploy(DeploymentRequest("c", COUNTER_2))
        assert second.previous == first.revision != second.revision
        assert (second.state, second.memory) == ("running", "carried")
        assert second.timings is not None
        assert 0 < second.timings.pause_us < 1_000_000
        assert await count(runtime) == 4
        assert await instances(runtime) == 1, "the old one is gone"
        turns = await runtime.journal.reader.turns(agent="c@local")
        assert [turn.revision_no for turn in turns] == [1, 1, 1, 2]
        await commit(runtime)
        rows = await runtime.journal.reader.deployments()
        assert [(row.state, row.revision_no, row.previous_no) for row in rows] == [
            ("running", 2, 1),
            ("running", 1, None),
        ]
        assert second.id > first.id
        told = await events(runtime, "deployment")
        assert [(one["id"], one["memory"]) for one in told] == [(first.id, None), (second.id, "carried")]


async def test_no_message_is_lost_or_overtaken_while_revisions_change(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER, limits=Limits(mailbox=100_000)))
        told = []

        def say(many: int) -> None:
            for _ in range(many):
                told.append(runtime.bus.submit({"performative": "request", "receiver": "c"}))

        for number in range(6):
            say(40)
            change = asyncio.ensure_future(
                runtime.engine.deploy(DeploymentRequest("c", (COUNTER_2, COUNTER)[number % 2]))
            )
            while not change.done():
                say(1)
                await asyncio.sleep(0)
            assert (await change).memory == "carried"
        last = await count(runtime)
        said = await answers(runtime)
        assert [said[one.seq][0]["content"]["count"] for one in told] == list(range(1, last))
        assert last == len(told) + 1
        assert await letters(runtime) == []


async def test_a_build_that_cannot_take_the_state_begins_fresh(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER, recover="snapshot"))
        await count(runtime)
        moved = await runtime.engine.deploy(DeploymentRequest("c", ECHO, recover="snapshot"))
        assert (moved.memory, moved.memory_reason) == ("fresh", "the new revision has no caxton_restore")
        assert (await ask(runtime, "c", [1]))["content"] == [1]
        moved = await runtime.engine.deploy(DeploymentRequest("c", COUNTER, recover="snapshot"))
        assert (moved.memory, moved.memory_reason) == ("fresh", "the old revision has no caxton_snapshot")
        assert await count(runtime) == 1


async def test_who_begins_fresh_does_not_get_the_old_state_after_a_power_cut(tmp_path: Path) -> None:
    home_1, home_2 = tmp_path / "1", tmp_path / "2"
    home_1.mkdir()
    async with home(home_1, "[journal]\nsnapshot_every = 1") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", guest(), wat=True))
        await count(runtime)
        await count(runtime)
        # a rebuild that wants nothing of the old one
        await runtime.engine.deploy(DeploymentRequest("c", guest(tag="two"), wat=True, recover="fresh"))
        await runtime.engine.deploy(DeploymentRequest("c", guest(tag="three"), wat=True, recover="snapshot"))
        await power_cut(runtime, home_2)
    async with home(home_2) as runtime:
        assert await count(runtime) == 1


BAD: dict[str, tuple[bytes, dict[str, Any], type[CaxtonError]]] = {
    "no module": (b"(module", {"wat": True}, InvalidModule),
    "no wasm": (b"\0asm\1\0\0\0 nonsense", {}, InvalidModule),
    "an import": (b'(module (import "env" "open" (func)))', {"wat": True}, InvalidModule),
    "no exports": (b"(module)", {"wat": True}, InvalidModule),
    "init traps": (guest(init="unreachable"), {"wat": True}, DeploymentError),
    "init refuses": (guest(init="(return (i32.const -3))"), {"wat": True}, DeploymentError),
    "init loops": (guest(init="(loop $on (br $on))"), {"wat": True}, DeploymentError),
    "restore traps": (guest(restore="unreachable"), {"wat": True}, DeploymentError),
    "restore refuses": (guest(restore="(return (i32.const -2))"), {"wat": True}, DeploymentError),
}


@pytest.mark.parametrize("bad", BAD)
async def test_a_revision_that_does_not_work_leaves_the_old_one_running(tmp_path: Path, bad: str) -> None:
    wasm, options, error = BAD[bad]
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", guest(), wat=True))
        assert await count(runtime) == 1
        before = runtime.agents.view("c")
        with pytest.raises(error) as caught:
            await runtime.engine.deploy(DeploymentRequest("c", wasm, **options))
        assert caught.value.message
        view = runtime.agents.view("c")
        assert (view.state, view.revision, view.settings) == ("running", before.revision, {})
        assert await count(runtime) == 2, "with its state"
        assert await instances(runtime) == 1
        await commit(runtime)
        rows = await runtime.journal.reader.deployments()
        if error is DeploymentError:
            assert [row.state for row in rows] == ["failed", "running"]
            assert rows[0].reason == caught.value.message
            assert (await events(runtime, "deployment"))[-1]["state"] == "failed"
        else:
            assert [row.state for row in rows] == ["failed", "running"]
            assert rows[0].reason == f"the static check failed: {caught.value.message}"
        # nothing stays claimed: the next build is taken
        moved = await runtime.engine.deploy(DeploymentRequest("c", guest(tag="good"), wat=True))
        assert moved.memory == "carried"
        assert await count(runtime) == 3


@pytest.mark.parametrize(
    ("snapshot", "left"),
    [("(return (i32.const -1))", 2), ("unreachable", 2)],
    ids=["refuses", "traps"],
)
async def test_an_old_revision_that_does_not_give_its_state_goes_on(
    tmp_path: Path, snapshot: str, left: int
) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", guest(snapshot=snapshot), wat=True))
        assert await count(runtime) == 1
        with pytest.raises(DeploymentError, match="did not take over the state"):
            await runtime.engine.deploy(DeploymentRequest("c", guest(tag="two"), wat=True))
        # one that trapped has lost its instance, and is started again as after any trap
        assert await count(runtime) == left
        assert runtime.agents.view("c").revision == first.revision
        assert await instances(runtime) == 1


@pytest.mark.parametrize("bad", ["init traps", "init refuses", "no exports"])
async def test_a_new_agent_that_does_not_work_is_not_there(tmp_path: Path, bad: str) -> None:
    wasm, options, error = BAD[bad]
    async with home(tmp_path) as runtime:
        with pytest.raises(error):
            await runtime.engine.deploy(DeploymentRequest("c", wasm, **options))
        with pytest.raises(AgentNotFound):
            runtime.agents.view("c")
        assert (await ask(runtime, "c"))["content"]["error"] == "unknown_agent"
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert await count(runtime) == 1
    async with home(tmp_path) as runtime:
        assert [view.name for view in runtime.agents.views()] == ["c"]


async def test_one_change_at_a_time(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        agents = runtime.agents
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        change = asyncio.ensure_future(runtime.engine.deploy(DeploymentRequest("c", COUNTER_2)))
        await asyncio.sleep(0)
        for other in (
            runtime.engine.deploy(DeploymentRequest("c", ECHO)),
            agents.stop("c"),
            agents.remove("c"),
        ):
            with pytest.raises(InvalidState, match="something else is changing it"):
                await other
        assert (await change).state == "running"
        assert (await agents.stop("c")).state == "loaded"


async def test_two_first_deployments_of_one_name_make_one_agent(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        results = await asyncio.gather(
            *(runtime.engine.deploy(DeploymentRequest("c", guest(tag=f"t{n}"), wat=True)) for n in range(4)),
            return_exceptions=True,
        )
        made = [one for one in results if not isinstance(one, BaseException)]
        assert made
        assert all(isinstance(one, InvalidState) for one in results if isinstance(one, BaseException))
        assert runtime.agents.view("c").revision == max(made, key=lambda one: one.id).revision
        assert await instances(runtime) == 1
        assert await count(runtime) == 1
        assert (await runtime.engine.deploy(DeploymentRequest("c", guest(), wat=True))).memory == "carried"


async def test_settings_and_limits_come_with_a_deployment_and_stay(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        limits = Limits(mailbox=7, wall_ms=500)
        await runtime.engine.deploy(
            DeploymentRequest("c", COUNTER, settings={"a": 1}, limits=limits, profile="strict")
        )
        view = runtime.agents.view("c")
        assert (view.settings, view.limits, view.profile) == ({"a": 1}, limits, "strict")
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER_2))
        view = runtime.agents.view("c")
        assert (view.settings, view.limits, view.profile) == ({"a": 1}, limits, "standard")
        link_of(runtime).room = 0
        for _ in range(7):
            runtime.bus.submit({"performative": "request", "receiver": "c"})
        with pytest.raises(MailboxFull):
            runtime.bus.submit({"performative": "request", "receiver": "c"})
        link_of(runtime).room = 100
        runtime.bus.settle()


async def test_a_stopped_agent_is_started_by_a_deployment_and_has_its_state(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(runtime, add=5)
        await runtime.agents.stop("c")
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER_2))
        assert runtime.agents.view("c").state == "running"
        assert await count(runtime) == 6


async def test_a_strategy_that_there_is_not(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        with pytest.raises(DeploymentError, match="rolling"):
            await runtime.engine.deploy(DeploymentRequest("c", COUNTER, strategy="rolling"))


async def test_what_is_so_already_is_not_brought_again(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER, settings={"a": 1}))
        record = runtime.agents.registry.find("c@local")
        builds = ConfiguredBuilds(runtime.engine, runtime.agents, runtime.compiler, runtime.journal.reader)
        told = DeploymentRequest(
            "c", COUNTER, settings={"a": 1}, limits=record.config.limits, configured=True
        )
        assert not await builds.apply(told, file="c.wasm")
        await commit(runtime)
        assert len(await runtime.journal.reader.deployments()) == 1
        changes: tuple[dict[str, Any], ...] = (
            {"settings": {}},
            {"limits": Limits(mailbox=3)},
            {"recover": "snapshot"},
        )
        for change in changes:
            other = replace(told, **change)
            assert await builds.apply(other, file="c.wasm")
            assert record.config == other.config(record.config)
        other = replace(other, wasm=COUNTER_2)
        assert await builds.apply(other, file="c.wasm")
        assert runtime.agents.view("c").revision == hashlib.sha256(COUNTER_2).hexdigest()
        assert not await builds.apply(other, file="c.wasm")
