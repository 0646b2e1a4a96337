"""What `caxton record` does: wait where it is to, record, and say what came of it.

In: what the command line says. Out: files, and a sentence for each thing that a person has to know.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from caxton.cli.output.printing import paint, plural, safe, say, talk
from caxton.cli.output.progress_line import ProgressLine
from caxton.config import load
from caxton.errors import ConfigurationError, Exit
from caxton.finding.bounds import moment
from caxton.scenario.recording.keeping import SEEDS, keep
from caxton.scenario.recording.recorder import Wanted
from caxton.telemetry.logs import configure


def wanted(
    folder: Path,
    conversations: Sequence[str],
    since: str | None,
    output: Path | None,
    redact: Sequence[str],
    *,
    alive: bool,
) -> Wanted:
    """What is to be recorded; with `alive` it is waited for."""
    since_us = None
    if since is not None:
        try:
            since_us = round(moment(since, datetime.now().astimezone()) * 1e6)
        except ValueError as error:
            raise ConfigurationError(f"--since {since!r}: {error}") from None
    path = output or _usual(folder, conversations)
    if path.suffix != ".toml":
        raise ConfigurationError(
            f"{path} is no name of a scenario", hint=f"call it {path.with_suffix('.toml')}"
        )
    if alive:
        since_us = time.time_ns() // 1000
        _until_told()
    return Wanted(path, list(conversations), since_us, list(redact))


def _usual(folder: Path, conversations: Sequence[str]) -> Path:
    name = re.sub(r"[^\w.-]+", "-", conversations[0])[:60] if conversations else ""
    return folder / "scenarios" / f"{name or f'recorded-{datetime.now(UTC):%Y%m%d-%H%M%S}'}.toml"


def _until_told() -> None:
    """Until SIGINT or SIGTERM."""
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        over.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    talk("recording what is said to agents from now on; Ctrl-C ends it and writes the scenario")
    try:
        over.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def record(folder: Path, wanted: Wanted, *, replace: bool) -> Exit:
    """Record, write, play; the exit code."""
    configure("text", "error", sys.stderr)
    with ProgressLine() as line:
        if sys.stderr.isatty():
            line.begin(safe(wanted.path.name))

        def tell(seed: int) -> None:
            if sys.stderr.isatty():
                line.show(f"playing it with seed {seed}", seed / SEEDS)

        kept = keep(load(folder, {}), wanted, replace=replace, tell=tell)
    recording, result = kept.recording, kept.result
    for path in kept.files:
        say(safe(_shown(path)))
    counted = f"{plural(recording.messages, 'message')}, {recording.outside} from outside"
    talk(f"recorded {counted}")
    for note in recording.notes:
        talk(f"note: {safe(note)}")
    again = f"caxton run {_shown(wanted.path)}"
    if result.passed:
        talk(f"{paint('passed', 'green')} when it was played; play it again: {again}")
        return Exit.OK
    talk(f"{paint(result.verdict, 'bold red')} when it was played:")
    for text in result.lines():
        talk(f"  {safe(text)}")
    talk(f"hint: look at the difference; {again} --update takes what agents say when it is played")
    return result.exit


def _shown(path: Path) -> str:
    here = Path.cwd()
    return os.path.relpath(path, here) if path.resolve().is_relative_to(here) else str(path)
