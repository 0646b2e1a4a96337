"""`caxton fork`: what would have come of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, SomeAgent, command_app, duration_option

if TYPE_CHECKING:
    from caxton.cli import forks
else:
    (forks,) = lazy("caxton.cli.forks")

app = command_app()


@app.command()
def fork(
    conversation: Annotated[str, typer.Argument(metavar="CONVERSATION", help="Id of the conversation.")],
    at: Annotated[
        str, typer.Option("--at", metavar="SEQ", help="The message to go back to: its number, or its id.")
    ],
    edit: Annotated[
        list[str] | None,
        typer.Option(
            "--edit",
            metavar="PATH=VALUE",
            help="Say something else in it: content.price=9, or members as a JSON object; may be repeated.",
        ),
    ] = None,
    build: Annotated[
        Path | None, typer.Option("--with", metavar="FILE", help="A build that --agent has from there on.")
    ] = None,
    agent: SomeAgent = None,
    lasts: Annotated[
        float, duration_option("--for", "How much virtual time passes at the most.  [default: 1m]")
    ] = 60.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="What decides the order of turns.")] = 0,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Go back to a message, change it or an agent's build, and run on from there in a side world.

    Everybody remembers what they did at that moment: memories are made again from the journal. What had been said and
    not handled is handled now, timers that were set ring. The side world is this process, on virtual time: nothing that
    is said there is on the bus, the journal is only read, and no daemon is needed. Ways to the world ([effects]) are
    shut. Shown is the conversation as it goes on, and what is not as it was.

    \b
    Examples:
      caxton fork market-1 --at 14
      caxton fork market-1 --at 14 --edit content.price=9
      caxton fork market-1 --at 12 --with seller.wasm --agent seller-ann -o json
    """
    forks.fork(conversation, at, edit or [], build, agent, lasts, seed, project, output)
