"""Hebrew and Arabic in every pane: a terminal that writes them from the right turns that text alone round.

In: the pieces of a line as they are painted. Out: the same, each piece that has such letters between two marks, so that
what stands beside it keeps its place.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from caxton.presentation.text import isolated


class IsolatedText(LineFilter):
    """Sets the marks."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The pieces of one line, in their order."""
        if all(segment.text.isascii() for segment in segments):
            return segments
        return [
            segment if segment.control else Segment(isolated(segment.text), segment.style)
            for segment in segments
        ]
