"""Expectations rewritten after a look at the difference: what `caxton run --update` does.

In: files. Out: for each the difference, on stdout, and then the file with it; the exit code of the first that does not
pass all the same, as what it waits for does not come.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from caxton.cli.output.printing import colour_wanted, paint, plural, safe, say, talk
from caxton.disk import translated
from caxton.errors import ConfigurationError, Exit
from caxton.scenario import read, suite
from caxton.scenario.baseline import beside
from caxton.scenario.updating import Updated
from caxton.scenario.updating import update as updated
from caxton.telemetry.logs import configure


def update(places: Sequence[Path], words: str, seed: int | None, cells: int, *, yes: bool) -> Exit:
    """Update scenarios; `yes`: without asking, as where nobody looks."""
    configure("text", "error", sys.stderr)
    files = suite.chosen(read.find(places), words)
    if not files:
        raise ConfigurationError(
            f"no scenario is meant by {words!r}", hint="-k takes words of paths and names"
        )
    code = Exit.OK
    for file in files:
        one = updated(file, suite.Settings(seed=seed, cells=cells))
        if (one.steps or one.baseline) and _agreed(one, yes=yes):
            for path, _, text in _texts(one):
                with translated(path):
                    path.write_text(text, "utf-8")
            what = [plural(one.steps, "step")] * bool(one.steps) + ["baseline"] * bool(one.baseline)
            talk(f"{safe(file.path)}: {' and '.join(what)} rewritten")
        elif one.steps or one.baseline:
            talk(f"{safe(file.path)}: left as it was")
            code = code or Exit.EXPECTATION
            continue
        verdict = paint(one.result.verdict, "green" if one.result.passed else "bold red")
        talk(f"{verdict}  {safe(file.path)}  {safe(file.name)}")
        if not one.result.passed:
            code = code or one.result.exit
            for line in one.result.lines():
                say(f"  {safe(line)}")
            talk("hint: no other expectation would make it pass; edit the step")
    return code


def _agreed(one: Updated, *, yes: bool) -> bool:
    for line in _difference(one):
        say(line)
    return yes or not (sys.stdin.isatty() and sys.stdout.isatty()) or typer.confirm("write it?", err=True)


def _difference(one: Updated) -> Iterator[str]:
    wanted = colour_wanted()
    for path, before, after in _texts(one):
        name = safe(path)
        for line in difflib.unified_diff(
            before.splitlines(), after.splitlines(), name, name, lineterm="", n=1
        ):
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            yield paint(safe(line), style, wanted)


def _texts(one: Updated) -> Iterator[tuple[Path, str, str]]:
    """The files that say something else: what they said, and what they say."""
    if one.steps:
        yield one.file.path, one.file.text, one.text
    if one.baseline:
        path = beside(one.file.path)
        yield path, path.read_text("utf-8") if path.is_file() else "", one.baseline
