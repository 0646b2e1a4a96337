"""Messages that could not be handled and of which nobody took care yet, the newest first.

In: what the daemon says of them. Out: one line each; the cursor stays with its letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET

from caxton import exact_numbers
from caxton.diagram import words
from caxton.presentation.text import safe
from caxton.schemas.messages import DeadLetterBody
from caxton.schemas.shape import Message
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.widgets.tables.columns import Part
from caxton_tui.widgets.tables.markable import Markable

WIDE: Final = 90
"""Columns from which on sender and act have room."""


class DeadLetterList(Markable):
    """One line for each receiver that could not handle a message."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__(id="dead-letter-list")
        self.context = context
        self.rows: Sequence[DeadLetterBody] = ()

    @property
    def total(self) -> int:
        """Rows."""
        return len(self.rows)

    @property
    def chosen(self) -> DeadLetterBody | None:
        """The one at the cursor, else the newest."""
        if not self.rows:
            return None
        return self.rows[self.cursor or 0]

    @property
    def meant(self) -> Sequence[DeadLetterBody]:
        """Those that are marked, else the one at the cursor."""
        chosen = self.chosen
        return [self.rows[row] for row in self.marked] or ([] if chosen is None else [chosen])

    def mark_of(self, number: int) -> tuple[int, str]:
        """Message and receiver."""
        return self.rows[number].seq, self.rows[number].agent

    def show(self, rows: Sequence[DeadLetterBody]) -> None:
        """These are there now; the cursor stays with its letter, or on what came after it."""
        at = self.chosen if self.cursor is not None else None
        self.rows = rows
        if at is not None:
            same = [place for place, one in enumerate(rows) if (one.seq, one.agent) == (at.seq, at.agent)]
            self.cursor = same[0] if same else min(self.cursor or 0, len(rows) - 1) if rows else None
        self.fit()
        self.refresh()

    @property
    def empty(self) -> str:
        """Nothing to do."""
        return "Every message was handled, or somebody took care of it."

    @property
    def copied(self) -> str:
        """The message at the cursor as JSON."""
        message = message_of(self.chosen)
        return "" if message is None else exact_numbers.text(message.json, 2)

    def heading(self, width: int) -> list[Part]:
        """The columns."""
        return self._columns(("NO", "SINCE", "AGENT", "REASON", "FROM", "ACT", "SAYS"), width, "")

    def row(self, number: int, width: int) -> list[Part]:
        """One letter."""
        one, platform = self.rows[number], self.context.store.platform
        message = message_of(one)
        texts = (
            str(one.seq),
            formatting.ago(self.context.age_s(one.at)),
            formatting.short(one.agent, platform),
            safe(one.code),
            "" if message is None else formatting.short(message.sender, platform),
            "" if message is None else safe(message.performative),
            safe(one.reason) if message is None else words.content(message),
        )
        return self._columns(texts, width, "listing--warn")

    def _columns(self, texts: tuple[str, ...], width: int, style: str) -> list[Part]:
        widths: tuple[int, ...] = (8, -5, 14, 16, 12, 12)
        if width < WIDE:
            # what it says is dearer than who said it
            widths, texts = (7, -5, 12, 14), (*texts[:4], texts[-1])
        rest = max(width - sum(abs(one) + 1 for one in widths) - 1, 8)
        return [
            (text, cells, style if n < 1 else "")
            for n, (text, cells) in enumerate(zip(texts, (*widths, rest), strict=True))
        ]


def message_of(letter: DeadLetterBody | None) -> Message | None:
    """The message, while the journal has it."""
    return None if letter is None or letter.message is UNSET else letter.message
