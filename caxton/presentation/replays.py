"""A replay in words, the same for the command line and for every viewer.

In: totals and turns of a replay (`ReplayTotals`, `ReplayTurn`), such as the gate of a deployment has them. Out: plain
lines that a terminal shows and never obeys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from caxton.presentation.json_line import compact
from caxton.presentation.text import safe
from caxton.schemas.deployments import ReplayTotals, ReplayTurn

_ARROWS: Final = {"added": "+", "removed": "-"}


def totals_line(totals: ReplayTotals) -> str:
    """A replay in a line: `18 same, 2 changed, 0 illegal, fuel -3 %`."""
    parts = [f"{totals.same} same", f"{totals.changed} changed", f"{totals.illegal} illegal"]
    if totals.trapped:
        parts.append(f"{totals.trapped} trapped")
    if totals.not_run:
        parts.append(f"{totals.not_run} not run")
    before, after = totals.fuel_before, totals.fuel_after
    if before:
        change = (after - before) / before * 100
        parts.append(f"fuel {change:+.0f} %" if abs(change) >= 0.5 else "fuel as before")
    return ", ".join(parts)


def turn_words(turn: ReplayTurn) -> tuple[str, ...]:
    """A turn at a glance: its message, its agent, the verdict, fuel and memory then and now; none of them empty."""
    before, after = turn.before, turn.after
    memory = then_and_now(before.memory_kib, after.memory_kib if after else None, known=False)
    return (
        f"#{turn.seq}",
        safe(turn.agent),
        f"{turn.performative} from {safe(turn.sender)}",
        turn.verdict.replace("_", " "),
        f"fuel {then_and_now(before.fuel, after.fuel if after else None)}",
        *((f"memory {memory} KiB",) if memory else ()),
    )


def difference_lines(turn: ReplayTurn, width: int | None = None) -> Iterator[str]:
    """What differs in a turn, place by place; values cut to `width` characters."""
    if turn.after:
        if turn.before.status != turn.after.status:
            yield f"{turn.before.status} → {turn.after.status}"
        if turn.after.error:
            yield safe(turn.after.error)
    for one in turn.differences:
        if one.kind == "changed":
            yield f"{safe(one.path)}  {compact(one.before, width)} → {compact(one.after, width)}"
        else:
            value = one.after if one.kind == "added" else one.before
            yield f"{_ARROWS[one.kind]} {safe(one.path)}  {compact(value, width)}"
    for illegal in turn.illegal:
        legal = ", ".join(illegal.legal) or "nothing"
        yield f"[{illegal.message}] {illegal.rule}: {illegal.sentence}; legal: {legal}"


def then_and_now(before: int | None, after: int | None, *, known: bool = True) -> str:
    """A figure then and now; once where they are the same. `known`: the one of then is worth a line by itself."""
    if before is None and after is None:
        return ""
    if after is None or before == after:
        return f"{before:,}" if before is not None and (known or after is not None) else ""
    return f"{after:,}" if before is None else f"{before:,} → {after:,}"
