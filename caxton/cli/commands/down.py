"""`caxton down`: end the project's daemon."""

from __future__ import annotations

from typing import Annotated

import typer

from caxton.cli import connection, daemon_process
from caxton.cli.options import Project, Timeout, command_app
from caxton.cli.output.printing import talk
from caxton.errors import TimedOut, Unreachable

app = command_app()


@app.command()
def down(
    project: Project = None,
    timeout: Timeout = 30.0,
    force: Annotated[
        bool,
        typer.Option("--force", help="Kill it if it does not end in time. No acknowledged message is lost."),
    ] = False,
) -> None:
    """Stop the daemon of this project.

    Turns finish, agents are kept as they are, the journal is closed. Messages that wait are handled after
    the next `caxton up`.

    \b
    Examples:
      caxton down
      caxton down --timeout 5s --force
    """
    folder = connection.folder(project)
    pid = daemon_process.running(folder)
    if pid is None:
        talk("not running")
        return
    try:
        with connection.client(folder, timeout_s=timeout) as caxton:
            caxton.stop_daemon()
    except (Unreachable, TimedOut):
        # It may be ending already, or hang; whether it is gone shows below.
        pass
    if daemon_process.wait_gone(folder, timeout):
        talk(f"stopped: pid {pid}")
    elif force and daemon_process.kill(folder) is not None and daemon_process.wait_gone(folder, 10.0):
        talk(f"killed: pid {pid}")
    else:
        raise TimedOut(
            f"the daemon (pid {pid}) has not ended after {timeout:g} s",
            hint="give it more time with --timeout, or end it hard with --force",
        )
