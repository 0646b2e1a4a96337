"""A tutorial as somebody follows it in two terminals: every file saved, every command typed, what is shown read."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest
from cli.command import environment

from caxton.cli import daemon_process

pytestmark = pytest.mark.system

PATIENCE_S: Final = 300.0
BLOCK = re.compile(r"^```(?P<head>.*)\n(?P<body>(?:.*\n)*?)```$|^<!-- (?P<key>Ctrl-C) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A block of the page: what kind, its words after that, its text."""

    kind: str
    words: list[str]
    text: str


def steps(page: Path) -> Iterator[Step]:
    """What the page tells one to do, and what it says that one sees."""
    for found in BLOCK.finditer(page.read_text("utf-8")):
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


def comparable(lines: list[str]) -> list[str]:
    """The lines, masked; agents that begin to run do so in any order."""
    found: list[str] = []
    for runs, group in groupby(map(masked, lines), lambda line: " running " in line):
        some = list(group)
        found += sorted(some) if runs else some
    return found


class Terminals:
    """Two terminals in one folder: the first runs `caxton dev`, the second everything else."""

    def __init__(self, folder: Path, bin_folder: Path, **more: str) -> None:
        self.folder = folder
        self.dev: subprocess.Popen[str] | None = None
        self.environment = environment(PATH=f"{bin_folder}{os.pathsep}{os.environ['PATH']}", **more)
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
            timeout=PATIENCE_S,
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

    def wait_for(self, words: str) -> None:
        """Read what `caxton dev` says until it says that."""
        while words not in (line := self.read(1)[0]):
            assert line, "caxton dev has ended"

    def follow(self, step: Step) -> list[str]:
        """Do what the page says; the lines that are seen where it shows some."""
        match step.kind:
            case "sh":
                for command in step.text.splitlines():
                    self.type(command)
            case "c" | "wat" | "toml" | "python":
                how, name = step.words
                file = self.folder / name
                before = file.read_text("utf-8") if how == "append" else ""
                self.save(name, before + step.text)
            case "diff":
                (name,) = step.words
                old, new = (line[1:] for line in step.text.splitlines())
                text = (self.folder / name).read_text("utf-8")
                assert text.count(f"{old}\n") == 1, old
                self.save(name, text.replace(f"{old}\n", f"{new}\n"))
            case "text":
                return self.read(len(step.text.splitlines()))
            case "Ctrl-C":
                self.interrupt()
            case _:
                raise AssertionError(f"nobody knows what to do with {step}")
        return []

    def close(self) -> None:
        """End what still runs."""
        if self.dev is not None:
            self.dev.kill()
            self.dev.communicate()
        for configured in self.folder.glob("**/.caxton"):
            daemon_process.kill(configured.parent)

    def interrupt(self) -> None:
        """Ctrl-C in the first terminal."""
        assert self.dev is not None
        assert self.dev.stdout is not None
        self.dev.send_signal(signal.SIGINT)
        assert self.dev.stdout.read() == ""
        assert self.dev.wait(30) == 0
        self.dev.stdout.close()
        self.dev = None
