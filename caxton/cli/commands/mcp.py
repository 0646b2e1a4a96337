"""`caxton mcp`: the workbench for coding agents, as an MCP server over stdio."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Project, command_app, one_of
from caxton.cli.output.printing import say, talk
from caxton.errors import ConfigurationError

if TYPE_CHECKING:
    from caxton import config, install_hint
    from caxton.cli.mcp import clients, server, tools
else:
    config, install_hint, clients, server, tools = lazy(
        "caxton.config",
        "caxton.install_hint",
        "caxton.cli.mcp.clients",
        "caxton.cli.mcp.server",
        "caxton.cli.mcp.tools",
    )

app = command_app()

KNOWN = ("claude", "cursor", "vscode", "gemini")

ReadOnly = Annotated[
    bool, typer.Option("--read-only", help="Without the tools that change something: send, deploy, task.")
]


@app.callback(invoke_without_command=True)
def mcp(ctx: typer.Context, read_only: ReadOnly = False, project: Project = None) -> None:
    """Serve this project's workbench to a coding agent, by MCP over stdio.

    It has eleven tools: status, agents, send, conversations, conversation, events, problems, replay, deploy, task and
    docs; conversations and the documentation are resources. It speaks to the project's daemon, or to
    the one of the context in use, which may be started and stopped meanwhile. A person does not type this: `caxton
    mcp install` says what a client wants to be told.

    \b
    Examples:
      caxton mcp install claude --write
      caxton mcp --read-only
    """
    if ctx.invoked_subcommand is not None:
        return
    if find_spec("mcp") is None:
        raise ConfigurationError(
            "the MCP server needs a package of its own", hint=install_hint.install_hint("mcp")
        )
    # where there is no project and no context, that is said before a client waits for it
    here = isinstance(connection.place(project), Path)
    if sys.stdin.isatty():
        talk(
            "this speaks MCP on stdin, for a coding agent; caxton mcp install tells one of it; Ctrl-C ends it"
        )
    approve = here and _may_approve(connection.folder(project))
    server.server(tools.Tools.of(project), read_only=read_only, approve=approve).run("stdio")


def _may_approve(folder: Path) -> bool:
    """Whether the project lets coding agents decide about approvals; not while its configuration cannot be read."""
    try:
        return config.load(folder).config.mcp.approve
    except ConfigurationError:
        return False


@app.command()
def install(
    client: Annotated[
        str, typer.Argument(help="claude, cursor, vscode or gemini.", autocompletion=one_of(*KNOWN))
    ] = "claude",
    write: Annotated[
        bool, typer.Option("--write", help="Write it into the client's file in the project's folder.")
    ] = False,
    read_only: ReadOnly = False,
    project: Project = None,
) -> None:
    """Print what a coding agent wants to be told of the server, or write it into its file in this project.

    What stands in the file stays; a server of the name caxton is replaced.

    \b
    Examples:
      caxton mcp install
      caxton mcp install vscode
      caxton mcp install cursor --write --read-only
    """
    if client not in clients.CLIENTS:
        raise ConfigurationError(
            f"there is no client {client!r}", hint=f"one of {', '.join(clients.CLIENTS)}"
        )
    folder = connection.folder(project)
    command = [sys.executable, "-m", "caxton.cli", "mcp", "--project", str(folder)]
    command += ["--read-only"] if read_only else []
    chosen = clients.CLIENTS[client]
    if write:
        talk(f"{chosen.write(folder, command)} tells {chosen.title} of it")
    else:
        talk(f"{chosen.title} reads this in {chosen.file}, in the project's folder:")
        say(chosen.snippet(command))
    if find_spec("mcp") is None:
        talk(f"the server needs a package of its own: {install_hint.install_hint('mcp')}")
