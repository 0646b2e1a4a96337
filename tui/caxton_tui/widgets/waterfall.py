"""The waterfall of the conversation that is open: a bar for each turn, `░` while its message waited, `▓` while it ran.

In: a `Timeline`. Out: its turns across its agents, with their fuel. Short ones can be left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from caxton.diagram import Bar, bars_of
from caxton.diagram.waterfall import bar_parts, heading, length_us
from caxton.presentation.text import span
from caxton_tui.model.context import ViewContext
from caxton_tui.widgets.conversation_view import ConversationView, styled
from caxton_tui.widgets.sequence_diagram import as_json
from caxton_tui.widgets.tables.columns import Piece


class Waterfall(ConversationView):
    """The turns of one conversation."""

    def __init__(self, context: ViewContext, *, id: str = "waterfall") -> None:
        super().__init__(context, id=id)
        self._bars: list[Bar] = []
        self._hidden = 0
        self._whole_us = 0
        self.share = 0.0

    @property
    def total(self) -> int:
        """Turns that are shown."""
        return len(self._bars)

    @property
    def bars(self) -> Sequence[Bar]:
        """The turns that are shown."""
        return self._bars

    def problem(self, number: int) -> bool:
        """Whether a turn or its message went wrong."""
        return self._bars[number].problem

    @property
    def chosen(self) -> Bar | None:
        """The turn under the cursor."""
        return self._bars[self.cursor] if self.cursor is not None and self.cursor < self.total else None

    @property
    def copied(self) -> str:
        """The message of the turn under the cursor."""
        return as_json(self.chosen.spoken.body) if self.chosen else self.timeline.id if self.timeline else ""

    @property
    def nothing(self) -> str:
        """Messages that were not handled yet."""
        return "No message of it made a turn yet."

    @property
    def depends(self) -> object:
        """How short a turn may be."""
        return self.share

    def draw(self) -> None:
        """Measure the turns."""
        bars = bars_of(self.timeline) if self.timeline else []
        self._whole_us = length_us(bars)
        least = self._whole_us * self.share
        self._bars = [
            bar for bar in bars if not self.share or bar.queue_us + bar.turn_us >= least or bar.problem
        ]
        self._hidden = len(bars) - len(self._bars)
        if self.cursor is not None and self.cursor >= self.total:
            self.cursor = None
        self.fit()
        self.refresh()

    def head_pieces(self, width: int) -> list[Piece]:
        """The columns' names."""
        return styled(heading(width - 1, self._whole_us))

    def pieces(self, number: int, width: int) -> list[Piece]:
        """One turn."""
        return styled(bar_parts(self._bars[number], width - 1, self._whole_us))

    @property
    def title(self) -> str:
        """Which conversation, how long, how much work."""
        if self.timeline is None:
            return "Waterfall"
        fuel = sum(bar.turn.fuel for bar in self._bars if bar.turn)
        ran = sum(bar.turn_us for bar in self._bars)
        parts = [self.timeline.id, f"{span(self._whole_us / 1e6)}, {span(ran / 1e6)} in turns, {fuel:,} fuel"]
        if self._hidden:
            parts.append(f"{self._hidden} shorter than {self.share:.0%} left out")
        return " · ".join(parts)
