"""A deployment as text: what `caxton deploy status` shows, and the one line that says where it is."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from caxton.cli.output.printing import colour_wanted, paint, safe, span, state_style, table
from caxton.cli.output.replayed_turns import turn_lines
from caxton.presentation.deployments import check_fields, progress_fields, side_rows
from caxton.presentation.replays import asking_line, totals_line
from caxton.presentation.text import drain_words
from caxton.schemas.deployments import DeploymentBody, GateBody
from caxton.schemas.shape import plain


def where(found: DeploymentBody) -> str:
    """How far a deployment is, in one line."""
    name, strategy, revision = safe(found.agent), found.strategy, str(found.revision)[:12]
    progress: dict[str, Any] = found.progress or {}
    if found.state == "draining":
        left = f" ({drain_words(progress['drain'])})" if "drain" in progress else ""
        return f"{name} is revision {revision}; the old one ends its conversations{left}"
    match strategy:
        case "canary" if progress:
            stage = f"stage {progress['stage']} of {progress['stages']}, {progress['percent']:g} %"
            return f"{name}: canary of {revision}: {stage}, {span(progress['left_s'])} left"
        case "shadow" if progress:
            return f"{name}: shadow of {revision}: {span(progress['left_s'])} left"
        case _:
            return f"{name}: {strategy} of {revision}: {found.state}"


def deployment_lines(found: DeploymentBody) -> Iterator[str]:
    """Everything about a deployment, line by line."""
    parts = ("timings", "validation", "progress", "gate", "waits")
    fields: dict[str, Any] = plain(found)
    rows = {key: value for key, value in fields.items() if key not in parts}
    rows |= fields["timings"] or {}
    for name, value in rows.items():
        text = "-" if value is None else safe(value)
        yield _line(name.replace("_", " "), text, state_style(value) or "")
    for field in check_fields(found):
        yield _line(*field)
    if found.gate is not None:
        yield from _gate(found.gate, found.waits)
    progress: dict[str, Any] = found.progress or {}
    for field in progress_fields(found):
        yield _line(*field)
    if "sides" in progress:
        yield from _sides("this stage" if "stage" in progress else "", progress["sides"])
    for past in progress.get("past", []):
        yield from _sides(f"at {past['percent']:g} %", past)


def _line(name: str, text: str, style: str = "") -> str:
    return f"{paint(f'{name:<13}', 'bold')} {paint(text, style)}"


def _sides(title: str, sides: dict[str, Any]) -> list[str]:
    headings = (title.upper(), "OLD", "NEW")
    return table(side_rows(sides), [(heading, itemgetter(n)) for n, heading in enumerate(headings)])


def _gate(gate: GateBody, waits: bool) -> Iterator[str]:
    word = paint("stopped" if gate.stopped else "passed", "yellow" if gate.stopped else "green")
    why = f": {safe(gate.reason)}" if gate.reason else ""
    yield _line("gate", f"{gate.mode}  {word}{why}  ({totals_line(gate.totals)})")
    for turn in gate.turns:
        yield f"  {safe(turn.conversation_id)}"
        yield from (f"    {line}" for line in turn_lines(turn, colour=colour_wanted()))
    if waits:
        yield "it waits for: caxton deploy promote, caxton deploy abort, or a newer build"
        if gate.asking:
            yield f"{asking_line(gate)}: caxton deploy ask-live asks it for real"
