"""The arc in front of a diagram that joins one message with what it answers and with what answers it.

In: the lines, and the place of one. Out: a character for a line: `╭ ├ ╰` where a message is part of it, `│` between.
"""

from __future__ import annotations

from collections.abc import Sequence

from caxton.diagram.lines import Line, Mark


def arcs(lines: Sequence[Line], chosen: int | None) -> dict[int, str]:
    """By place in `lines`; empty where the chosen line neither answers a message nor is answered."""
    if chosen is None or not 0 <= chosen < len(lines):
        return {}
    spoken = lines[chosen].spoken
    if spoken is None:
        return {}
    joined = [
        place
        for place, line in enumerate(lines)
        if line.mark in (Mark.MESSAGE, Mark.HELD)
        and line.spoken is not None
        and (
            line.spoken.number in (spoken.number, spoken.answers or 0) or line.spoken.answers == spoken.number
        )
    ]
    if len(joined) < 2:
        return {}
    found = dict.fromkeys(range(joined[0], joined[-1] + 1), "│")
    found.update(dict.fromkeys(joined, "├"))
    found[joined[0]], found[joined[-1]] = "╭", "╰"
    return found
