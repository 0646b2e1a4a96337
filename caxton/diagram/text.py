"""A diagram as plain text, for a terminal without the app, a mail, a page.

In: a `Timeline`. Out: lines of text in so many columns; in more where its lanes need them, for none is left out.
"""

from __future__ import annotations

from caxton.diagram.layout import Layout
from caxton.diagram.lines import lines_of
from caxton.diagram.timeline import Timeline


def draw_text(timeline: Timeline, width: int = 120, *, now_us: int = 0) -> str:
    """The diagram with its title; loops are folded. `now_us`: deadlines before it have passed."""
    layout = Layout(timeline, max(width, Layout.least(timeline)))
    state = f"  {timeline.state}" if timeline.state else ""
    title = f"{timeline.id}  {timeline.protocol}{state}".rstrip()
    rows = [layout.heading(), *(layout.parts(line) for line in lines_of(timeline, now_us))]
    return "\n".join([title, *("".join(text for text, _ in row).rstrip() for row in rows)])
