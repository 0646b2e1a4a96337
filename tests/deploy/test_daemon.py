"""Deployments through the front door: the command line, undo, and a daemon that is killed in the middle."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from agents.systems import COUNTER, COUNTER_2, commit, count, home
from cli.command import caxton
from flow.running import Daemon, running

from caxton.client import Client
from caxton.deploy import DeploymentRequest
from caxton.errors import CaxtonError, DeploymentNotFound, InvalidState, Unreachable
from caxton.journal import DeploymentRow
from caxton.schemas.deployments import DeploymentBody
from caxton.schemas.messages import SubmittedBody


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    folder = tmp_path / "p"
    with running(folder, "cells = 1\n") as one:
        (folder / "counter2.wasm").write_bytes(COUNTER_2)
        yield one


def add(client: Client, agent: str = "c") -> int:
    said = client.send({"receiver": agent, "performative": "request", "content": {}}, wait_s=10)
    return int(said.replies[0].message.content["count"])


def test_a_kill_in_the_probation_leaves_the_old_revision(daemon: Daemon) -> None:
    with daemon.client() as client:
        first = client.deploy("c", COUNTER)
        assert add(client) == 1
    ended: list[CaxtonError | DeploymentBody] = []

    def deploy() -> None:
        try:
            with daemon.client(60) as other:
                ended.append(
                    other.deploy("c", COUNTER_2, strategy="blue-green", probation_turns=1000, probation_s=600)
                )
        except CaxtonError as error:
            ended.append(error)

    with daemon.client() as client:
        asker = threading.Thread(target=deploy)
        with closing(client.events(after=0, kinds=["deployment"])) as stream:
            asker.start()
            assert any(event.data["state"] == "deploying" for event in stream)
        assert [add(client), add(client)] == [2, 3]
    daemon.kill()
    asker.join(30)
    assert isinstance(ended[0], Unreachable)
    daemon.start()
    with daemon.client() as client:
        rows = client.deployments(agent="c")
        assert [(row.state, row.reason) for row in rows] == [
            ("rolled_back", "the daemon stopped"),
            ("running", None),
        ]
        assert client.agent("c").revision == first.revision
        # what the new one answered stays answered, and the old one has learned of it
        assert add(client) == 4


def test_deploying_and_undoing_on_the_command_line(daemon: Daemon) -> None:
    at = daemon.folder

    def deploy(*words: str, code: int = 0) -> str:
        said = caxton("agent", "deploy", *words, cwd=at)
        assert said.returncode == code, said.stderr
        return said.stderr

    assert "state" not in deploy("counter.wasm", "--name", "c", "--settings", '{"a": 1}')
    with daemon.client() as client:
        assert add(client) == 1
    assert "already: unchanged" in deploy("c", "counter.wasm")
    assert "state carried" in deploy("c", "counter2.wasm", "--settings", '{"a": 2}')
    assert "state fresh (a fresh state was asked for)" in deploy("c", "counter2.wasm", "--fresh-state")
    assert "one name and one module" in deploy("c", "counter.wasm", "--name", "c", code=2)
    assert "one name and one module" in deploy("counter.wasm", code=2)
    with daemon.client() as client:
        assert add(client) == 1
        # the newest that can be undone kept the revision: undoing it changes nothing
        said = caxton("deploy", "rollback", "c", cwd=at)
        assert said.returncode == 0, said.stderr
        assert "unchanged" in said.stderr
        rows = client.deployments(agent="c")
        moved = next(row for row in rows if row.revision != row.previous and row.previous)
        said = caxton("deploy", "rollback", moved.id, "-o", "json", cwd=at)
        assert said.returncode == 0, said.stderr
        undone = json.loads(said.stdout)
        assert (undone["state"], undone["revision"], undone["memory"]) == (
            "running",
            moved.previous,
            "carried",
        )
        view = client.agent("c")
        assert (view.revision, view.settings) == (moved.previous, {"a": 1})
        assert add(client) == 2
        # and without a name: the project's newest
        assert caxton("deploy", "rollback", cwd=at).returncode == 0
        assert client.agent("c").settings == {"a": 2}
    said = caxton("deploy", "rollback", moved.id, cwd=at)
    assert said.returncode == 0, "the agent runs again what that deployment brought"


def test_a_revision_that_fails_its_probation_is_exit_code_5(daemon: Daemon) -> None:
    text = (daemon.folder / "slow.wat").read_text()
    trap = re.sub(
        r'(\(func \(export "handle_message"\)[^\n]*\n)(\s*\(local[^\n]*\n)+', r"\g<0>(unreachable)\n", text
    )
    assert trap != text
    (daemon.folder / "trap.wat").write_text(trap)
    with daemon.client() as client:
        client.deploy("e", (daemon.folder / "echo.wasm").read_bytes())
        said: list[SubmittedBody] = []

        def ask() -> None:
            with daemon.client() as other, closing(other.events(after=0, kinds=["deployment"])) as stream:
                if any(event.data["state"] == "deploying" for event in stream):
                    said.append(
                        client.send({"receiver": "e", "performative": "request", "content": 7}, wait_s=20)
                    )

        asker = threading.Thread(target=ask)
        asker.start()
        done = caxton(
            "agent",
            "deploy",
            "trap.wat",
            "--name",
            "e",
            "--strategy",
            "blue-green",
            "--no-probe",
            cwd=daemon.folder,
        )
        asker.join(30)
        assert done.returncode == 5, done.stderr
        assert "unreachable" in done.stderr
        assert said[0].replies[0].message.content == 7
        assert client.deployments(agent="e")[0].state == "rolled_back"
        assert client.dead_letters() == []


def test_what_cannot_be_undone(daemon: Daemon) -> None:
    with daemon.client() as client:
        first = client.deploy("c", COUNTER)
        with pytest.raises(InvalidState, match="first revision"):
            client.rollback(first.id)
        second = client.deploy("c", COUNTER_2)
        client.deploy("c", COUNTER)
        with pytest.raises(InvalidState, match="moved on"):
            client.rollback(second.id)
        with pytest.raises(DeploymentNotFound):
            client.rollback("d-0")
        client.remove_agent("c")
        with pytest.raises(InvalidState, match="not there any more"):
            client.rollback(second.id)
    said = caxton("deploy", "rollback", "nobody", cwd=daemon.folder)
    assert said.returncode == 5


async def test_every_row_that_was_under_way_is_ended_at_the_start(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        number = runtime.agents.registry.find("c").number
        for state in ("validating", "deploying", "draining", "running", "failed"):
            row = DeploymentRow(f"d-{state}", number, 1, 1, "blue-green", state, None, 1, 1)
            runtime.journal.batch.records.append(row)
        await commit(runtime)
    async with home(tmp_path) as runtime:
        await commit(runtime)
        rows = {row.id: (row.state, row.reason) for row in await runtime.journal.reader.deployments()}
        assert {id: row for id, row in rows.items() if len(id) < 14} == {
            "d-validating": ("failed", "the daemon stopped"),
            "d-deploying": ("rolled_back", "the daemon stopped"),
            "d-draining": ("running", None),
            "d-running": ("running", None),
            "d-failed": ("failed", None),
        }
        assert await count(runtime) == 1
