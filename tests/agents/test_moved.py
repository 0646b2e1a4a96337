"""A project whose folder is renamed while its daemon runs: it goes on, and nothing is made in the old place."""

from __future__ import annotations

from pathlib import Path

from caxton.deploy import DeploymentRequest
from caxton.disk import MovableFolder
from caxton.journal.integrity.verify import verify

from .systems import COUNTER, COUNTER_2, count, home, kill_cell, letters, reached


async def test_builds_memories_and_readers_go_on_in_the_new_place(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    async with home(before, "[journal]\nsnapshot_every = 0") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert await count(runtime) == 1
        before.rename(after)
        before.mkdir()
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER_2))
        told = await count(runtime)
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await count(runtime) > told
        assert await letters(runtime) == []
        assert runtime.journal.path == after / ".caxton" / "journal.db"
    assert list(before.iterdir()) == []
    async with home(after) as runtime:
        assert await count(runtime) > told
    assert not verify(after / ".caxton", lambda *_: None).findings


def test_a_folder_is_where_it_is_now(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    place = MovableFolder(folder)
    assert place.path == folder, "it is not there yet"
    folder.mkdir()
    assert place.path == folder
    folder.rename(elsewhere)
    assert place.path == elsewhere
    folder.mkdir()
    assert place.path == elsewhere, "another folder has its old name"
    elsewhere.rmdir()
    assert place.path == elsewhere
