"""`caxton top`: agents and cells as they work, by how much they do.

In: two looks at the daemon's meters. Out: what happened between them, per second.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, assert_never

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app, seconds
from caxton.cli.output.printing import document, listing, memory, safe, say, size, span, state_style

if TYPE_CHECKING:
    from rich import console as rich_console
    from rich import live as rich_live
    from rich import table as rich_table
    from rich import text as rich_text

    from caxton.client import Client
    from caxton.schemas.daemon import AgentBody, StatusBody
else:
    rich_console, rich_live, rich_table, rich_text = lazy(
        "rich.console", "rich.live", "rich.table", "rich.text"
    )

app = command_app()


class Order(StrEnum):
    """What the busiest is measured by."""

    RATE = "rate"
    FUEL = "fuel"
    MEMORY = "memory"
    WAITING = "waiting"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Pace:
    """One agent between two looks: what it did per second, and the rest as it is now."""

    name: str
    state: str
    cell: int | None
    turns_s: float
    sent_s: float
    fuel_s: float
    failed_s: float
    busy: float
    """Share of the time that it spent in turns, 0 to 1."""
    waiting: int
    memory_kib: int | None
    failed: int
    restarts: int


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
        typer.Option("--interval", metavar="DURATION", parser=seconds, help="Time between two updates."),
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
    """What each agent did between two looks, sorted by `order`. One that began again counts from zero."""
    earlier = {agent.name: agent for agent in before.agents}
    passed = max(now.at - before.at, 1e-6)

    def per_second(agent: AgentBody, count: Callable[[AgentBody], int]) -> float:
        total, before_it = count(agent), earlier.get(agent.name)
        grown = total - (count(before_it) if before_it else 0)
        return (grown if grown >= 0 else total) / passed

    found = [
        Pace(
            name=agent.name,
            state=agent.state,
            cell=agent.cell,
            turns_s=per_second(agent, lambda one: one.turns),
            sent_s=per_second(agent, lambda one: one.sent),
            fuel_s=per_second(agent, lambda one: one.fuel),
            failed_s=per_second(agent, lambda one: one.failed_turns),
            busy=min(per_second(agent, lambda one: one.turn_us) / 1e6, 1.0),
            waiting=agent.mailbox,
            memory_kib=agent.memory_kib,
            failed=agent.failed_turns,
            restarts=agent.restarts,
        )
        for agent in now.agents
    ]
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


def _print(caxton: Client, interval: float, order: Order, count: int, output: Format) -> None:
    before = look(caxton)
    for _ in range(count):
        time.sleep(interval)
        now = look(caxton)
        found = paces(before, now, order)
        before = now
        if output is not Format.TEXT:
            document({"cells": now.status.cells, "agents": [asdict(pace) for pace in found]}, output)
            continue
        listing(
            now.status.cells,
            output,
            [
                ("CELL", lambda cell: cell.no),
                ("STATE", lambda cell: cell.state),
                ("AGENTS", lambda cell: cell.agents),
                ("IN FLIGHT", lambda cell: cell.in_flight),
                ("MEMORY", lambda cell: size((cell.rss_kib or 0) * 1024)),
                ("CPU S", lambda cell: round(cell.cpu_s or 0, 1)),
                ("RESTARTS", lambda cell: cell.restarts),
            ],
            "no cells",
        )
        say()
        listing(
            [asdict(pace) for pace in found],
            output,
            [(heading, partial(_shown, key)) for heading, key in COLUMNS],
            "no agents",
        )


COLUMNS = (
    ("AGENT", "name"),
    ("STATE", "state"),
    ("CELL", "cell"),
    ("TURNS/S", "turns_s"),
    ("SENT/S", "sent_s"),
    ("FUEL/S", "fuel_s"),
    ("BUSY", "busy"),
    ("WAITING", "waiting"),
    ("MEMORY", "memory_kib"),
    ("FAILED", "failed"),
    ("RESTARTS", "restarts"),
)
"""The table's columns and the field of `Pace` that each shows."""


def _cell(key: str, value: Any) -> object:
    if key == "memory_kib":
        return memory(value)
    if key == "busy":
        return f"{value:.0%}"
    if key.endswith("_s"):
        return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}"
    return value


def _shown(key: str, row: dict[str, Any]) -> object:
    return _cell(key, row[key])


def _live(caxton: Client, interval: float, order: Order, count: int | None) -> None:
    console = rich_console.Console()
    before = look(caxton)
    shown = 0
    try:
        with rich_live.Live(console=console, screen=True, auto_refresh=False) as live:
            while count is None or shown < count:
                time.sleep(interval)
                now = look(caxton)
                live.update(_screen(now, before, order, console.height), refresh=True)
                before = now
                shown += 1
    except KeyboardInterrupt:
        return


def _screen(now: Look, before: Look, order: Order, height: int) -> rich_console.RenderableType:
    found = paces(before, now, order)
    status = now.status
    cells = status.cells
    turns, fuel = sum(pace.turns_s for pace in found), sum(pace.fuel_s for pace in found)
    head = rich_text.Text(
        f"{safe(status.project)}  up {span(status.uptime_s)}  {turns:,.0f} turns/s  {fuel:,.0f} fuel/s"
        f"  {status.agents.running} of {status.agents.total} agents running  "
        f"journal {size(status.journal.bytes)}, {status.journal.waiting_rows:,} rows waiting",
        style="bold",
        overflow="ellipsis",
        no_wrap=True,
    )
    lines = [
        rich_text.Text(
            f"cell {cell.no}: {cell.state}, {cell.agents:,} agents, {cell.in_flight:,} in flight,"
            f" {size((cell.rss_kib or 0) * 1024)}, {cell.restarts} restarts",
            style=state_style(cell.state) or "",
            overflow="ellipsis",
            no_wrap=True,
        )
        for cell in cells[:8]
    ]
    table = rich_table.Table(box=None, padding=(0, 2, 0, 0), expand=False)
    for heading, key in COLUMNS:
        table.add_column(heading, justify="left" if key in ("name", "state") else "right", no_wrap=True)
    room = max(height - len(lines) - 5, 1)
    for pace in found[:room]:
        row = asdict(pace)
        style = state_style(pace.state) if pace.state != "running" else None
        cells_text = ["-" if row[key] is None else safe(_cell(key, row[key])) for _, key in COLUMNS]
        table.add_row(*(rich_text.Text(text) for text in cells_text), style="red" if pace.failed_s else style)
    more = [rich_text.Text(f"… {len(found) - room:,} more", style="dim")] if len(found) > room else []
    return rich_console.Group(head, *lines, rich_text.Text(), table, *more)
