"""A replayed turn as lines: what it was, its verdict, and what differs.

In: a turn of a replay's report. Out: lines of text, coloured where that is wanted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from caxton.cli.output.printing import paint, plural, safe
from caxton.presentation.replays import difference_lines, turn_words
from caxton.schemas.deployments import ReplayAgent, ReplayTurn

_STYLES: Final = {"same": "dim", "changed": "yellow", "illegal": "red", "trapped": "red", "not_run": "dim"}


def turn_lines(turn: ReplayTurn, *, colour: bool) -> Iterator[str]:
    """One turn, and what differs in it."""
    number, agent, act, verdict, *figures = turn_words(turn)
    at = time.strftime("%H:%M:%S", time.localtime(turn.at.timestamp()))
    verdict = paint(verdict, _STYLES.get(turn.verdict), colour)
    yield "  ".join((at, number, agent, act, verdict, *figures))
    yield from (f"    {line}" for line in difference_lines(turn))


def start_line(one: ReplayAgent) -> str:
    """Where an agent began."""
    start = one.start
    where = "its beginning" if start.kind == "beginning" else f"its state after message {start.seq}"
    line = f"{safe(one.agent)} on build {str(one.revision)[:8]}, from {where}"
    if start.turns:
        line += f" with {plural(start.turns, 'turn')} before"
    if not start.exact:
        line += f"; not the state of then: {safe(start.reason)}"
    if one.stumbled:
        line += f"; {plural(len(one.stumbled), 'turn')} of other conversations trapped on the way"
    if one.changed:
        names = ", ".join(safe(name) for name in one.changed)
        line += f"; told what it is told now, not what it was told then: {names} changed since"
    return line
