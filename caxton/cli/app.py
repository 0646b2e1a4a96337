"""The root of the command line: which commands there are, and where each one lives.

The commands are listed here with their one-line help, so that `caxton --help` and completion of a command's
name import none of them; the file of a command is imported when it is about to run.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command as build

import caxton
from caxton.cli.lazy import lazy
from caxton.cli.output.encoding import take_any_encoding
from caxton.errors import CaxtonError

if TYPE_CHECKING:
    from caxton.cli import usage_error
    from caxton.cli.output import printing
else:
    usage_error, printing = lazy("caxton.cli.usage_error", "caxton.cli.output.printing")

COMMANDS: dict[str, str] = {
    "demo": "Watch four agents trade on a market.",
    "new": "Make a new agent, or a new project, to begin with.",
    "dev": "Build the agents, run them, deploy every save.",
    "up": "Start the daemon of this project.",
    "down": "Stop the daemon of this project.",
    "health": "Ask whether the daemon lives, for probes.",
    "status": "Show daemon, cells, agents and journal at a glance.",
    "agent": "Deploy agents, show them, stop and start them.",
    "mailbox": "Show what waits for an agent, or empty it.",
    "msg": "Send messages and follow those that pass.",
    "dead-letter": "Show what could not be handled, deliver it again.",
    "conv": "List conversations and read one.",
    "trace": "Where the time of a conversation went.",
    "break": "Hold messages on their way, edit them, release them.",
    "approve": "Decide about messages that need a yes.",
    "task": "Run whole protocols, show their results, cancel them.",
    "df": "Find agents by what they offer.",
    "topic": "Show topics and who has subscribed to them.",
    "effect": "Show the ways to the world and how calls of them ended.",
    "usage": "Show what was spent on models.",
    "timer": "Show the timers of agents.",
    "check": "Judge recorded messages by their protocols.",
    "run": "Play scenarios: scripted conversations with expectations.",
    "record": "Make a scenario of what has happened.",
    "why": "Show what led to a message.",
    "diff": "Show the first place where two runs part.",
    "fork": "Go on from a message in a side world, changed.",
    "explore": "Play a scenario under many orders, to find one that fails.",
    "replay": "Run recorded conversations against another build.",
    "deploy": "List deployments, show one, undo one.",
    "tui": "Watch agents and messages live in the terminal.",
    "web": "Pages of conversations, and the terminal, in a browser.",
    "top": "Live table of agents and cells.",
    "bench": "Measure this machine with real agents.",
    "python": "Build and show the runtime that Python agents share.",
    "doctor": "Check that everything Caxton needs is here and works.",
    "docs": "Search the documentation in the terminal.",
    "telemetry": "Show where telemetry goes, try its collector.",
    "mcp": "Serve this project to coding agents, by MCP.",
    "journal": "Show what the journal keeps, trust its clock, export it.",
    "backup": "Write this project to one file, while it runs.",
    "restore": "Make a project again from a backup.",
    "context": "Talk to daemons elsewhere: name them, choose one.",
    "token": "Let others in over the network: make tokens, end them.",
    "cert": "Make certificates for TLS with this project's daemon.",
    "audit": "Who did what over the network, and what was refused.",
    "config": "Show and check the configuration of this project.",
    "schema": "Print formats of files as JSON Schema, for editors.",
}
"""Each command or noun with its help; `caxton.cli.commands.<name>` has its typer app as `app`."""


class Commands(TyperGroup):
    """The root group: knows every command by name and loads the one that is asked for."""

    def __init__(self, **settings: Any) -> None:
        settings["commands"] = {name: TyperCommand(name, help=text) for name, text in COMMANDS.items()}
        super().__init__(**settings)
        self._loaded: set[str] = set()

    def load(self, name: str) -> None:
        """Import the command's file and put the real command in its place."""
        if name in COMMANDS and name not in self._loaded:
            self.commands[name] = build(import_module(f"caxton.cli.commands.{name.replace('-', '_')}").app)
            self._loaded.add(name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command to run, or to complete; typer's types for this are private, hence `Any`."""
        self.load(args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; that its reader has enough, as in `caxton … | head`, is no error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # what is still in the stream's buffer would complain when the interpreter ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from None


app = typer.Typer(
    cls=Commands,
    name="caxton",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"caxton {caxton.__version__}")
        raise typer.Exit


@app.callback(no_args_is_help=True)
def root(
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            "-p",
            envvar="CAXTON_PROJECT",
            help="Folder of the project; may also stand after the command.  [default: nearest caxton.toml]",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """A workbench and server for WebAssembly agents that speak FIPA-ACL.

    Every message is executed in a sandbox, committed to a journal, and can be looked at.

    \b
    Begin with:
      caxton demo                               watch a market of agents
      caxton new counter                        make an agent; caxton dev counter runs it
      caxton up                                 start the daemon of this folder's project
      caxton msg send --to echo --performative request --content '"hello"' --wait
      caxton COMMAND --help                     every command shows examples

    \b
    Exit codes: 0 ok, 1 unexpected, 2 usage, 3 not allowed, 4 daemon not reachable, 5 agent failed,
      6 expectation failed, 7 protocol violated, 8 limit hit, 124 timed out.
    """


def run() -> None:
    """Run the command line; a refusal of ours becomes `error:` and `hint:` on stderr and its exit code."""
    take_any_encoding()
    try:
        ended = app(prog_name="caxton", standalone_mode=False)
    except CaxtonError as error:
        printing.complain(error.message, error.hint)
        raise SystemExit(int(error.exit)) from None
    except typer.TyperException as error:
        raise SystemExit(usage_error.complain_of_usage(error)) from None
    except typer.Abort:
        raise SystemExit(1) from None
    raise SystemExit(ended if isinstance(ended, int) else 0)
