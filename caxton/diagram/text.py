"""A diagram as plain text, for a terminal without the app, a mail, a page.

In: a `Timeline`. Out: lines of text in so many columns; in more where its lanes need them, for none is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from caxton.diagram.layout import Layout, Part
from caxton.diagram.lines import Mark, lines_of
from caxton.diagram.timeline import Timeline
from caxton.presentation.text import isolated


def draw_text(
    timeline: Timeline, width: int = 120, *, now_us: int = 0, notes: Mapping[int, str] | None = None
) -> str:
    """The diagram with its title; loops are folded. `now_us`: deadlines before it have passed. `notes` are said under
    the messages with these numbers in the journal; those of others stand at the end."""
    layout = Layout(timeline, max(width, Layout.least(timeline)))
    state = f"  {timeline.state}" if timeline.state else ""
    title = f"{timeline.id}  {timeline.protocol}{state}".rstrip()
    lines = [title, _joined(layout.heading())]
    left = dict(notes or {})
    found = lines_of(timeline, now_us)
    for line, after in zip_longest(found, found[1:]):
        seq = line.spoken.seq if line.spoken is not None else 0
        lines.append(
            _joined(
                layout.parts(line, "▶" if seq in left and line.mark in (Mark.MESSAGE, Mark.HELD) else " ")
            )
        )
        # under all that is said of its message
        if seq in left and (after is None or after.spoken is None or after.spoken.seq != seq):
            lines.append(f"{'▲':>6} {left.pop(seq)}")
    return "\n".join([*lines, *(f"{'▲':>6} {note}" for note in left.values())])


def _joined(row: Sequence[Part]) -> str:
    return "".join(isolated(text) for text, _ in row).rstrip()
