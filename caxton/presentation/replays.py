"""A replay in words, the same for the command line and for every viewer.

In: totals and turns of a replay (`ReplayTotals`, `ReplayTurn`), such as the gate of a deployment has them. Out: plain
lines that a terminal shows and never obeys.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Final

from caxton.presentation.json_line import compact
from caxton.presentation.text import safe
from caxton.schemas.deployments import GateBody, ReplayAsked, ReplayTotals, ReplayTurn

ASKING: Final = 5
"""Conversations that are named in a line."""
_ARROWS: Final = {"added": "+", "removed": "-"}


def totals_line(totals: ReplayTotals) -> str:
    """A replay in a line: `18 same, 2 changed, 0 illegal, fuel -3 %`."""
    parts = [f"{totals.same} same", f"{totals.changed} changed", f"{totals.illegal} illegal"]
    if totals.trapped:
        parts.append(f"{totals.trapped} trapped")
    if totals.not_run:
        parts.append(f"{totals.not_run} not run")
    if totals.asks:
        spent = cost(totals.tokens, totals.money)
        most = "" if totals.live else "at most "
        parts.append(
            f"{totals.asks} asked {'live' if totals.live else 'anew'}"
            + (f" ({most}{spent})" if spent else "")
        )
    before, after = totals.fuel_before, totals.fuel_after
    if before:
        change = (after - before) / before * 100
        parts.append(f"fuel {change:+.0f} %" if abs(change) >= 0.5 else "fuel as before")
    return ", ".join(parts)


def asking_line(gate: GateBody) -> str:
    """In which conversations a build asks anew; empty where in none."""
    more = f" and {len(gate.asking) - ASKING} more" if len(gate.asking) > ASKING else ""
    return f"asks anew in {', '.join(safe(one) for one in gate.asking[:ASKING])}{more}" if gate.asking else ""


def cost(tokens: int, money: float) -> str:
    """Tokens and money, where there are any: `1,214 tokens, 0.0021 of money`."""
    return ", ".join(
        ([f"{tokens:,} tokens"] if tokens else []) + ([f"{money:,.4f} of money"] if money else [])
    )


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
    for asked in turn.asks:
        yield f"asks {safe(asked.to.partition('@')[0])} something {'else' if asked.before is not None else 'more'}"
        yield from (safe(line if width is None else line[:width]) for line in _prompt_lines(asked))
        if asked.source:
            spent = cost(asked.tokens, asked.money) or (
                "asked live" if asked.source == "live" else "from the record"
            )
            yield f"  answered ({spent})  {compact(asked.answer, width)}"
    for illegal in turn.illegal:
        legal = ", ".join(illegal.legal) or "nothing"
        yield f"[{illegal.message}] {illegal.rule}: {illegal.sentence}; legal: {legal}"


def _prompt_lines(asked: ReplayAsked) -> Iterator[str]:
    """What is not the same in two questions, line by line; `-` then, `+` now."""
    before, after = _as_text(asked.before), _as_text(asked.after)
    for line in difflib.unified_diff(before, after, lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            yield f"  {line[0]} {line[1:]}"


def _as_text(content: Any) -> list[str]:
    """A question in lines: of a talk with a model each message, else each field."""
    if not isinstance(content, dict):
        return [] if content is None else [compact(content, None)]
    lines: list[str] = []
    for key, value in content.items():  # pyright: ignore
        if key == "messages" and isinstance(value, list):
            for one in value:  # pyright: ignore
                lines += _said(one)
        else:
            lines.append(f"{key}: {compact(value, None)}")
    return lines


def _said(message: Any) -> Iterator[str]:
    for number, line in enumerate(str(message.get("content", "")).splitlines() or [""]):
        yield f"{message.get('role')}: {line}" if not number else line
    if message.get("tool_calls"):
        yield f"{message.get('role')} calls {compact(message['tool_calls'], None)}"


def then_and_now(before: int | None, after: int | None, *, known: bool = True) -> str:
    """A figure then and now; once where they are the same. `known`: the one of then is worth a line by itself."""
    if before is None and after is None:
        return ""
    if after is None or before == after:
        return f"{before:,}" if before is not None and (known or after is not None) else ""
    return f"{after:,}" if before is None else f"{before:,} → {after:,}"
