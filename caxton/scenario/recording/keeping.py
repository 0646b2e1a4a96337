"""A recording on the disk, tried at once.

In: a project, what is wanted. Out: the files, and how the scenario went when it was played: with the first seed under
which all is as it was, as an order that another machine had may need another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from caxton.config import Project
from caxton.disk import translated
from caxton.errors import ConfigurationError
from caxton.sandbox.compile.module_cache import ModuleCache
from caxton.scenario.read import read_scenario
from caxton.scenario.recording.recorder import Recording, Wanted, record
from caxton.scenario.result import Result
from caxton.scenario.suite import Settings, play

SEEDS: Final = 8
"""So many are tried."""


class Kept(NamedTuple):
    """What was written, and how it went."""

    recording: Recording
    files: list[Path]
    result: Result


def keep(
    project: Project,
    wanted: Wanted,
    *,
    replace: bool = False,
    tell: Callable[[int], None] = lambda seed: None,
) -> Kept:
    """Record, write and play; `tell` hears which seed is tried. Raises what `record` does, ConfigurationError where a
    file is there already and may not be replaced."""
    for path in (wanted.path, wanted.memory):
        if path.exists() and not replace:
            raise ConfigurationError(f"{path} is there already", hint="name another file, or add --force")
    recording = asyncio.run(record(project, wanted))
    files = _write(project, wanted, recording)
    first: Result | None = None
    for seed in range(SEEDS):
        tell(seed)
        result = play(read_scenario(wanted.path), Settings(seed=seed))
        if result.passed:
            if seed:
                text = recording.text.replace("format = 1\n", f"format = 1\nseed = {seed}\n", 1)
                _write_text(wanted.path, text)
            return Kept(recording, files, result)
        first = first or result
        if not result.choices:
            break
    assert first is not None
    return Kept(recording, files, first)


def _write(project: Project, wanted: Wanted, recording: Recording) -> list[Path]:
    folder = wanted.path.parent
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
    files = [wanted.path]
    _write_text(wanted.path, recording.text)
    if recording.memory is not None:
        _write_text(wanted.memory, recording.memory)
        files.append(wanted.memory)
    else:
        wanted.memory.unlink(missing_ok=True)
    for name, sha256 in recording.builds.items():
        module = ModuleCache(project.state / "modules").bytes_of(sha256)
        with translated(folder):
            (folder / name).write_bytes(module)
        files.append(folder / name)
    return files


def _write_text(path: Path, text: str) -> None:
    with translated(path):
        path.write_text(text, "utf-8")
