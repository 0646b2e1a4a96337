"""`caxton bench`: figures of this machine, from real agents over a real journal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, command_app, one_of
from caxton.cli.output.printing import document, paint, say
from caxton.cli.output.progress_line import ProgressLine
from caxton.errors import ConfigurationError, Exit

if TYPE_CHECKING:
    from caxton import bench as benches
    from caxton.bench import machine
    from caxton.cli import baselines
    from caxton.telemetry import logs
else:
    benches, machine, baselines, logs = lazy(
        "caxton.bench", "caxton.bench.machine", "caxton.cli.baselines", "caxton.telemetry.logs"
    )

app = command_app()

NAMES = ("throughput", "latency", "agents", "start", "rogue", "swap", "timer", "topics", "python")


@app.command()
def bench(
    measures: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"What to measure: {', '.join(NAMES)}.  [default: all]  With --baseline scenario files, or folders "
            "with some.  [default: scenarios]",
            autocompletion=one_of(*NAMES),
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
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="Instead, compare what the agents of scenarios use with what is recorded there.",
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance", min=0.0, metavar="PERCENT", help="With --baseline: how much a figure may grow."
        ),
    ] = 2.0,
    record: Annotated[
        bool, typer.Option("--record", help="With --baseline: write the file with what is used now.")
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(
            "--markdown", metavar="FILE", help="With --baseline: also write the table for a pull request."
        ),
    ] = None,
    output: Output = Format.TEXT,
) -> None:
    """Measure this machine: throughput, latency, agents, start, rogue, swap, timer, topics, python.

    Every figure comes from real agents in real cells; fuel, limits and synchronous=FULL are on. It takes about
    eight minutes, five of them for rogue, leaves nothing behind, and touches no project. A target is DESIGN's; a
    machine with other work on it misses it by as much as it is busy.

    With --baseline nothing is timed: scenarios are played, and each agent's fuel by act, memory and module size are
    compared with a recorded file. These are exact, the same on every machine; exit code 6 where one has grown by more
    than the tolerance.

    \b
    Examples:
      caxton bench
      caxton bench throughput --seconds 10
      caxton bench latency rogue -o json
      caxton bench --baseline bench.toml --record
      caxton bench scenarios/ --baseline bench.toml --tolerance 5 --markdown summary.md
    """
    if baseline is not None:
        places = [Path(one) for one in measures or ["scenarios"]]
        code = baselines.compare(
            places, baseline, tolerance=tolerance, record=record, table=markdown, output=output
        )
        if code is not Exit.OK:
            raise typer.Exit(int(code))
        return
    if record or markdown is not None:
        raise ConfigurationError("--record and --markdown go with --baseline FILE")
    # the services that are measured log what they do; here only what goes wrong matters, and never on stdout
    logs.configure("text", "error", sys.stderr)

    wanted = measures or list(NAMES)
    for name in wanted:
        if name not in NAMES:
            raise ConfigurationError(f"there is no measure {name!r}", hint=f"there are: {', '.join(NAMES)}")
    if folder is not None and not folder.is_dir():
        raise ConfigurationError(f"{folder} is not a folder")
    reports: list[benches.Report] = []
    with ProgressLine() as bar:
        for number, name in enumerate(wanted):
            bar.begin(f"{name} ({number + 1} of {len(wanted)})")
            reports.append(benches.run(name, folder=folder, seconds=seconds, progress=bar.show))
            if output is Format.TEXT:
                bar.clear()
                _print(reports[-1])
    if output is not Format.TEXT:
        document(_plain(reports), output)


def _plain(reports: list[benches.Report]) -> dict[str, object]:
    return {
        "machine": machine.machine(),
        "measures": {
            report.measure: {figure.name: round(figure.value, 3) for figure in report.figures}
            for report in reports
        },
    }


def _print(report: benches.Report) -> None:
    say(f"{paint(report.measure, 'bold')}  {report.text}  ({report.seconds:.0f} s)")
    for figure in report.figures:
        value = f"{figure.value:,.0f}" if abs(figure.value) >= 100 else f"{figure.value:,.2f}"
        verdict, style = "", None
        if figure.target is not None:
            met = figure.value <= figure.target if figure.better == "lower" else figure.value >= figure.target
            sign = "≤" if figure.better == "lower" else "≥"
            verdict, style = (
                f"{'met' if met else 'missed'} ({sign} {figure.target:,g})",
                "green" if met else "yellow",
            )
        say(
            f"  {figure.name:<26} {value:>12} {figure.unit:<11} {paint(f'{verdict:<20}', style)} {figure.text}"
        )
    say()
