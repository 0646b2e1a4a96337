"""Runs the real command line, in this process where it can: the same `main`, with streams, folder and environment of
its own. What a process of its own shows (its start, its end, its signals, how it takes up a terminal) asks for one.
"""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from caxton.cli import main

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = frozenset({"bench", "demo", "dev", "tui", "up"})
"""Commands that leave a process behind, or take up signals or a terminal."""


def environment(**more: str) -> dict[str, str]:
    """The test's environment without what would colour or redirect the command; daemons do not give way to us."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("CAXTON_")}
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        known.pop(name, None)
    known["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), known.get("PYTHONPATH")]))
    return known | {"CAXTON_NICE": "0"} | more


def caxton(
    *words: str | Path, cwd: Path | None = None, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `caxton WORDS` here and return what it said; as a process where it leaves one behind or takes up signals, and
    where a loop or another thread is at work here.
    """
    alone = threading.current_thread() is threading.main_thread() and not _loop_runs()
    if not alone or not PROCESSES.isdisjoint(map(str, words[:3])):
        return caxton_process(*words, cwd=cwd, stdin=stdin, **more)
    arguments = ["caxton", *map(str, words)]
    streams = {name: io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for name in ("stdout", "stderr")}
    source = io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")
    with _standing_in(arguments, cwd, environment(**more), {**streams, "stdin": source}):
        try:
            main()
        except SystemExit as end:
            code = end.code
        else:
            code = 0
    said = {name: _text(stream) for name, stream in streams.items()}
    return subprocess.CompletedProcess(arguments, _exit_code(code), said["stdout"], said["stderr"])


def caxton_process(
    *words: str | Path, cwd: Path | None = None, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `caxton WORDS` as a process and return what it said; ends the test after 60 s."""
    return subprocess.run(
        [sys.executable, "-m", "caxton.cli", *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env=environment(**more),
        check=False,
    )


@contextmanager
def _standing_in(
    arguments: list[str], cwd: Path | None, environ: dict[str, str], streams: dict[str, io.TextIOWrapper]
) -> Iterator[None]:
    """This process as the command finds its own."""
    before = {name: getattr(sys, name) for name in (*streams, "argv")}
    known, folder = dict(os.environ), Path.cwd()
    try:
        for name, value in {**streams, "argv": arguments}.items():
            setattr(sys, name, value)
        _become(environ)
        os.chdir(cwd or folder)
        yield
    finally:
        os.chdir(folder)
        _become(known)
        for name, value in before.items():
            setattr(sys, name, value)


def _become(environ: dict[str, str]) -> None:
    for name in set(os.environ) - set(environ):
        del os.environ[name]
    os.environ.update(environ)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode()


def _exit_code(code: object) -> int:
    """As the interpreter makes it of what `sys.exit` was given."""
    return code if isinstance(code, int) else 0 if code is None else 1


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
