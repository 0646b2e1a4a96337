"""A diagram as plain text, for a terminal without the app, a mail, a page.

In: a `Story`. Out: lines of text in so many columns; in more where its lanes need them, for none is left out.
"""

from __future__ import annotations

from caxton.diagram.layout import Layout
from caxton.diagram.lines import lines_of
from caxton.diagram.story import Story


def draw_text(story: Story, width: int = 120, *, now_us: int = 0) -> str:
    """The diagram with its title; loops are folded. `now_us`: deadlines before it have passed."""
    layout = Layout(story, max(width, Layout.least(story)))
    state = f"  {story.state}" if story.state else ""
    title = f"{story.id}  {story.protocol}{state}".rstrip()
    rows = [layout.heading(), *(layout.parts(line) for line in lines_of(story, now_us))]
    return "\n".join([title, *("".join(text for text, _ in row).rstrip() for row in rows)])
