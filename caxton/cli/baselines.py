"""What agents use beside what they used: `caxton bench --baseline`.

In: scenarios, and a file with the figures of an earlier run. Out: a table, and an exit code that says whether something
has grown.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

from caxton.cli.options import Format
from caxton.cli.output.printing import listing, plural, safe, say, talk
from caxton.disk import translated
from caxton.errors import ConfigurationError, Exit
from caxton.scenario import read, suite
from caxton.scenario.baseline import Baseline, read_baseline, together
from caxton.scenario.comparison import Row, cells, compared, markdown


def compare(
    places: Sequence[Path],
    file: Path,
    *,
    tolerance: float,
    record: bool,
    table: Path | None,
    output: Format,
) -> Exit:
    """Play the scenarios and compare; with `record` the file is written as well, whatever has grown."""
    if not record and not file.is_file():
        raise ConfigurationError(
            f"there is no baseline at {file}", hint=f"write one: caxton bench --baseline {file} --record"
        )
    before = read_baseline(file) if file.is_file() else Baseline()
    now = _measured(places)
    if now is None:
        return Exit.EXPECTATION
    rows = compared(before, now)
    exceeded = sum(row.exceeds(tolerance) for row in rows)
    _print(rows, tolerance, output)
    if table is not None:
        with translated(table):
            table.write_text(markdown(rows, tolerance), "utf-8")
    if record:
        with translated(file):
            file.write_text(now.text(), "utf-8")
        talk(f"{safe(file)}: written")
        return Exit.OK
    talk(f"{plural(exceeded, 'figure')} of {len(rows)} grew by more than {tolerance:g} %")
    return Exit.EXPECTATION if exceeded else Exit.OK


def _measured(places: Sequence[Path]) -> Baseline | None:
    """What all of them together use; None where one does not pass."""
    suite.quiet()
    files = suite.chosen(read.find(places))
    results = list(suite.run(files, suite.Settings(measure=True)))
    failed = [one for one in results if not one.passed]
    for one in failed:
        for line in one.lines():
            say(safe(line))
    if failed:
        talk(f"{plural(len(failed), 'scenario')} of {len(results)} did not pass, so nothing is compared")
        return None
    return together(one.used for one in results if one.used is not None)


def _print(rows: Sequence[Row], tolerance: float, output: Format) -> None:
    if output is not Format.TEXT:
        listing([row.json(tolerance) for row in rows], output, [], "")
        return
    shown = [cells(row, tolerance) for row in rows if row.verdict(tolerance)]
    names = ("AGENT", "FIGURE", "BASELINE", "NOW", "CHANGE", "")
    listing(shown, output, [(name, itemgetter(at)) for at, name in enumerate(names)], "all is as it was")
