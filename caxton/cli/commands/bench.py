"""`caxton bench`: figures of this machine, from real agents over a real journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.options import Format, Output

if TYPE_CHECKING:
    from caxton.bench import Report

app = typer.Typer(rich_markup_mode=None, add_completion=False)

NAMES = ("throughput", "latency", "agents", "start", "rogue", "swap", "python")


def _complete(incomplete: str) -> list[str]:
    return [name for name in NAMES if name.startswith(incomplete)]


@app.command()
def bench(
    measures: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"What to measure: {', '.join(NAMES)}.  [default: all]", autocompletion=_complete
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", min=1.0, max=600.0, help="How long a measure runs, where it has a duration."
        ),
    ] = 5.0,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Where the temporary journal goes: its disk is measured."),
    ] = None,
    output: Output = Format.TEXT,
) -> None:
    """Measure this machine: throughput, latency, agents, start, rogue, swap, python.

    Every figure comes from real agents in real cells; fuel, limits and synchronous=FULL are on. It takes about two
    minutes, leaves nothing behind, and touches no project. A target is DESIGN's; a machine with other work
    on it misses it by as much as it is busy.

    \b
    Examples:
      caxton bench
      caxton bench throughput --seconds 10
      caxton bench latency rogue -o json
    """
    import sys

    from caxton.bench import run
    from caxton.cli.output.printing import document
    from caxton.errors import ConfigurationError
    from caxton.telemetry.logs import configure

    # the services that are measured log what they do; here only what goes wrong matters, and never on stdout
    configure("text", "error", sys.stderr)

    wanted = measures or list(NAMES)
    for name in wanted:
        if name not in NAMES:
            raise ConfigurationError(f"there is no measure {name!r}", hint=f"there are: {', '.join(NAMES)}")
    if folder is not None and not folder.is_dir():
        raise ConfigurationError(f"{folder} is not a folder")
    reports: list[Report] = []
    with _Bar() as bar:
        for number, name in enumerate(wanted):
            bar.begin(f"{name} ({number + 1} of {len(wanted)})")
            reports.append(run(name, folder=folder, seconds=seconds, progress=bar.show))
            if output is Format.TEXT:
                bar.clear()
                _print(reports[-1])
    if output is not Format.TEXT:
        document(_plain(reports), output)


def _plain(reports: list[Report]) -> dict[str, object]:
    from caxton.bench.machine import machine

    return {
        "machine": machine(),
        "measures": {
            report.measure: {figure.name: round(figure.value, 3) for figure in report.figures}
            for report in reports
        },
    }


def _print(report: Report) -> None:
    from caxton.cli.output.printing import colour_wanted, paint, say

    wanted = colour_wanted()
    say(f"{paint(report.measure, 'bold', wanted)}  {report.text}  ({report.seconds:.0f} s)")
    for figure in report.figures:
        value = f"{figure.value:,.0f}" if abs(figure.value) >= 100 else f"{figure.value:,.2f}"
        verdict, style = "", None
        if figure.target is not None:
            met = figure.value <= figure.target if figure.better == "lower" else figure.value >= figure.target
            sign = "≤" if figure.better == "lower" else "≥"
            verdict, style = (
                f"{'met' if met else 'missed'} ({sign} {figure.target:,.0f})",
                "green" if met else "yellow",
            )
        say(
            f"  {figure.name:<26} {value:>12} {figure.unit:<11} {paint(f'{verdict:<20}', style, wanted)} {figure.text}"
        )
    say()


class _Bar:
    """One line on stderr that says what is going on; silent where nobody watches."""

    def __init__(self) -> None:
        import sys

        self._stream = sys.stderr
        self._watched = sys.stderr.isatty()
        self._title = ""

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *failure: object) -> None:
        self.clear()

    def begin(self, title: str) -> None:
        """The next measure."""
        self._title = title
        if not self._watched:
            self._stream.write(f"{title} …\n")
            self._stream.flush()
        self.show("starting", 0.0)

    def show(self, what: str, part: float) -> None:
        """How far it is."""
        if self._watched:
            done = int(max(0.0, min(1.0, part)) * 20)
            self._stream.write(f"\r\x1b[K{self._title}  [{'#' * done}{'.' * (20 - done)}] {what}")
            self._stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._watched:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
