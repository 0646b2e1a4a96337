"""A journal that is damaged, foreign, cut or gone: a start says so and touches nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path

import prefork
import pytest
from cli.command import caxton

from caxton.cli import daemon_process

from .running import Daemon

PROJECT = 'cells = 1\n[agents.echo]\nwasm = "echo.wasm"\n'
LOG = "journal.db-wal"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a history whose daemon was killed, so that its last rows are in the write-ahead log."""
    daemon = Daemon(tmp_path_factory.mktemp("killed") / "p", PROJECT)
    daemon.start()
    with daemon.client() as client:
        for number in count():
            last = client.send(
                {"receiver": "echo", "performative": "request", "content": number},
                wait_s=10,
                idempotency_key=f"key-{number}",
            ).seq
            # the mark beside the database follows at its own pace; what it does not know cannot be missed
            if number > 50 and int((daemon.state / "journal.head").read_text()) > last - 10:
                break
    daemon.kill()
    assert (daemon.state / LOG).stat().st_size > 50_000
    return daemon.folder


@pytest.fixture(scope="module")
def stopped(killed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same project, whose daemon was started again and stopped: everything is in the database."""
    folder = tmp_path_factory.mktemp("stopped") / "p"
    copy(killed, folder)
    daemon = Daemon(folder, PROJECT)
    daemon.start()
    assert daemon.stop() == 0
    return folder


def copy(project: Path, to: Path) -> None:
    """Everything but what only the dead daemon could use."""
    shutil.copytree(project, to, ignore=shutil.ignore_patterns("daemon.*"))


def garbage(state: Path) -> None:
    (state / "journal.db").write_bytes(b"this is no database " * 1000)


def empty(state: Path) -> None:
    (state / "journal.db").write_bytes(b"")


def half(state: Path) -> None:
    whole = (state / "journal.db").read_bytes()
    (state / "journal.db").write_bytes(whole[: len(whole) // 2])


def torn(state: Path) -> None:
    with (state / "journal.db").open("r+b") as file:
        file.seek(4096)
        file.write(bytes(range(256)) * 64)


def gone(state: Path) -> None:
    (state / "journal.db").unlink()


def foreign(state: Path) -> None:
    (state / "journal.db").unlink()
    db = sqlite3.connect(state / "journal.db")
    db.execute("create table recipes (name text)")
    db.commit()
    db.close()


def another(state: Path) -> None:
    (state / "journal.id").write_text("0" * 32 + "\n")


def log_gone(state: Path) -> None:
    (state / LOG).unlink()


def log_cut(state: Path) -> None:
    whole = (state / LOG).read_bytes()
    (state / LOG).write_bytes(whole[: len(whole) // 2])


def log_flipped(state: Path) -> None:
    whole = bytearray((state / LOG).read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    (state / LOG).write_bytes(whole)


@pytest.mark.parametrize(
    ("ended", "damage", "word"),
    [
        ("stopped", garbage, "is not a database"),
        ("stopped", empty, "is empty"),
        ("stopped", half, "is damaged"),
        ("stopped", torn, "is damaged"),
        ("stopped", gone, "is missing"),
        ("stopped", foreign, "of another program"),
        ("stopped", another, "belongs to another installation"),
        ("killed", log_gone, "has lost"),
        ("killed", log_cut, "has lost"),
        ("killed", log_flipped, "has lost"),
    ],
)
def test_a_start_refuses_it_with_path_and_remedy_and_touches_nothing(
    ended: str, damage: Callable[[Path], None], word: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = tmp_path / "p"
    copy(request.getfixturevalue(ended), folder)
    state = folder / ".caxton"
    damage(state)
    before = precious(state)

    daemon = prefork.Process(["--project", str(folder)], {**os.environ})
    with daemon.stderr:
        said = daemon.stderr.read()

    assert daemon.wait(30) == 1
    assert said.count("error: ") == 1
    assert str(state / "journal") in said
    assert word in said
    hint = said.partition("\nhint: ")[2]
    assert "backup" in hint or "Move that file" in hint or "write its id" in hint
    assert "Traceback" not in said
    assert precious(state) == before
    assert daemon_process.running(folder) is None
    assert not (state / "daemon.sock").exists()


def test_up_says_what_the_daemon_said(stopped: Path, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    copy(stopped, folder)
    half(folder / ".caxton")

    said = caxton("up", cwd=folder)

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.count("error: ") == said.stderr.count("hint: ") == 1
    assert str(folder / ".caxton" / "journal") in said.stderr
    assert "Traceback" not in said.stderr + (folder / ".caxton" / daemon_process.LOG).read_text()
    assert daemon_process.running(folder) is None


def test_an_undamaged_copy_goes_on_with_its_history(killed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    copy(killed, folder)
    daemon = Daemon(folder, PROJECT)
    daemon.start()
    with daemon.client() as client:
        again = client.send(
            {"receiver": "echo", "performative": "request", "content": 7}, wait_s=10, idempotency_key="key-7"
        )
        assert [row.message.content for row in again.replies] == [7]
    assert daemon.stop() == 0


def precious(state: Path) -> dict[str, bytes]:
    """What must not change: the database, its log and the marks beside it; an empty log is none."""
    names = ("journal.db", "journal.id", "journal.head", LOG)
    found = {name: (state / name).read_bytes() for name in names if (state / name).exists()}
    return {name: content for name, content in found.items() if content or name != LOG}
