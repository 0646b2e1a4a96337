"""`caxton dev`: save a file, and the running system takes it in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.commands.tui import in_terminal, no_terminal
from caxton.cli.lazy import lazy
from caxton.cli.options import Project, command_app, duration_option
from caxton.errors import ConfigurationError

if TYPE_CHECKING:
    from caxton.cli import dev_session
else:
    (dev_session,) = lazy("caxton.cli.dev_session")

app = command_app()


class Ui(StrEnum):
    """How the loop is shown."""

    TUI = "tui"
    STREAM = "stream"
    JSON = "json"
    OFF = "off"


class GateMode(StrEnum):
    """What a build must do before it is taken in."""

    NONE = "none"
    CHECK = "check"
    REPLAY = "replay"


class Strategy(StrEnum):
    """How a new build takes over."""

    DIRECT = "direct"
    BLUE_GREEN = "blue-green"


@app.command()
def dev(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="A project, or a folder with one agent's source.  [default: the nearest project, else here]",
        ),
    ] = None,
    ui: Annotated[
        Ui | None,
        typer.Option(
            "--ui",
            help="tui beside the agents, stream of lines, json (one object a line), off (failures only).  "
            "[default: tui in a terminal, else stream]",
        ),
    ] = None,
    messages: Annotated[
        bool, typer.Option("--messages", help="Also show the agents' messages and log lines (stream, json).")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show all output of a builder, and when it begins.")
    ] = False,
    strategy: Annotated[
        Strategy, typer.Option("--strategy", help="How a new build takes over.")
    ] = Strategy.DIRECT,
    fresh_state: Annotated[
        bool, typer.Option("--fresh-state", help="Begin every build without the state of the one before.")
    ] = False,
    gate: Annotated[
        GateMode,
        typer.Option(
            "--gate",
            help="none accepts every build; check stops one that traps or breaks a protocol in conversations that "
            "were; replay also one that changes an answer in a pinned conversation, or was not tried on one.",
        ),
    ] = GateMode.REPLAY,
    gate_last: Annotated[
        int,
        typer.Option(
            "--gate-last",
            metavar="N",
            min=0,
            max=1000,
            help="The newest conversations that a build is tried on.",
        ),
    ] = 20,
    gate_time: Annotated[float, duration_option("--gate-time", "Processor time that may take.")] = 2.0,
    debounce: Annotated[
        float,
        duration_option("--debounce", "How long files must be quiet after a save."),
    ] = 0.06,
    project: Project = None,
) -> None:
    """Build the agents, run them, and deploy every save: the new build goes on where the old one was.

    Starts the project's daemon if none runs, and at its end stops the one that it started. Only what a save concerns
    is built again; a build that fails leaves the old revision answering. What needs which toolchain, and whether it
    is here, `caxton doctor` says.

    Before a build is taken in, the conversations that are pinned and the newest ones are replayed against it, and a
    line says what changes. A build that the gate stops waits for a key: a accepts it, d shows the difference, x drops
    it, l asks models and tools what it asks anew; or for caxton deploy promote|abort.

    \b
    Examples:
      caxton dev
      caxton dev agents/counter
      caxton dev --ui stream --messages
      caxton dev --ui json | jq 'select(.event == "deployed")'
    """
    if folder is not None and project is not None and folder.resolve() != project.resolve():
        raise ConfigurationError("DIR and --project name two places", hint="name the folder once")
    shown = ui or (Ui.TUI if in_terminal() and dev_session.has_viewer() else Ui.STREAM)
    if shown is Ui.TUI and not in_terminal():
        raise no_terminal("caxton dev --ui stream")
    dev_session.run(
        folder or project,
        shown,
        gate=(gate.value, gate_last, gate_time),
        strategy=strategy.value,
        fresh_state=fresh_state,
        debounce_ms=round(max(debounce, 0.01) * 1000),
        verbose=verbose,
        messages=messages,
    )
