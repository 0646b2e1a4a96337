"""What is held, and by which break points: look, let go, change, drop, delay.

In: the store's break points and held messages. Out: `Action`s, which the frame performs. Break points stand first, then
the messages in the order in which they were held; under the list the one at the cursor, whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from caxton.diagram import words as said
from caxton.finding import Filter
from caxton.presentation.text import safe
from caxton.schemas.held import BreakBody, HeldBody
from caxton_tui.actions import held_actions
from caxton_tui.actions.action import Action
from caxton_tui.forms.held_forms import EditHeldForm, LineForm
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.screens.action_runner import ActionRunner
from caxton_tui.widgets.listing import Listing, Part
from caxton_tui.widgets.status_bars import TextLine
from caxton_tui.widgets.typed_app import key_for

LOOKS_S: Final = 10
CARD_LINES: Final = 200
"""Lines of a content that are shown."""
DELAY: Final = "5s"
KEYS: Final = ("release", "next", "all", "drop", "edit", "delay", "add", "remove")
"""What the keys do, by the ends of their ids."""
WIDE: Final = 96
"""Columns from which on the keys stand apart."""


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
            return json.dumps(chosen.message.json, ensure_ascii=False, indent=2)
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
        behind = f"↑{one.behind}" if one.behind else one.break_id or "–"
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


class HeldScreen(ModalScreen[None]):
    """The box over the picture."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,H", "dismiss(None)", "Close", id="held.close"),
        Binding("r", "release", "Release", id="held.release", tooltip="Let it go on"),
        Binding("space", "next", "Next", id="held.next", tooltip="Let the one go on that was held first"),
        Binding("a", "all", "All", id="held.all", tooltip="Let all go on, in their order"),
        Binding("d", "drop", "Drop", id="held.drop", tooltip="Nobody gets it; its sender is told"),
        Binding("e", "edit", "Edit", id="held.edit", tooltip="Change act, receivers, content"),
        Binding("w", "delay", "Delay", id="held.delay", tooltip="Let it go on by itself later"),
        Binding("b", "add", "Break", id="held.add", tooltip="A new break point"),
        Binding("x", "remove", "Remove", id="held.remove", tooltip="Take the break point away"),
    ]

    def __init__(self, context: ViewContext, runner: ActionRunner, text: str) -> None:
        """`text`: the filter that a new break point begins with."""
        super().__init__()
        self.context = context
        self._runner = runner
        self._text = text
        self._seen = -1
        self._moved = False
        """Whether the operator has put the cursor somewhere: before, it stands on what was held first."""

    def compose(self) -> ComposeResult:
        """The list, the one at the cursor, the keys."""
        with Vertical(classes="box wide-box"):
            yield HeldList(self.context)
            yield TextLine(id="held-card")

    def on_mount(self) -> None:
        """Begin to look."""
        box = self.query_one(".box")
        box.border_title = "Held messages and break points"
        self.list.focus()
        self.flush()
        self.set_interval(1 / LOOKS_S, self.flush)
        self.context.reader.hurry()

    def on_resize(self) -> None:
        """The keys with as much between them as there is room for."""
        words = [f"{key_for(self, f'held.{do}')} {'break' if do == 'add' else do}" for do in KEYS]
        between = " · " if self.size.width >= WIDE else "·"
        self.query_one(".box").border_subtitle = between.join([*words, key_for(self, "held.close")])

    @property
    def list(self) -> HeldList:
        """Break points and messages."""
        return self.query_one(HeldList)

    def flush(self) -> None:
        """Bring the newest state on screen."""
        if self.context.store.version == self._seen:
            return
        self._seen = self.context.store.version
        if self._moved:
            self.list.keep()
        else:
            self.list.begin()
        self.list.fit()
        self.list.refresh()
        self._card()

    @on(Listing.Moved)
    def moved(self) -> None:
        """The card goes with the cursor."""
        self._moved = True
        self._card()

    def _card(self) -> None:
        one = self.list.message
        text = Text()
        if one is not None:
            message = one.message
            text.append(f"{one.seq} {message.performative}", "bold")
            text.append(f"  {safe(message.conversation_id)}  {safe(message.protocol or '')}\n", "dim")
            lines = json.dumps(message.content, ensure_ascii=False, indent=2).split("\n")
            text.append("\n".join(safe(line) for line in lines[:CARD_LINES]))
        self.query_one("#held-card", TextLine).put(text)

    # what the keys do

    def _with(self, make: Callable[[int], Action]) -> None:
        one = self.list.message
        if one is None:
            self.notify("no held message stands there", timeout=2)
        else:
            self._runner.do(make(int(one.seq)))

    def action_release(self) -> None:
        """Let it go on."""
        self._with(held_actions.release)

    def action_drop(self) -> None:
        """Bring it to nobody."""
        self._with(held_actions.drop)

    def action_next(self) -> None:
        """Let the first go on."""
        self._runner.do(held_actions.release_next())

    def action_all(self) -> None:
        """Let all go on."""
        self._runner.do(held_actions.release_all())

    def action_edit(self) -> None:
        """Open the box in which messages are written, filled."""
        one = self.list.message
        if one is not None:
            self._runner.fill(EditHeldForm(one, self.context))

    def action_delay(self) -> None:
        """Ask for how long."""
        one = self.list.message
        if one is not None:
            seq = int(one.seq)
            ask = LineForm(f"Let {seq} go on in", DELAY, lambda text: held_actions.delay(seq, text))
            self._runner.fill(ask)

    def action_add(self) -> None:
        """Ask for a filter."""
        ask = LineForm("Hold what passes", self._text, _held_by)
        self._runner.fill(ask)

    def action_remove(self) -> None:
        """Take the break point at the cursor away, or the one that holds the message there."""
        chosen = self.list.chosen
        id = None if chosen is None else chosen.break_id if isinstance(chosen, HeldBody) else chosen.id
        point = next((point for point in self.context.store.breaks if point.id == id), None)
        if point is None:
            self.notify("no break point stands there", timeout=2)
        else:
            self._runner.do(held_actions.remove_break(point))


def _key(one: BreakBody | HeldBody) -> object:
    return one.seq if isinstance(one, HeldBody) else one.id


def _held_by(text: str) -> Action:
    return held_actions.add_break(Filter(text).text)
