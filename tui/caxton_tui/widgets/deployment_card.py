"""One deployment in full: what changed, how it was tried, how far it is, and how both revisions do.

In: a deployment as the API gives it, and of its agent the newest turns. Out: text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from caxton.presentation.deployments import Field, check_fields, progress_fields, side_rows
from caxton.presentation.json_line import compact
from caxton.presentation.text import safe, span
from caxton.schemas.deployments import DeploymentBody
from caxton.schemas.messages import TurnRow
from caxton.schemas.shape import plain
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.model.json_object import Json
from caxton_tui.model.meter_history import percentile
from caxton_tui.widgets.replay_card import difference, gate_lines
from caxton_tui.widgets.tables.columns import fields

_SIGNS: Final = {"running": "●", "failed": "✗", "rolled_back": "↶"}
_KNOWN: Final = frozenset(
    {"id", "agent", "revision", "previous", "strategy", "state", "reason", "created_at", "updated_at"}
    | {"timings", "memory", "memory_reason", "unchanged", "validation", "progress", "gate", "waits"}
)
_CUT: Final = 1_000
_SOME: Final = 3
"""Turns that differ and stand on the card; all of them are shown by themselves."""


def sign(one: DeploymentBody) -> str:
    """One character for how a deployment stands."""
    return "◷" if one.waits else _SIGNS.get(one.state, "◌")


def stands(one: DeploymentBody) -> str:
    """Its state in a word: what waits for a decision says so."""
    return "waits" if one.waits else safe(one.state)


def described(one: DeploymentBody, context: ViewContext) -> RenderableType:
    """A deployment in full."""
    rows = (
        *_head(one, context),
        *gate_lines(one, context.key),
        *_fields(one, context),
        *check_fields(one),
        *progress_fields(one),
    )
    parts: list[RenderableType] = [fields(rows, 9)]
    gate = one.gate
    if gate is not None and gate.turns:
        parts += [Text(""), difference(gate, _SOME)]
    progress: Json = one.progress or {}
    if progress.get("sides"):
        parts += [Text(""), _side_by_side(("measured", "old", "new"), side_rows(progress["sides"]))]
    figures = _figures(one, context.store.turns)
    if figures is not None:
        parts += [Text(""), figures]
    return Group(*parts)


def _head(one: DeploymentBody, context: ViewContext) -> Iterator[Field]:
    bad = "bold red" if one.state in ("failed", "rolled_back") else ""
    yield "agent", formatting.short(one.agent, context.store.platform), "bold"
    yield "state", f"{sign(one)} {stands(one)}", "bold yellow" if one.waits else bad
    if one.reason:
        yield "reason", safe(one.reason)[:_CUT], bad


def _fields(one: DeploymentBody, context: ViewContext) -> Iterator[Field]:
    yield "from", str(one.previous or "nothing")[:16], ""
    yield "to", str(one.revision or "none")[:16] + (", the same as before" if one.unchanged else ""), ""
    yield "strategy", safe(one.strategy), ""
    if one.memory:
        why = f": {safe(one.memory_reason)}" if one.memory_reason else ""
        yield "memory", safe(one.memory) + why, ""
    timings: Json = plain(one.timings) if one.timings else {}
    steps = [
        f"{name[:-3]} {span(value / (1e3 if name.endswith('_ms') else 1e6))}"
        for name, value in timings.items()
        if isinstance(value, int | float) and name.endswith(("_ms", "_us"))
    ]
    if steps:
        yield "took", ", ".join(steps) + (", compiled before" if timings.get("cached") else ""), ""
    yield "began", context.hour(one.created_at), ""
    # what is added later is shown as it comes
    fields: Json = plain(one)
    for name, value in fields.items():
        if name not in _KNOWN and value not in (None, False, [], {}):
            yield safe(name), value if isinstance(value, str) else compact(value, 400), ""


def _figures(one: DeploymentBody, turns: Sequence[TurnRow]) -> RenderableType | None:
    """Both revisions over the newest turns; None where there was none."""
    builds = [str(build) for build in (one.previous, one.revision) if build]
    found = [[turn for turn in turns if turn.revision == build] for build in builds]
    if not any(found):
        return None
    rows = [
        ("turns", *(f"{len(of):,}" for of in found)),
        ("failed", *(f"{sum(turn.status != 'ok' for turn in of):,}" for of in found)),
        ("turn p50", *(_span_at([turn.turn_us for turn in of], 0.5) for of in found)),
        ("turn p99", *(_span_at([turn.turn_us for turn in of], 0.99) for of in found)),
        ("waited p99", *(_span_at([turn.queue_us for turn in of], 0.99) for of in found)),
        ("fuel p50", *(f"{percentile([turn.fuel for turn in of], 0.5):,.0f}" if of else "–" for of in found)),
    ]
    return _side_by_side(("newest turns", *(build[:7] for build in builds)), rows)


def _span_at(times_us: Sequence[float], part: float) -> str:
    return span(percentile(times_us, part) / 1e6) if times_us else "–"


def _side_by_side(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> RenderableType:
    grid = Grid(box=None, padding=(0, 2, 0, 0))
    grid.add_column(headings[0], style="dim")
    for heading in headings[1:]:
        grid.add_column(heading, justify="right")
    for row in rows:
        grid.add_row(*row)
    return grid
