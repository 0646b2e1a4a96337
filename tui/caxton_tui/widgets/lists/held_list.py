"""Break points, then the messages that they hold, in the order in which they were held.

In: the store's break points and held messages. Out: one line each; the cursor stays with its message.
"""

from __future__ import annotations

from caxton import exact_numbers
from caxton.diagram import words as said
from caxton.presentation.text import safe
from caxton.schemas.held import BreakBody, HeldBody
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.widgets.tables.columns import Part
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.typed_app import key_for


class HeldList(Listing):
    """Break points, then held messages."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__(id="held-list")
        self.context = context
        self._at: object = None
        """What the cursor stands on: a message's number or a break point's id."""

    @property
    def rows(self) -> list[BreakBody | HeldBody]:
        """What is in it."""
        return [*self.context.store.breaks, *self.context.store.held]

    @property
    def total(self) -> int:
        """Rows."""
        return len(self.context.store.breaks) + len(self.context.store.held)

    @property
    def chosen(self) -> BreakBody | HeldBody | None:
        """The row at the cursor."""
        rows = self.rows
        return rows[self.cursor] if self.cursor is not None and self.cursor < len(rows) else None

    def begin(self) -> None:
        """The cursor on what was held first, where something is held."""
        self.cursor = len(self.context.store.breaks) if self.context.store.held else None
        self._stay()

    def keep(self) -> None:
        """The cursor stays on what it stood on, for others decide about messages, too; else on what came after it."""
        rows = self.rows
        same = [place for place, one in enumerate(rows) if _key(one) == self._at]
        if same:
            self.cursor = same[0]
        elif self.cursor is not None:
            self.cursor = min(self.cursor, len(rows) - 1) if rows else None
        self._stay()

    def put(self, number: int) -> None:
        """The cursor on that row."""
        super().put(number)
        self._stay()

    def _stay(self) -> None:
        chosen = self.chosen
        self._at = None if chosen is None else _key(chosen)

    @property
    def message(self) -> HeldBody | None:
        """The held message at the cursor, else the one that was held first."""
        chosen = self.chosen
        if chosen is not None:
            return chosen if isinstance(chosen, HeldBody) else None
        return next(iter(self.context.store.held), None)

    @property
    def empty(self) -> str:
        """What to do next."""
        add = key_for(self, "held.add")
        return (
            f"Nothing is held, and there is no break point.\n{add} makes one: what passes its filter is held."
        )

    @property
    def copied(self) -> str:
        """The message at the cursor as JSON, or the break point's filter."""
        chosen = self.chosen
        if chosen is None:
            return ""
        if isinstance(chosen, HeldBody):
            return exact_numbers.text(chosen.message.json, 2)
        return str(chosen.filter)

    def heading(self, width: int) -> list[Part]:
        """The columns."""
        return self._columns(("NO", "BY", "FROM", "ACT", "TO", "SINCE", "SAYS"), width, "")

    def row(self, number: int, width: int) -> list[Part]:
        """One break point or message."""
        one = self.rows[number]
        platform = self.context.store.platform
        if isinstance(one, BreakBody):
            ended = f"ended: {one.ended}" if one.ended else "on"
            what = f"{one.filter or 'every message'}  {one.hits:,} hits, {one.held:,} held"
            id = one.name or one.id
            return [("●" if not one.ended else "○", 1, "listing--name"), (safe(id), 12, "listing--name"),
                    (safe(ended), 12, "listing--dim"), (safe(what), max(width - 30, 10), "")]  # fmt: skip
        message = one.message
        by = f"?{one.approval}" if one.approval is not None else one.break_id or "–"
        behind = f"↑{one.behind}" if one.behind else by
        marks = "".join(sign for sign, so in (("◷", one.due_at), ("✎", one.edited)) if so)
        texts = (
            f"⏸{one.seq}{marks}",
            safe(behind),
            formatting.short(message.sender, platform),
            safe(message.performative),
            formatting.receivers(message, platform),
            formatting.ago(self.context.age_s(one.at)),
            said.content(message),
        )
        return self._columns(texts, width, "listing--warn" if one.break_id else "listing--dim")

    def _columns(self, texts: tuple[str, ...], width: int, style: str) -> list[Part]:
        widths = (8, 6, 12, 15, 14, -5)
        rest = max(width - sum(abs(one) + 1 for one in widths) - 1, 8)
        return [
            (text, cells, style if n < 2 else "")
            for n, (text, cells) in enumerate(zip(texts, (*widths, rest), strict=True))
        ]


def _key(one: BreakBody | HeldBody) -> object:
    return one.seq if isinstance(one, HeldBody) else one.id
