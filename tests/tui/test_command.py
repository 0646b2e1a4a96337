"""`caxton tui` and `caxton demo` as a person runs them, on a real terminal and without one."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.command import caxton, environment

from .harness import empty

pytestmark = pytest.mark.system


@pytest.fixture
def home() -> Generator[Path]:
    """A temporary folder with a short name: sockets live in it."""
    with tempfile.TemporaryDirectory(prefix="cx") as folder:
        yield Path(folder)


class Terminal:
    """A command on a terminal of 100×30."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.seen = b""
        self._master = master

    def read(self, until: bytes = b"") -> bytes:
        """What it writes until it writes that, or until it ends."""
        while not until or until not in self.seen:
            try:
                said = os.read(self._master, 65536)
            except OSError:
                # how Linux says that nobody is left at the other end
                said = b""
            if not said:
                assert not until, self.seen.decode(errors="replace")[-3000:]
                break
            self.seen += said
        return self.seen

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def vanish(self) -> None:
        """Nobody is at the other end any more; as it is nobody's own terminal, no signal says so."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1


@contextmanager
def terminal(*words: str | Path, **more: str) -> Generator[Terminal]:
    """Run `caxton WORDS` there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    command = [sys.executable, "-m", "caxton.cli", *map(str, words)]
    known = environment(TERM="xterm-256color", **more)
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=known, start_new_session=True
    ) as one:
        os.close(slave)
        made = Terminal(one, master)
        try:
            yield made
        finally:
            if one.poll() is None:
                one.kill()
            made.vanish()


def test_without_a_daemon_it_says_how_to_start_one(home: Path) -> None:
    said = caxton("-p", empty(home / "p"), "tui")
    assert said.returncode == 4
    assert "hint: start it with: caxton up" in said.stderr


def test_q_leaves_and_the_daemon_goes_on_and_without_a_terminal_there_is_a_hint(home: Path) -> None:
    folder = empty(home / "p")
    assert caxton("-p", folder, "up").returncode == 0
    try:
        said = caxton("-p", folder, "tui")
        assert said.returncode == 2
        assert "caxton msg tail" in said.stderr
        with terminal("-p", folder, "tui") as one:
            one.read(b"live")
            one.type(b"q")
            one.read()
            assert one.process.wait(30) == 0
        with terminal("-p", folder, "tui") as one:
            one.read(b"live")
            one.process.send_signal(signal.SIGTERM)
            # back from the other screen, as a terminal must be left
            assert b"\x1b[?1049l" in one.read()
            assert one.process.wait(30) == 128 + signal.SIGTERM
        assert caxton("-p", folder, "status").returncode == 0
    finally:
        assert caxton("-p", folder, "down").returncode == 0


def test_it_ends_with_its_terminal(home: Path) -> None:
    folder = empty(home / "p")
    assert caxton("-p", folder, "up").returncode == 0
    try:
        with terminal("-p", folder, "tui") as one:
            one.read(b"live")
            one.vanish()
            assert one.process.wait(30) == 128 + signal.SIGHUP
        assert caxton("-p", folder, "status").returncode == 0
    finally:
        assert caxton("-p", folder, "down").returncode == 0


def test_settings_that_are_wrong_are_one_error_and_no_traceback(home: Path) -> None:
    (home / "tui.toml").write_text('theme = "pink"\n')
    wrong = {"CAXTON_TUI_CONFIG": str(home / "tui.toml")}
    with terminal("demo", "--rounds", "1", "--seconds", "7", TMPDIR=str(home), **wrong) as one:
        said = one.read()
        assert one.process.wait(30) == 2
    assert b"there is no theme 'pink'" in said
    assert b"textual-light" in said
    assert b"Traceback" not in said


def test_the_demo_opens_it_and_ends_by_itself(home: Path) -> None:
    with terminal("demo", "--rounds", "1", "--seconds", "15", TMPDIR=str(home)) as one:
        said = one.read()
        assert one.process.wait(30) == 0, said[-3000:]
    assert b"Conversations" in said
    assert b"The market in numbers" in said
    assert b"1 of 1 bought" in said
    assert b"calls for proposals" in said, "it says what one sees"
    assert b"No daemon answers" not in said
    assert b"caxton new counter" in said
    assert not list(home.iterdir())


@pytest.mark.long
def test_q_ends_the_demo_early_and_nothing_stays(home: Path) -> None:
    with terminal("demo", "--stay", "--rounds", "50", TMPDIR=str(home)) as one:
        one.read(b"propose")
        one.type(b"q")
        one.read()
        assert one.process.wait(30) == 0
    assert not list(home.iterdir())


@pytest.mark.long
def test_the_demo_can_be_printed_in_a_terminal_too(home: Path) -> None:
    with terminal("demo", "--stream", "--rounds", "1", "--seconds", "60", TMPDIR=str(home)) as one:
        said = one.read()
        assert one.process.wait(30) == 0
    assert b"\x1b[?1049h" not in said
    assert b"The market in numbers" in said
