"""The command lines of the documentation, and a shell for them: pipes and files as in any, `caxton` in this process."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import platformdirs

from .command import ROOT, caxton, environment

PATIENCE_S = 60.0
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "agents-examples").glob("**/README.md"),
    ]
)
_BLOCK = re.compile(r"^```(?P<kind>\w*).*\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
_COMMENT = re.compile(r"\s+# .*$")


@dataclass(frozen=True, slots=True)
class Line:
    """One command line, and the page it stands on."""

    page: str
    text: str


def lines() -> Iterator[Line]:
    """All of them: in blocks of a shell, and after the prompt in others."""
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        for block in _BLOCK.finditer(page.read_text("utf-8")):
            text = block["text"].replace("\\\n", "")
            typed = (
                text.splitlines() if block["kind"] == "sh" else re.findall(r"^\$ (.*)$", text, re.MULTILINE)
            )
            yield from (Line(name, shown) for one in typed if (shown := _COMMENT.sub("", one).strip()))


class Shell:
    """Types lines, one after the other, beginning in a folder. What a line asks of a shell beyond pipes, files, `&&`
    and `cd` is for bash."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder = folder
        self._home = home
        programs = home / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "caxton").write_text(f'#!/bin/sh\nexec {sys.executable} -m caxton.cli "$@"\n')
        (programs / "caxton").chmod(0o755)
        cache = platformdirs.user_cache_path()
        self._surroundings = {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(cache),
            "EDITOR": str(programs / "editor"),
        }
        self._surroundings["PATH"] = f"{programs}:{Path(sys.executable).parent}:{environment()['PATH']}"
        (programs / "editor").write_text("#!/bin/sh\nsed -i 's/12/9/' $1\n")
        (programs / "editor").chmod(0o755)

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """The outcome of the line's last command, or of the first one that did not do what it was for."""
        if "$" in line:
            return self._program(["bash", "-ec", line], "")
        words = list(_words(line.replace("~/", f"{self._home}/")))
        stdin = ""
        done = subprocess.CompletedProcess(words, 0, "", "")
        for mark, part in _parts(words):
            if mark == ">":
                (self._folder / part[0]).write_text(stdin)
            elif part[0] == "cd":
                self._folder /= part[1]
            else:
                done = self._command(part, stdin if mark == "|" else "")
                if done.returncode:
                    return done
                stdin = done.stdout
        return done

    def start(self, line: str) -> Terminal:
        """Type a line that goes on until a key ends it, in a terminal of its own."""
        return Terminal(line, self._folder, environment(**self._surroundings, TERM="xterm-256color"))

    def _command(self, words: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
        if words[0] == "caxton":
            return caxton(*words[1:], cwd=self._folder, stdin=stdin, **self._surroundings)
        return self._program(words, stdin)

    def _program(self, words: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self._folder,
            env=environment(**self._surroundings),
            check=False,
        )


class Terminal:
    """A command line in a terminal of 120 by 40."""

    def __init__(self, line: str, folder: Path, surroundings: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, 120))
        self._process = subprocess.Popen(
            ["bash", "-c", line],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=surroundings,
            preexec_fn=_own_terminal,
        )
        os.close(theirs)
        self.shown = ""

    def until(self, pattern: str, within_s: float) -> None:
        """Read until this is shown, the command has ended, or it was waited for long enough."""
        end = time.monotonic() + within_s
        while re.search(pattern, self.shown) is None and time.monotonic() < end and (more := self._read(end)):
            self.shown += more

    def end(self, key: str) -> int:
        """Press the key that ends it; the exit code."""
        with suppress(OSError):
            os.write(self._ours, key.encode())
        end = time.monotonic() + PATIENCE_S
        while more := self._read(end):
            self.shown += more
        assert time.monotonic() < end, f"nothing ended it:\n{self.shown[-4000:]}"
        return self._process.wait(PATIENCE_S)

    def close(self) -> None:
        """End it, whatever it does."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._ours)

    def _read(self, end: float) -> str:
        """What comes next; nothing where nothing came until then, or the command has ended."""
        if not select.select([self._ours], [], [], max(0.0, end - time.monotonic()))[0]:
            return ""
        try:
            return os.read(self._ours, 65_536).decode("utf-8", "replace")
        except OSError:
            return ""


def _own_terminal() -> None:
    os.setsid()
    # whoever runs the tests in the background has it ignored
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _words(line: str) -> Iterator[str]:
    reader = shlex.shlex(line, posix=True, punctuation_chars="|&>")
    reader.whitespace_split = True
    yield from reader


def _parts(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Commands, each with the mark that stands before it."""
    mark = ""
    for is_mark, some in groupby(words, lambda word: word in ("|", "&&", ">")):
        if is_mark:
            (mark,) = some
        else:
            yield mark, list(some)
