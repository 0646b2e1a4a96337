"""Break points and held messages on the command line, with a real daemon that is also killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agents.systems import tally

from caxton.cli import daemon_process
from caxton.client import Client
from caxton.daemon_socket import socket_path
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import plain

from .command import caxton

pytestmark = pytest.mark.system


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "tally.wat").write_bytes(tally())
    (tmp_path / "caxton.toml").write_text('cells = 1\n[agents.tally]\nwasm = "tally.wat"\n')
    try:
        assert caxton("up", cwd=tmp_path).returncode == 0
        yield tmp_path
        assert caxton("down", cwd=tmp_path).returncode == 0
    finally:
        daemon_process.kill(tmp_path)


def listed(project: Path, *words: str) -> list[dict[str, Any]]:
    said = caxton("break", *words, "-o", "json", cwd=project)
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def ask(client: Client, content: object, conversation: str) -> int:
    """The tally is asked for something; the number of the message."""
    message = {"performative": "request", "receiver": "tally", "content": content}
    answer = client.send({**message, "conversation_id": conversation})
    assert answer.held
    return int(answer.seq)


def test_held_through_a_kill_changed_delayed_dropped_and_let_go(project: Path) -> None:
    path = socket_path(project / ".caxton")
    said = caxton("break", "add", "to:tally", "--name", "mine", cwd=project)
    assert (said.returncode, said.stderr) == (0, "b1 holds to:tally; see: caxton break held\n")
    with Client(path, 30.0) as client:
        seqs = [ask(client, text, f"talk-{text}") for text in ("one", "two", "three")]
        pid = client.status().pid
        assert plain(client.status().held) == {"messages": 3, "break_points": 1}
        assert client.send({"performative": "inform", "receiver": "nobody"}).held is False
    os.kill(pid, signal.SIGKILL)
    assert daemon_process.wait_gone(project, 10.0)
    assert caxton("up", cwd=project).returncode == 0
    assert [(one["id"], one["name"], one["held"]) for one in listed(project, "list")] == [("b1", "mine", 3)]
    assert [one["seq"] for one in listed(project, "held")] == seqs
    assert "3 messages held, 1 break point" in caxton("status", cwd=project).stdout

    assert caxton("break", "edit", str(seqs[0]), "--content", '"changed"', cwd=project).returncode == 0
    said = caxton("break", "release", str(seqs[0]), cwd=project)
    assert said.returncode == 0, said.stderr
    said = caxton("break", "release", str(seqs[0]), cwd=project)
    assert said.returncode == 2
    assert f"message {seqs[0]} was released already" in said.stderr
    shown = caxton("break", "show", str(seqs[0]), cwd=project).stdout
    assert '"changed"' in shown
    assert '"one"' in shown
    (row,) = [one for one in listed_messages(project, "talk-one") if one.held]
    assert (row.held.seq, row.held.edited, row.message.content) == (
        seqs[0],
        True,
        "changed",
    )

    assert caxton("break", "drop", "--next", cwd=project).returncode == 0
    (failure,) = [
        one.message for one in listed_messages(project, "talk-two") if one.message.performative == "failure"
    ]
    assert failure.content["reason"] == "dropped by the operator"
    assert caxton("break", "delay", str(seqs[2]), "1h", cwd=project).returncode == 0
    said = caxton("break", "rm", "mine", "--release", cwd=project)
    assert (said.returncode, said.stderr) == (0, "b1 gone, 1 message released\n")
    assert listed(project, "held") == []
    with Client(path, 30.0) as client:
        assert plain(client.status().held) == {"messages": 0, "break_points": 0}
        assert client.send({"performative": "request", "receiver": "tally"}, wait_s=10).replies
    assert caxton("check", cwd=project).returncode == 0


def listed_messages(project: Path, conversation: str) -> list[MessageBody]:
    with Client(socket_path(project / ".caxton"), 30.0) as client:
        return client.conversation(conversation).items


def test_an_editor_changes_it(project: Path) -> None:
    editor = project / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/"one"/"by hand"/\' "$1"\n')
    editor.chmod(0o755)
    caxton("break", "add", "to:tally", "--once", cwd=project)
    with Client(socket_path(project / ".caxton"), 30.0) as client:
        seq = ask(client, "one", "talk")
        said = caxton("break", "edit", str(seq), "--editor", cwd=project, VISUAL=str(editor))
        assert said.returncode == 0, said.stderr
        (held,) = client.held()
        assert held.message.content == "by hand"
        said = caxton("break", "edit", str(seq), "--editor", cwd=project, VISUAL="/nonexistent/editor")
        assert said.returncode == 2
        assert "cannot be run" in said.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["add", "state:open"], "state: holds no message"),
        (["add", "to:a", "--once", "--count", "2"], "contradict each other"),
        (["rm"], "name one break point, or say --all"),
        (["rm", "b9"], "there is no break point 'b9'"),
        (["release"], "name one message"),
        (["release", "7", "--all"], "name one message"),
        (["release", "99999"], "no message 99999 is held"),
        (["edit", "99999"], "nothing is changed"),
        (["show", "99999"], "no message 99999 is held"),
    ],
)
def test_a_mistake_is_one_sentence_with_a_remedy(shared: Path, words: list[str], error: str) -> None:
    said = caxton("break", *words, cwd=shared)
    assert said.returncode == 2
    assert error in said.stderr
    assert "hint:" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("breaks")
    (folder / "caxton.toml").write_text("cells = 1\n")
    try:
        assert caxton("up", cwd=folder).returncode == 0
        yield folder
        assert caxton("down", cwd=folder).returncode == 0
    finally:
        daemon_process.kill(folder)
