"""`caxton agent`: deploy agents, look at them, stop and start them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from caxton.cli import connection, filtered_lists, list_view
from caxton.cli.commands.agent_deploy import deploy
from caxton.cli.commands.agent_transfer import export, take_in
from caxton.cli.list_view import ListView
from caxton.cli.options import AgentName, Format, Limit, Output, Project, Since, Until, command_app
from caxton.cli.output.agent_tree import TREE, tree_of
from caxton.cli.output.columns import Column
from caxton.cli.output.printing import (
    Columns,
    document,
    listing,
    memory,
    paint,
    safe,
    say,
    shown,
    state_style,
    talk,
)
from caxton.finding.subjects import Moment
from caxton.presentation.json_line import compact
from caxton.schemas.daemon import AgentBody
from caxton.schemas.messages import LogBody
from caxton.schemas.shape import plain, shaped, text_of

app = command_app("Deploy, show, stop and start agents.")


app.command()(deploy)
app.command()(export)
app.command("import")(take_in)


@app.command("list")
@list_view.options
def list_agents(view: ListView, project: Project = None) -> None:
    """List the agents of the running daemon.

    \b
    Examples:
      caxton agent list
      caxton agent list --sort -memory --columns name,memory --watch
      caxton agent list -o jsonl | jq -r 'select(.state == "failed") | .name'
    """
    with connection.client(project) as caxton:
        view.show(caxton.agents, COLUMNS, "no agents; deploy one: caxton agent deploy NAME FILE")


@app.command()
def show(name: AgentName, project: Project = None, output: Output = Format.TEXT) -> None:
    """Show one agent: its state, revision, limits, settings and meters.

    \b
    Examples:
      caxton agent show echo
      caxton agent show echo -o json
    """
    with connection.client(project) as caxton:
        agent = caxton.agent(name)
    shown(agent, output, _lines(plain(agent)))


@app.command()
def tree(project: Project = None, output: Output = Format.TEXT) -> None:
    """Show which agents made which: each below its maker, with its state.

    Makers that are no agents here, such as operators, stand at the top without a state.

    \b
    Examples:
      caxton agent tree
      caxton agent tree -o jsonl | jq -r 'select(.maker == "foreman") | .name'
    """
    with connection.client(project) as caxton:
        agents = caxton.agents()
    listing(tree_of(agents), output, TREE, "no agents; deploy one: caxton agent deploy NAME FILE")


def _lines(fields: dict[str, Any]) -> Iterator[str]:
    for key, value in fields.items():
        label = paint(f"{key.replace('_', ' '):<14}", "bold")
        match value:
            case dict() if value:
                yield label.rstrip()
                for inner, one in cast("dict[str, object]", value).items():
                    yield f"  {safe(inner):<14} {f'{one:,}' if isinstance(one, int) else compact(one)}"
            case dict() | list():
                words = ", ".join(safe(one) for one in cast("list[object]", value))
                yield f"{label} {words or '-'}"
            case int():
                yield f"{label} {value:,}"
            case _:
                yield f"{label} {paint(safe('-' if value is None else value), state_style(value))}"


@app.command()
def stop(
    name: AgentName,
    now: Annotated[
        bool,
        typer.Option("--now", help="Only finish the present turn; waiting messages become dead letters."),
    ] = False,
    project: Project = None,
) -> None:
    """Stop an agent when it has handled what waits.

    It takes nothing new from then on, and stays stopped over a restart of the daemon.

    \b
    Examples:
      caxton agent stop seller-ann
      caxton agent stop seller-ann --now
    """
    _change(project, name, "stop" if now else "drain")


@app.command()
def start(name: AgentName, project: Project = None) -> None:
    """Start an agent that was stopped or has failed.

    \b
    Example:
      caxton agent start seller-ann
    """
    _change(project, name, "start")


@app.command()
def suspend(name: AgentName, project: Project = None) -> None:
    """Let an agent take no turn; its mail waits in its mailbox.

    The turns that its cell has already are finished first. It stays suspended over a restart of the daemon.

    \b
    Example:
      caxton agent suspend seller-ann
    """
    _change(project, name, "suspend")


@app.command()
def resume(name: AgentName, project: Project = None) -> None:
    """Resume a suspended agent; it handles the waiting messages first.

    \b
    Example:
      caxton agent resume seller-ann
    """
    _change(project, name, "resume")


@app.command()
def restart(name: AgentName, project: Project = None) -> None:
    """Start an agent again in a new sandbox; what waits for it stays.

    Its state comes back from its snapshot where it has one.

    \b
    Example:
      caxton agent restart seller-ann
    """
    _change(project, name, "restart")


@app.command()
def remove(
    name: AgentName,
    project: Project = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove an agent. Its messages stay in the journal; those that wait for it become dead letters.

    \b
    Examples:
      caxton agent remove seller-ann
      caxton agent remove seller-ann --yes
    """
    with connection.client(project, timeout_s=60.0) as caxton:
        caxton.agent(name)
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Remove {safe(name)}?", abort=True, err=True)
        caxton.remove_agent(name)
    talk(f"{safe(name)}: removed")


@app.command()
def logs(
    name: AgentName,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Follow new lines; end with Ctrl-C.")
    ] = False,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Show the newest lines of what an agent wrote to its log.

    \b
    Examples:
      caxton agent logs buyer
      caxton agent logs buyer --since 10m
      caxton agent logs buyer --follow
    """
    wanted = filtered_lists.wanted("", since, until)
    with connection.client(project) as caxton:
        # what is logged while the lines are read comes with the stream
        after = caxton.status().journal.committed_seq
        records = filtered_lists.newest(
            lambda most: caxton.agent_logs(name, limit=most, newest=True),
            lambda one: Moment(one.at),
            wanted,
            limit,
        )[::-1]
        if output is Format.TEXT:
            for record in records:
                _log_line(record)
        else:
            listing(records, Format.JSONL if follow else output, [], "")
        if follow:
            after = records[-1].seq if records else after
            for event in caxton.events(after=after, kinds=["log"], agent=name):
                if event.kind == "log" and output is Format.TEXT:
                    _log_line(_record(event.data))
                elif event.kind == "log":
                    document(_record(event.data), Format.JSONL)


def _record(event: dict[str, Any]) -> LogBody:
    """A log event in the shape of a listed log line."""
    fields = dict(event["body"])
    level, message = fields.pop("level"), fields.pop("message")
    found = {"seq": event["seq"], "at": event["at"], "level": level, "message": message, "fields": fields}
    return shaped(found, LogBody)


def _log_line(record: LogBody) -> None:
    styles = {"error": "red", "warning": "yellow", "warn": "yellow", "debug": "dim"}
    level = record.level
    # a traceback has lines of its own
    first, *others = record.message.split("\n")
    say(f"{paint(text_of(record.at), 'dim')} {paint(f'{safe(level):<7}', styles.get(level))} {safe(first)}")
    for line in others:
        say(f"    {safe(line)}")


COLUMNS: Columns[AgentBody] = (
    ("NAME", lambda a: a.name),
    ("STATE", lambda a: f"{a.state} {a.recovery.percent} %" if a.recovery else a.state),
    Column("REVISION", lambda a: (a.revision or "-")[:12], rank=7),
    Column("CELL", lambda a: a.cell, rank=9),
    ("WAITING", lambda a: a.mailbox),
    ("TURNS", lambda a: a.turns),
    Column("FAILED", lambda a: a.failed_turns, rank=2),
    ("SENT", lambda a: a.sent),
    Column("MEMORY", lambda a: a.memory_kib, lambda kib: "-" if kib == 0 else memory(kib)),
    Column("RESTARTS", lambda a: a.restarts, rank=5),
    Column("MAKER", lambda a: a.maker or "", rank=8),
    ("LAST ERROR", lambda a: a.reason or a.snapshot_error or a.last_error or ""),
)


def _change(project: Path | None, name: str, step: str) -> None:
    with connection.client(project, timeout_s=60.0) as caxton:
        agent = caxton.change_agent(name, step)
    talk(f"{safe(name)}: {agent.state}")
