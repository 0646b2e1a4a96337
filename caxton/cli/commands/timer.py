"""`caxton timer`: when which agent wants to be woken."""

from __future__ import annotations

from caxton.cli import connection, list_view
from caxton.cli.list_view import ListView
from caxton.cli.options import Limit, Project, SomeAgent, command_app
from caxton.cli.output.columns import Column
from caxton.duration import spelled
from caxton.presentation.json_line import compact
from caxton.presentation.names import short
from caxton.schemas.daemon import TimerBody

app = command_app("Show the timers of agents.")


@app.callback()
def timer() -> None:
    """Show the timers of agents."""


@app.command("list")
@list_view.options
def list_timers(
    view: ListView, agent: SomeAgent = None, limit: Limit = 1000, project: Project = None
) -> None:
    """List the timers that agents have set, the next to ring first.

    \b
    Examples:
      caxton timer list
      caxton timer list --agent meter -o jsonl | jq -r .due_at
    """
    with connection.client(project) as caxton:
        view.show(
            lambda: caxton.timers(agent=agent, limit=limit),
            [
                ("DUE", lambda t: t.due_at),
                Column("AGENT", lambda t: short(t.owner), rank=0),
                ("TAG", lambda t: compact(t.tag)),
                ("RULE", _rule),
                ("BEAT", lambda t: t.beat if t.kind != "once" else "-"),
                ("OF", lambda t: t.count or "-"),
                ("MISSED", lambda t: t.missed),
                ("CONVERSATION", lambda t: t.conversation_id),
            ],
            "no timers are set",
            limit,
            "next",
        )


def _rule(timer: TimerBody) -> str:
    if timer.cron is not None:
        return f"{timer.cron} {timer.zone or 'UTC'}"
    if timer.every_ms is None:
        return "once"
    every = f"{timer.every_ms:g}ms" if timer.every_ms < 1000 else spelled(timer.every_ms / 1000)
    return f"every {every}{', catch-up' if timer.catch_up else ''}"
