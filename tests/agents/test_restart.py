"""What the next start of the daemon brings back: agents, builds, states, and what was not finished."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from caxton.deploy import DeploymentRequest
from caxton.limits import Limits

from .systems import (
    COUNTER,
    COUNTER_2,
    ECHO,
    answers,
    ask,
    commit,
    count,
    events,
    home,
    letters,
    link_of,
    power_cut,
    reached,
)

KEPT = ("name", "desired", "revision", "profile", "limits", "settings", "hooks", "created_us", "restarts")


async def test_agents_come_back_as_they_were(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(
            DeploymentRequest("c", COUNTER, settings={"a": [1]}, limits=Limits(mailbox=9))
        )
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER_2))
        await runtime.engine.deploy(DeploymentRequest("s", ECHO, profile="strict"))
        await count(runtime, add=41)
        await runtime.agents.stop("s")
        before = runtime.agents.views()
        numbers = {name: record.number for name, record in runtime.agents.registry.agents.items()}
        await commit(runtime)
        deployments = [row.id for row in await runtime.journal.reader.deployments()]
    async with home(tmp_path) as runtime:
        after = runtime.agents.views()
        for old, new in zip(before, after, strict=True):
            kept = [name for name in KEPT if name != "hooks" or old.desired == "running"]
            assert {name: getattr(new, name) for name in kept} == {name: getattr(old, name) for name in kept}
        assert [view.state for view in after] == ["running", "loaded"]
        assert {name: record.number for name, record in runtime.agents.registry.agents.items()} == numbers
        assert await count(runtime) == 42
        assert (await ask(runtime, "s"))["content"]["error"] == "agent_stopped"
        await runtime.agents.start("s")
        assert (await ask(runtime, "s", [2]))["content"] == [2]
        await runtime.engine.deploy(DeploymentRequest("n", ECHO))
        assert runtime.agents.registry.find("n").number == max(numbers.values()) + 1
        await commit(runtime)
        assert [row.id for row in await runtime.journal.reader.deployments()][1:] == deployments
        revisions = await runtime.journal.reader.revisions()
        assert len(revisions) == 4, "echo twice: once a profile"


async def test_a_power_cut_loses_nothing_that_was_said(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    async with home(first, "[journal]\nsnapshot_every = 3") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        for _ in range(3):
            await count(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        link_of(runtime).room = 0
        seqs = [runtime.bus.submit({"performative": "request", "receiver": "c"}).seq for _ in range(4)]
        await power_cut(runtime, second)
        link_of(runtime).room = 100
    async with home(second) as runtime:
        # the state after the third turn, and what had no turn yet
        assert await count(runtime) == 8
        said = await answers(runtime)
        assert [said[seq][0]["content"]["count"] for seq in seqs] == [4, 5, 6, 7]
        assert all(len(said[seq]) == 1 for seq in seqs)
        turns = {turn.seq: turn.status for turn in await runtime.journal.reader.turns(agent="c@local")}
        assert [turns[seq] for seq in seqs] == [256] * 4
        assert {"what": "redelivered", "count": 4} in await events(runtime, "daemon")
        assert await letters(runtime) == []
        last = runtime.bus.last_seq
    async with home(second) as runtime:
        assert runtime.bus.counts.redelivered == 0
        assert runtime.bus.last_seq > last


async def test_the_low_water_mark_is_written_when_the_daemon_ends(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(runtime)
        await commit(runtime)
        last = runtime.bus.last_seq
    async with home(tmp_path) as runtime:
        assert (await runtime.journal.reader.stats()).low_water >= last


async def test_a_module_that_the_cache_has_lost_is_compiled_again(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(runtime)
        state = runtime.project.state
    for path in (state / "modules").rglob("*.cwasm"):
        path.unlink()
    async with home(tmp_path) as runtime:
        assert await count(runtime) == 2


async def test_an_agent_whose_module_is_lost_altogether_fails_and_keeps_nobody_from_starting(
    tmp_path: Path,
) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await runtime.engine.deploy(DeploymentRequest("e", ECHO))
        lost = runtime.agents.view("c").revision
        assert lost is not None
        state = runtime.project.state
    for path in (state / "modules").rglob(f"*{lost[:16]}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    async with home(tmp_path) as runtime:
        assert [view.state for view in runtime.agents.views()] == ["failed", "running"]
        assert (await ask(runtime, "c"))["content"]["error"] == "agent_failed"
        assert (await ask(runtime, "e", 1))["content"] == 1
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert runtime.agents.view("c").state == "running"
        assert await count(runtime) == 1


async def test_what_is_told_of_an_agent_can_be_read_by_anybody(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        view = runtime.agents.view("c")
        assert msgspec.json.decode(msgspec.json.encode(view), type=type(view)) == view


async def test_a_project_folder_that_was_renamed_is_the_same_project(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    async with home(before) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await runtime.engine.deploy(DeploymentRequest("c2", COUNTER_2))
        assert await count(runtime, add=41) == 41
    before.rename(after)
    async with home(after) as runtime:
        assert await count(runtime) == 42
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER_2))
        assert await count(runtime, "c2") == 1
    assert not before.exists()
