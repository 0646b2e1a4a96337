"""Scenarios played for a person or a pipeline: what `caxton run` does.

In: files and options. Out: a line for each scenario, what went wrong in full, reports for other programs, an exit code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from caxton.cli import connection
from caxton.cli.options import Format
from caxton.cli.output.printing import colour_wanted, document, paint, plural, safe, say, span, talk
from caxton.cli.output.progress_line import ProgressLine
from caxton.daemon_socket import socket_path
from caxton.errors import ConfigurationError, DiskTrouble, Exit
from caxton.scenario import html_report, read, reports, suite
from caxton.scenario.coverage import together
from caxton.scenario.explore import read_schedule
from caxton.scenario.format import Step
from caxton.scenario.read import ScenarioFile
from caxton.scenario.result import Result
from caxton.telemetry.logs import configure

KEPT: Final = Path(connection.STATE) / "scenarios"
"""Where journals are left, beside the working folder's own state."""


def run(
    places: Sequence[Path],
    *,
    words: str,
    seed: int | None,
    cells: int,
    choices: str | None,
    jobs: int,
    junit: Path | None,
    html: Path | None,
    github: bool,
    keep: bool,
    attach: bool,
    coverage: bool,
    project: Path | None,
    output: Format,
) -> Exit:
    """Play scenarios; the exit code of the first that did not pass."""
    # the services that are run log what they do; what goes wrong in them belongs to the person
    configure("text", "error", sys.stderr)
    files = suite.chosen(read.find(places), words)
    if not files:
        raise ConfigurationError(
            f"no scenario is meant by {words!r}", hint="-k takes words of paths and names"
        )
    socket = socket_path(connection.folder(project) / connection.STATE) if attach else None
    kept = Path.cwd() / KEPT if keep and not attach else None
    results: list[Result] = []
    with Progress(len(files), watched=jobs <= 1) as progress:
        order = _order(choices)
        settings = suite.Settings(
            seed=seed, cells=cells, keep=kept, attach=socket, decisions=order, coverage=coverage
        )
        for result in suite.run(files, settings, jobs=jobs, tell=progress.tell):
            results.append(result)
            progress.clear()
            _print(result, output, " --attach" if attach else "")
            if github and not result.passed:
                talk(reports.github(result)) if output is not Format.TEXT else say(reports.github(result))
    taken = together(one.exercised for one in results if one.exercised is not None) if coverage else None
    if output is Format.JSON:
        said = [one.json() for one in results]
        document(said if taken is None else {"results": said, "coverage": taken.json()}, output)
    elif taken is not None and output is Format.JSONL:
        document({"coverage": taken.json()}, output)
    elif taken is not None:
        for line in taken.lines():
            say(safe(line))
    if junit is not None:
        _write(junit, reports.junit(results))
    if html is not None:
        _write(html, html_report.page(results, taken))
    failed = [one for one in results if not one.passed]
    counted = [f"{len(results) - len(failed)} passed"] + ([f"{len(failed)} not"] if failed else [])
    talk(f"{', '.join(counted)} in {span(sum(one.took_s for one in results))}")
    if kept is not None:
        talk(f"journals: {kept}")
    if attach:
        talk("played on the running daemon: in its own time, without faults")
    return failed[0].exit if failed else Exit.OK


def _order(choices: str | None) -> dict[str, int] | None:
    if choices is None:
        return None
    try:
        return read_schedule(choices)
    except ValueError:
        raise ConfigurationError(
            f"--choices {choices!r} is no schedule", hint="it is what caxton explore prints, such as 3:1,17:2"
        ) from None


class Progress:
    """One line that says which scenario is at which step, where a person looks; nothing else."""

    def __init__(self, many: int, *, watched: bool) -> None:
        self._many = many
        self._begun = 0
        self._path: Path | None = None
        self._line = ProgressLine() if watched and sys.stderr.isatty() else None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *failure: object) -> None:
        self.clear()

    def tell(self, file: ScenarioFile, number: int, step: Step) -> None:
        """A step begins."""
        if self._line is None:
            return
        if file.path != self._path:
            self._path = file.path
            self._begun += 1
            self._line.begin(f"{safe(file.name)} ({self._begun} of {self._many})")
        what = f": {safe(step.name)}" if step.name else ""
        self._line.show(f"step {number + 1}, {step.kind}{what}", number / len(file.scenario.step))

    def clear(self) -> None:
        """Take it away."""
        if self._line is not None:
            self._line.clear()


def _print(result: Result, output: Format, how: str) -> None:
    if output is Format.JSONL:
        document(result.json(), output)
    if output is not Format.TEXT:
        return
    wanted = colour_wanted()
    verdict = paint(result.verdict, "green" if result.passed else "bold red", wanted)
    figures = [f"seed {result.seed}"]
    if result.digest:
        figures.append(f"journal {result.digest[:12]}")
    if result.messages:
        figures.append(
            f"{plural(result.messages, 'message')}, {span(result.virtual_s)} in {span(result.took_s)}"
        )
    say(f"{verdict}  {safe(_shown(result.path))}  {safe(result.name)}  ({', '.join(figures)})")
    for line in result.lines():
        say(f"  {safe(line)}")
    if not result.passed:
        if result.hint:
            say(f"  hint: {safe(result.hint)}")
        say(f"  again: caxton run {_shown(result.path)} --seed {result.seed}{how}")


def _shown(path: Path) -> str:
    here = Path.cwd()
    return os.path.relpath(path, here) if path.resolve().is_relative_to(here) else str(path)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise DiskTrouble(f"{path} cannot be written: {error.strerror}") from error
