"""`caxton mailbox`: what waits for an agent."""

from __future__ import annotations

from typing import Annotated

import typer

from caxton.cli import connection, list_view
from caxton.cli.list_view import ListView
from caxton.cli.options import AgentName, Find, Limit, Project, command_app
from caxton.cli.output.printing import say
from caxton.presentation.json_line import compact
from caxton.schemas.daemon import MailBody

app = command_app("Show what waits for an agent, or empty it.")


@app.command("list")
@list_view.options
def list_mail(
    view: ListView,
    name: AgentName,
    filter: Find = "",
    limit: Limit = 1000,
    project: Project = None,
) -> None:
    """List the messages that wait for an agent, in the order in which it will handle them.

    The cell has some of them already; nothing overtakes those.

    \b
    Examples:
      caxton mailbox list worker
      caxton mailbox list worker -f from:foreman -o jsonl | jq -r .message.content
    """
    with connection.client(project) as caxton:
        view.show(
            lambda: caxton.mailbox(name, filter=filter, limit=limit),
            [
                ("PLACE", lambda m: m.place),
                ("MESSAGE", lambda m: m.seq),
                ("SINCE", lambda m: m.since),
                ("FROM", lambda m: m.message.json["sender"]),
                ("ACT", lambda m: m.message.json["performative"]),
                ("STATE", lambda m: _state(m)),
                ("CONTENT", lambda m: compact(m.message.json.get("content"), 200)),
            ],
            f"nothing waits for {name}",
            limit,
            "next",
        )


@app.command()
def purge(
    name: AgentName,
    filter: Find = "",
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="What the senders are told.")
    ] = None,
    project: Project = None,
) -> None:
    """Make the messages that wait for an agent dead letters; who sent them is told.

    What its cell has already is handled. Dead letters can be delivered again: caxton dead-letter redeliver.

    \b
    Examples:
      caxton mailbox purge worker
      caxton mailbox purge worker -f from:foreman --reason "the order was withdrawn"
    """
    with connection.client(project) as caxton:
        gone = caxton.purge(name, filter=filter, reason=reason).purged
    say(f"{gone:,} {'message is a dead letter' if gone == 1 else 'messages are dead letters'} now")


def _state(one: MailBody) -> str:
    if one.in_cell:
        return "in cell"
    return f"put back {one.put_backs}x" if one.put_backs else "urgent" if one.urgent else "waiting"
