"""`caxton run`: play scenarios and say whether all was as expected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app
from caxton.errors import ConfigurationError, Exit

if TYPE_CHECKING:
    from caxton.cli import scenario_runs, scenario_updates
else:
    scenario_runs, scenario_updates = lazy("caxton.cli.scenario_runs", "caxton.cli.scenario_updates")

app = command_app()


@app.command()
def run(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Scenario files, or folders with some.")
    ],
    words: Annotated[
        str,
        typer.Option(
            "-k", "--words", metavar="TERMS", help="Only those whose path and name fit, such as 'late !slow'."
        ),
    ] = "",
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="What decides all that is left to chance.  [default: the file's]"),
    ] = None,
    choices: Annotated[
        str | None,
        typer.Option(
            "--choices", metavar="PLACE:N,…", help="The order of turns, as `caxton explore` printed it."
        ),
    ] = None,
    cells: Annotated[
        int,
        typer.Option(
            "--cells",
            min=0,
            max=64,
            help="Run guests in so many real cells, not in this process: the same run.",
        ),
    ] = 0,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, max=64, help="How many are played at a time, in processes.")
    ] = 1,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write the results as JUnit's XML.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Also write the results as one page, diagrams inside."),
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Also print what fails as annotations for GitHub Actions.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave each run's journal in .caxton/scenarios.")
    ] = False,
    attach: Annotated[
        bool,
        typer.Option(
            "--attach", help="Play them on the project's running daemon: in its own time, without faults."
        ),
    ] = False,
    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage",
            help="Also say which transitions of protocols and acts of agents were never exercised.",
        ),
    ] = False,
    update: Annotated[
        bool,
        typer.Option("--update", help="Rewrite expectations that are not met, after showing the difference."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --update: do not ask.")] = False,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Play scenarios: scripted conversations with expectations, on virtual time, in an order that a seed decides.

    Each runs its agents in this process, from an empty journal, so that no daemon is needed and none is touched; hours
    pass in milliseconds. What is not as expected is shown in a sequence diagram, with the place marked. The exit code
    is 0 when all passed, otherwise that of the first that did not: 6 an expectation was not met, 7 a protocol was
    violated and no step expects that, 8 a limit was hit, 124 what was waited for did not come, 2 a file is wrong.

    \b
    Examples:
      caxton run scenarios/
      caxton run scenarios/late-proposal.toml --seed 7
      caxton run scenarios/ -k '!slow' --jobs 4 --junit results.xml --html results.html
      caxton run scenarios/ --coverage --html results.html
      caxton run scenarios/order.toml --update
      caxton run scenarios/ -o jsonl
    """
    if update:
        if attach or junit or choices or coverage:
            raise ConfigurationError("--update goes with none of --attach, --junit, --choices and --coverage")
        code = scenario_updates.update(files, words, seed, cells, yes=yes)
        if code is not Exit.OK:
            raise typer.Exit(int(code))
        return
    code = scenario_runs.run(
        files,
        words=words,
        seed=seed,
        cells=cells,
        choices=choices,
        jobs=jobs,
        junit=junit,
        html=html,
        github=github,
        keep=keep,
        attach=attach,
        coverage=coverage,
        project=project,
        output=output,
    )
    if code is not Exit.OK:
        raise typer.Exit(int(code))
