"""`caxton replay`: run recorded conversations against another build and see what it would have answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, SomeAgent, Timeout, command_app
from caxton.cli.output.printing import colour_wanted, document, paint, plural, safe, say
from caxton.cli.output.replayed_turns import start_line, turn_lines
from caxton.errors import ConfigurationError, Exit
from caxton.presentation.replays import totals_line
from caxton.schemas.deployments import ReplayBody, ReplayTotals, ReplayTurn

if TYPE_CHECKING:
    from caxton.cli import python_runtime
else:
    (python_runtime,) = lazy("caxton.cli.python_runtime")

app = command_app()


@app.command()
def replay(
    conversation: Annotated[
        list[str] | None, typer.Argument(metavar="[CONVERSATION]", help="Ids of conversations.")
    ] = None,
    last: Annotated[
        int,
        typer.Option("--last", metavar="N", min=0, max=1000, help="This number of the newest conversations."),
    ] = 0,
    build: Annotated[
        Path | None,
        typer.Option("--with", metavar="FILE", help="The build to try; the running one otherwise."),
    ] = None,
    agent: SomeAgent = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="Ask models, tools and other effects for real what the record has no answer to, within "
            "budgets.replay.",
        ),
    ] = False,
    timeout: Timeout = 60.0,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Run recorded conversations against a build, turn by turn, with no effect on anything.

    Each turn meets the state that it met then: the agent's past is run before it, on that build. What it says now is
    compared with what was said; ids and times that the host gives do not count. Without --with every agent of the
    conversations is tried on the build that it runs now. Exit code 6 when a turn differs.

    What a turn asks models and tools is answered from the record. What has no answer there is shown with the most that
    asking it would cost; with --live it is asked, and what follows is run with that answer.

    \b
    Examples:
      caxton replay c-9414cc516883248e
      caxton replay --last 20 --with counter.wasm --agent counter
      caxton replay --last 100 -o json | jq .totals
      caxton replay c-9414cc516883248e --with counter.wasm --agent counter --live
    """
    if not conversation and not last:
        raise ConfigurationError(
            "it is not said what to replay", hint="caxton replay CONVERSATION, or caxton replay --last 20"
        )
    wasm = python_runtime.module_of(build) if build is not None else None
    with connection.client(project) as caxton:
        report = caxton.replay(
            conversation or [],
            last=last,
            agent=agent,
            wasm=wasm,
            timeout_s=timeout,
            baseline=wasm is not None,
            live=live,
        )
    if output is Format.JSONL:
        for turn in report.turns:
            document(turn, output)
    elif output is Format.JSON:
        document(report, output)
    else:
        tell(report)
    if differs(report.totals):
        raise typer.Exit(int(Exit.EXPECTATION))
    if report.timed_out:
        raise typer.Exit(int(Exit.TIMED_OUT))


def differs(totals: ReplayTotals) -> bool:
    """Whether a turn that was run did not end as it did."""
    return bool(totals.changed or totals.illegal or totals.trapped)


def tell(report: ReplayBody) -> None:
    """Print a whole report."""
    turns = report.turns
    by_conversation: dict[str, list[ReplayTurn]] = {id: [] for id in report.conversations}
    for turn in turns:
        by_conversation[turn.conversation_id].append(turn)
    for id, turns_of_it in by_conversation.items():
        say(paint(f"{safe(id)}  {plural(len(turns_of_it), 'turn')}", "bold"))
        for turn in turns_of_it:
            for line in turn_lines(turn, colour=colour_wanted()):
                say(f"  {line}")
    for one in report.agents:
        say(start_line(one))
    say(paint(totals_line(report.totals), "bold"))
    if report.timed_out:
        say("the time was over before all of it was run")
