"""`caxton up`: start the project's daemon."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from caxton.cli import connection, daemon_process
from caxton.cli.lazy import lazy
from caxton.cli.options import Project, Timeout, command_app
from caxton.cli.output.printing import complain, plural, safe, span, talk
from caxton.errors import Exit, Unreachable

if TYPE_CHECKING:
    from caxton import config as configuration
    from caxton.cli import python_runtime
else:
    configuration, python_runtime = lazy("caxton.config", "caxton.cli.python_runtime")

app = command_app()

NAMED: Final = 5
"""Agents that recover and are named, each on a line."""


@app.command()
def up(
    project: Project = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in front: log here, end with Ctrl-C.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Exit with 0 also where some agents did not start.")
    ] = False,
    timeout: Timeout = 60.0,
) -> None:
    """Start the daemon of this project and wait until it is ready.

    It deploys the agents that caxton.toml names, takes up what was left when it last ended, and goes on after
    this command: its log is .caxton/daemon.log. A build that was dropped, taken back or rolled back before is not
    taken in because it stands at wasm; that is said.

    Exit code 5 where an agent did not start: it is named with its reason, the others run, and so does the daemon.

    \b
    Examples:
      caxton up
      caxton up --partial
      caxton up --foreground
      caxton -p ~/market up
    """
    folder = connection.folder(project)
    try:
        with connection.client(folder) as caxton:
            status = caxton.status()
    except Unreachable:
        pass
    else:
        unbuilt = status.agents.unbuilt
        waits = f"; {plural(unbuilt, 'agent')} still to be built by caxton dev" if unbuilt else ""
        talk(f"already running: pid {status.pid}, for {span(status.uptime_s)}{waits}")
        return
    config = configuration.load(folder)
    if python_runtime.is_wanted(config):
        python_runtime.install(folder)
        python_runtime.ensure()
    if foreground:
        os.chdir(folder)
        words = daemon_process.command(folder)
        os.execve(words[0], words, daemon_process.environment())
    process = daemon_process.launch(folder)
    daemon_process.wait_ready(folder, process, timeout, lambda why: talk(f"waiting: {why}"))
    with connection.client(folder) as caxton:
        failed, recovering = False, 0
        for agent in caxton.agents():
            if agent.state == "failed":
                failed = True
                complain(
                    f"{agent.name} did not start: {agent.reason or 'see .caxton/daemon.log'}",
                    f"the others run; correct it, then: caxton agent deploy {agent.name} FILE",
                )
            if agent.recovery is not None:
                recovering += 1
                if recovering <= NAMED:
                    talk(
                        f"{safe(agent.name)} is recovering: its turns are run again, {agent.recovery.percent} % so "
                        "far; what is sent to it waits"
                    )
            if agent.name == "topics":
                talk(
                    "topics is an agent of this project: topics of the platform (topic:NAME) are not offered"
                )
            if agent.name in config.config.outward():
                talk(
                    f"{safe(agent.name)} is an agent of this project: the effect of that name is not offered"
                )
            kept_out = agent.kept_out
            if kept_out:
                name = safe(agent.name)
                talk(
                    f"{name} keeps {str(agent.revision)[:8]}; at its wasm stands {kept_out.revision[:8]}, which "
                    f"{safe(kept_out.reason)}; to take it in: caxton agent deploy {name} "
                    f"{config.config.agents[agent.name].wasm}"
                )
        if recovering > NAMED:
            talk(f"{plural(recovering - NAMED, 'more agent')} still recovering")
        status = caxton.status()
    agents = status.agents
    talk(
        f"caxton is up: project {status.project}, pid {status.pid}, {plural(len(status.cells), 'cell')}, "
        f"{agents.running} of {agents.total} agents running"
    )
    if failed and not partial:
        raise typer.Exit(int(Exit.AGENT_FAILED))
