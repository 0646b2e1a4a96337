"""A conversation as a sequence diagram and as a waterfall, laid out for a screen, a text file, an SVG or a page.

In: a conversation with its messages and turns as the API gives it. Out: lines of styled text in so many columns, an
SVG, or HTML. It promises: no I/O, no clock; nothing that an agent said is obeyed by a terminal or read as markup.
"""

from caxton.diagram.layout import Layout, Part
from caxton.diagram.lines import Line, Mark, lines_of
from caxton.diagram.mermaid import draw_mermaid
from caxton.diagram.page import draw_page
from caxton.diagram.svg import draw_svg
from caxton.diagram.text import draw_text
from caxton.diagram.timeline import Timeline, TimelineMessage, read_message, read_timeline
from caxton.diagram.waterfall import Bar, bars_of, draw_waterfall

__all__ = [
    "Bar",
    "Layout",
    "Line",
    "Mark",
    "Part",
    "Timeline",
    "TimelineMessage",
    "bars_of",
    "draw_mermaid",
    "draw_page",
    "draw_svg",
    "draw_text",
    "draw_waterfall",
    "lines_of",
    "read_message",
    "read_timeline",
]
