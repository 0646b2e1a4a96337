"""Two conversations side by side, step by step, what differs marked.

In: the messages of both. Out: a row for each step; `n` and `N` go from difference to difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from caxton.diagram.differences import Step, side_by_side
from caxton.presentation.text import plural, safe
from caxton.schemas.messages import ConversationDetail
from caxton_tui.keys import key
from caxton_tui.widgets.tables.columns import Part
from caxton_tui.widgets.tables.searchable import Searchable
from caxton_tui.widgets.typed_app import key_for

NUMBER_ROOM = -7
SEEN = 9
"""Characters around a difference that are seen at least."""


class DifferenceList(Searchable):
    """The steps of two conversations, row by row."""

    def __init__(self, both: Sequence[ConversationDetail]) -> None:
        super().__init__(id="difference-list")
        self.ids = [safe(one.id) for one in both]
        self.rows = list(side_by_side(both[0].items, both[1].items))

    @property
    def total(self) -> int:
        """Steps."""
        return len(self.rows)

    @property
    def different(self) -> int:
        """Rows that are not the same on both sides."""
        return sum(map(self.problem, range(self.total)))

    def problem(self, number: int) -> bool:
        """Whether the two differ there."""
        return _sign(*self.rows[number]) != " "

    @property
    def copied(self) -> str:
        """Both sides of the row at the cursor."""
        return "" if self.cursor is None else "\n".join(step.text for step in self.rows[self.cursor] if step)

    @property
    def empty(self) -> str:
        """Nothing to compare."""
        return "Nothing was said in either."

    def heading(self, width: int) -> list[Part]:
        """The two conversations."""
        room = _room(width)
        first, second = self.ids
        return [
            ("NO", NUMBER_ROOM, ""),
            (first, room, ""),
            ("", 1, ""),
            ("NO", NUMBER_ROOM, ""),
            (second, room, ""),
        ]

    def row(self, number: int, width: int) -> list[Part]:
        """One step on both sides, and between them how they differ."""
        first, second = self.rows[number]
        sign, room = _sign(first, second), _room(width)
        style = {" ": "", "-": "listing--bad", "+": "listing--good", "≠": "listing--warn"}[sign]
        left, right = (
            ("", "") if step is None else (str(step.seq), _from_difference(step, other, room))
            for step, other in ((first, second), (second, first))
        )
        return [
            (left[0], NUMBER_ROOM, "listing--dim"),
            (left[1], room, style),
            (sign, 1, style),
            (right[0], NUMBER_ROOM, "listing--dim"),
            (right[1], room, style),
        ]


class CompareScreen(ModalScreen[None]):
    """The box over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape,q,D", "dismiss(None)", "compare.close", "Close"),
    ]

    def __init__(self, both: Sequence[ConversationDetail]) -> None:
        super().__init__()
        self._both = both

    def compose(self) -> ComposeResult:
        """The rows."""
        with Vertical(classes="box whole-box"):
            yield DifferenceList(self._both)

    def on_mount(self) -> None:
        """Name the box."""
        box, rows = self.query_one(".box"), self.query_one(DifferenceList)
        count = plural(rows.different, "difference")
        more = " · only the first 1,000 messages" if any(one.next for one in self._both) else ""
        box.border_title = f"{plural(rows.total, 'step')}, {count}{more}"
        keys = f"{key_for(self, 'list.problem')} next one · {key_for(self, 'compare.close')} closes"
        box.border_subtitle = f"- only left · + only right · ≠ differs · {keys}"


def _sign(first: Step | None, second: Step | None) -> str:
    if second is None:
        return "-"
    if first is None:
        return "+"
    return " " if first.side == "both" else "≠"


def _from_difference(step: Step, other: Step | None, room: int) -> str:
    """What it says; what both say at first is left out where the difference would be cut off behind it."""
    if other is None or step.side == "both":
        return step.text
    same = len([*takewhile(lambda pair: pair[0] == pair[1], zip(step.text, other.text, strict=False))])
    if same < room - SEEN:
        return step.text
    end = step.text[same - SEEN // 3 :]
    return f"{step.text[: max(room // 3, room - 1 - len(end))]}…{end}"


def _room(width: int) -> int:
    """For the text of one side."""
    return max((width - 2 * abs(NUMBER_ROOM) - 8) // 2, 8)
