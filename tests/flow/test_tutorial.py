"""The tutorial, as a new user follows it: every file saved, every command run, every answer compared."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli.command import environment

from caxton.cli import daemon_process

pytestmark = [pytest.mark.system, pytest.mark.long]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(?P<head>.*)\n(?P<body>(?:.*\n)*?)```$|^<!-- (?P<key>Ctrl-C) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A block of the page: what kind, its words after that, its text."""

    kind: str
    words: list[str]
    text: str


def steps() -> Iterator[Step]:
    for found in BLOCK.finditer(PAGE.read_text("utf-8")):
        if found["key"]:
            yield Step("Ctrl-C", [], "")
        else:
            kind, *words = found["head"].split()
            yield Step(kind, words, found["body"])


def masked(line: str) -> str:
    """The line without what differs from time to time: hashes, ids, times, and the room between columns."""
    line = re.sub(r"\b\d\d:\d\d:\d\d\b", "TIME", line)
    line = re.sub(
        r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\bc-[0-9a-f]+\b|\b[0-9a-f]{8}\b", "ID", line
    )
    line = re.sub(r"\b[\d.]+ (?:µs|ms|s)\b", "SPAN", line)
    line = line.replace("compile SPAN", "COMPILED").replace("compiled before", "COMPILED")
    return " ".join(line.split())


class Terminals:
    """Two terminals in one folder: the first runs `caxton dev`, the second everything else."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self.folder = folder
        self.dev: subprocess.Popen[str] | None = None
        self.environment = environment(PATH=f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
        self.said: list[str] = []
        """What the last command in the second terminal said; None of it when the first is to be looked at."""

    def type(self, command: str) -> None:
        """Type that; `caxton dev` in the first terminal, which must be free."""
        if command.startswith("caxton dev "):
            assert self.dev is None
            self.dev = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                stdout=subprocess.PIPE,
                text=True,
                cwd=self.folder,
                env=self.environment,
            )
            self.said = []
            return
        done = subprocess.run(
            ["bash", "-ec", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        self.said = done.stdout.splitlines()

    def save(self, name: str, text: str) -> None:
        fresh = self.folder / f"{name}.tmp"
        fresh.write_text(text, "utf-8")
        os.replace(fresh, self.folder / name)
        self.said = []

    def read(self, lines: int) -> list[str]:
        """So many lines of what was said last: by the command, else by `caxton dev`."""
        if self.said:
            return self.said
        assert self.dev is not None
        assert self.dev.stdout is not None
        return [self.dev.stdout.readline().rstrip("\n") for _ in range(lines)]

    def interrupt(self) -> None:
        """Ctrl-C in the first terminal."""
        assert self.dev is not None
        assert self.dev.stdout is not None
        self.dev.send_signal(signal.SIGINT)
        assert self.dev.stdout.read() == ""
        assert self.dev.wait(30) == 0
        self.dev.stdout.close()
        self.dev = None


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "caxton").write_text(f'#!/bin/sh\nexec {sys.executable} -m caxton.cli "$@"\n')
    (bin_folder / "caxton").chmod(0o755)
    folder = tmp_path / "tutorial"
    folder.mkdir()
    terminals = Terminals(folder, bin_folder)
    try:
        yield terminals
    finally:
        if terminals.dev is not None:
            terminals.dev.kill()
            terminals.dev.communicate()
        for project in (folder, folder / "hello", folder / "polite"):
            daemon_process.kill(project)


def test_the_tutorial_from_its_first_line_to_its_last(terminals: Terminals) -> None:
    compared = 0
    for step in steps():
        match step.kind:
            case "sh":
                for command in step.text.splitlines():
                    terminals.type(command)
            case "c" | "wat" | "toml":
                how, name = step.words
                file = terminals.folder / name
                before = file.read_text("utf-8") if how == "append" else ""
                assert how == "append" or not file.exists()
                terminals.save(name, before + step.text)
            case "diff":
                (name,) = step.words
                old, new = (line[1:] for line in step.text.splitlines())
                text = (terminals.folder / name).read_text("utf-8")
                assert text.count(f"{old}\n") == 1, old
                terminals.save(name, text.replace(f"{old}\n", f"{new}\n"))
            case "text":
                wanted = [masked(line) for line in step.text.splitlines()]
                assert [masked(line) for line in terminals.read(len(wanted))] == wanted
                compared += 1
            case "Ctrl-C":
                terminals.interrupt()
            case _:
                raise AssertionError(f"the test does not know what to do with {step}")
    assert compared > 12
    assert terminals.dev is None
