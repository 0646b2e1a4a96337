"""`caxton top`: agents and cells as they work, by how much they do.

In: two looks at the daemon's meters. Out: what happened between them, per second.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app, duration_option
from caxton.cli.output.printing import (
    Columns,
    document,
    listing,
    memory,
    paint,
    safe,
    say,
    size,
    span,
    table,
)
from caxton.presentation.rates import Pace, pace

if TYPE_CHECKING:
    from rich import live as rich_live
    from rich import text as rich_text

    from caxton.client import Client
    from caxton.schemas.daemon import AgentBody, CellBody, StatusBody
else:
    rich_live, rich_text = lazy("rich.live", "rich.text")

app = command_app()


class Order(StrEnum):
    """What the busiest is measured by."""

    RATE = "rate"
    FUEL = "fuel"
    MEMORY = "memory"
    WAITING = "waiting"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Look:
    """The daemon's meters at one moment; `at` in seconds of a clock that never goes back."""

    at: float
    status: StatusBody
    agents: Sequence[AgentBody]


@app.command()
def top(
    interval: Annotated[
        float,
        duration_option("--interval", "Time between two updates."),
    ] = 1.0,
    sort: Annotated[Order, typer.Option("--sort", help="What to sort by.")] = Order.RATE,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="End after this number of tables.")
    ] = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Watch agents and cells work; ends with Ctrl-C.

    In a terminal the table renews itself; elsewhere one table is printed after one interval.

    \b
    Examples:
      caxton top
      caxton top --sort memory --interval 2s
      caxton top -o json | jq '.agents[:3]'
    """
    interval = max(interval, 0.1)
    with connection.client(project) as caxton:
        if output is not Format.TEXT or not sys.stdout.isatty():
            _print(caxton, interval, sort, count or 1, output)
        else:
            _live(caxton, interval, sort, count)


def look(caxton: Client) -> Look:
    """The meters now."""
    return Look(time.monotonic(), caxton.status(), caxton.agents())


def paces(before: Look, now: Look, order: Order) -> list[Pace]:
    """What each agent did between two looks, sorted by `order`."""
    earlier = {agent.name: agent for agent in before.agents}
    passed_s = max(now.at - before.at, 1e-6)
    found = [pace(earlier.get(agent.name), agent, passed_s) for agent in now.agents]
    return sorted(found, key=partial(_rank, order))


def _rank(order: Order, pace: Pace) -> tuple[float, str]:
    match order:
        case Order.RATE:
            return -pace.turns_s, pace.name
        case Order.FUEL:
            return -pace.fuel_s, pace.name
        case Order.MEMORY:
            return -(pace.memory_kib or 0), pace.name
        case Order.WAITING:
            return -pace.waiting, pace.name
        case Order.NAME:
            return 0, pace.name
        case _:
            assert_never(order)


def _per_second(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}"


COLUMNS: Columns[Pace] = (
    ("AGENT", lambda one: one.name),
    ("STATE", lambda one: one.state),
    ("CELL", lambda one: one.cell),
    ("TURNS/S", lambda one: _per_second(one.turns_s)),
    ("SENT/S", lambda one: _per_second(one.sent_s)),
    ("FUEL/S", lambda one: _per_second(one.fuel_s)),
    ("BUSY", lambda one: f"{one.busy:.0%}"),
    ("WAITING", lambda one: one.waiting),
    ("MEMORY", lambda one: memory(one.memory_kib)),
    ("FAILED", lambda one: one.failed),
    ("RESTARTS", lambda one: one.restarts),
)
CELL_COLUMNS: Columns[CellBody] = (
    ("CELL", lambda cell: cell.no),
    ("STATE", lambda cell: cell.state),
    ("AGENTS", lambda cell: cell.agents),
    ("IN FLIGHT", lambda cell: cell.in_flight),
    ("MEMORY", lambda cell: size((cell.rss_kib or 0) * 1024)),
    ("CPU S", lambda cell: round(cell.cpu_s or 0, 1)),
    ("RESTARTS", lambda cell: cell.restarts),
)
SHOWN_CELLS = 8
"""Cells that a screen has room for."""


def _print(caxton: Client, interval: float, order: Order, count: int, output: Format) -> None:
    before = look(caxton)
    for _ in range(count):
        time.sleep(interval)
        now = look(caxton)
        found = paces(before, now, order)
        before = now
        if output is not Format.TEXT:
            document({"cells": now.status.cells, "agents": [asdict(one) for one in found]}, output)
            continue
        listing(now.status.cells, output, CELL_COLUMNS, "no cells")
        say()
        listing(found, output, COLUMNS, "no agents")


def _live(caxton: Client, interval: float, order: Order, count: int | None) -> None:
    before = look(caxton)
    shown = 0
    with rich_live.Live(screen=True, auto_refresh=False) as live:
        while count is None or shown < count:
            time.sleep(interval)
            now = look(caxton)
            text = "\n".join(screen(now, before, order, live.console.height))
            live.update(rich_text.Text.from_ansi(text, no_wrap=True, overflow="ellipsis"), refresh=True)
            before = now
            shown += 1


def screen(now: Look, before: Look, order: Order, height: int) -> list[str]:
    """The lines of a screen: totals, cells, and of the agents as many as fit."""
    found = paces(before, now, order)
    status = now.status
    turns, fuel = sum(one.turns_s for one in found), sum(one.fuel_s for one in found)
    head = (
        f"{safe(status.project)}  up {span(status.uptime_s)}  {turns:,.0f} turns/s  {fuel:,.0f} fuel/s"
        f"  {status.agents.running} of {status.agents.total} agents running  "
        f"journal {size(status.journal.bytes)}, {status.journal.waiting_rows:,} rows waiting"
    )
    cells = table(status.cells[:SHOWN_CELLS], CELL_COLUMNS)
    room = max(height - len(cells) - 5, 1)
    agents = table(found[:room], COLUMNS, lambda one: "red" if one.failed_s else None)
    more = [paint(f"… {len(found) - room:,} more", "dim")] if len(found) > room else []
    return [paint(head, "bold"), "", *cells, "", *agents, *more]
