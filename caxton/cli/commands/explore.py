"""`caxton explore`: play a scenario under many orders and show the shortest one that fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, command_app
from caxton.cli.output.printing import colour_wanted, document, paint, plural, safe, say, talk
from caxton.cli.output.progress_line import ProgressLine

if TYPE_CHECKING:
    from caxton.scenario import explore as exploration
    from caxton.scenario import read
    from caxton.scenario.result import Result
    from caxton.telemetry import logs
else:
    exploration, read, logs = lazy("caxton.scenario.explore", "caxton.scenario.read", "caxton.telemetry.logs")

app = command_app()


@app.command()
def explore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A scenario file.")],
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=1_000_000, help="How many orders are tried.")
    ] = 100,
    first: Annotated[int, typer.Option("--first", min=0, help="The first seed; the others follow it.")] = 0,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, max=64, help="How many are played at a time, in processes.")
    ] = 1,
    late: Annotated[
        bool, typer.Option("--late", help="Let agents be slower than timers and deadlines, too.")
    ] = False,
    faults: Annotated[
        bool,
        typer.Option(
            "--faults",
            help="Lose messages, too, bring them twice or behind the next: outside what one machine promises.",
        ),
    ] = False,
    output: Output = Format.TEXT,
) -> None:
    """Play a scenario under many orders of turns, and make the first failure short.

    Each seed is another order: another agent has the next turn, an agent is slow, a timer rings first, a client says
    its next word later, a cell or the daemon dies. All of that is legal, so what fails in one can fail on a busy
    day. Of the first seed that fails, the schedule is made shorter as long as it fails: what is left are the
    deliveries whose order matters. Exit code 0 when no seed fails, else that of the failure.

    \b
    Examples:
      caxton explore scenarios/two-books.toml
      caxton explore scenarios/late-proposal.toml --seeds 50 --jobs 2
      caxton explore scenarios/late-proposal.toml --seeds 50 --first 500
    """
    logs.configure("text", "error", sys.stderr)
    scenario = read.read_scenario(file)
    with ProgressLine() as line:
        if sys.stderr.isatty():
            line.begin(safe(scenario.name))

        def tell(run: int, failing: int) -> None:
            if sys.stderr.isatty():
                line.show(f"{plural(run, 'run')}, {failing} failed", run / seeds)

        wish = exploration.Wish(seeds, first, late=late, faults=faults, jobs=jobs)
        found = exploration.explore(scenario, wish, tell)
    shortest = found.shortest
    if output is not Format.TEXT:
        document(
            {
                "runs": found.runs,
                "failing": list(found.failing),
                "schedule": [one._asdict() for one in found.schedule],
                "choices": exploration.written(found.schedule) if shortest is not None else None,
                "result": None if shortest is None else shortest.json(),
            },
            output,
        )
    elif shortest is None:
        say(
            f"{paint('passed', 'green', colour_wanted())}  {safe(scenario.name)} with {plural(seeds, 'seed')}"
        )
    else:
        _tell(found, shortest, seeds)
    talk(plural(found.runs, "run"))
    if shortest is not None:
        raise typer.Exit(int(shortest.exit))


def _tell(found: exploration.Exploration, shortest: Result, seeds: int) -> None:
    verdict = paint(shortest.verdict, "bold red", colour_wanted())
    say(
        f"{verdict}  {safe(shortest.name)} with {len(found.failing)} of {plural(seeds, 'seed')}, first {shortest.seed}"
    )
    for line in shortest.lines():
        say(f"  {safe(line)}")
    if shortest.verdict in exploration.FAILS:
        say(
            "  the shortest schedule that fails:"
            if found.schedule
            else "  it fails in the plainest order, too"
        )
    for one in found.schedule:
        say(f"    {safe(one.what)}")
    again = f"caxton run {shortest.path} --seed {shortest.seed}"
    if shortest.verdict in exploration.FAILS:
        again += f" --choices {exploration.written(found.schedule)}"
    say(f"  again: {again}")
