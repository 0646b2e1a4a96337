"""What is held, and by which break points: look, let go, change, drop, delay.

In: the store's break points and held messages. Out: `Action`s, which are performed. Break points stand first, then
the messages in the order in which they were held; under the list the one at the cursor, whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from caxton import exact_numbers
from caxton.finding import Filter
from caxton.presentation.text import safe
from caxton.schemas.held import HeldBody
from caxton_tui.actions import held_actions
from caxton_tui.actions.action import Action
from caxton_tui.forms.held_forms import EditHeldForm, LineForm
from caxton_tui.keys import key
from caxton_tui.model.context import ViewContext
from caxton_tui.screens.action_runner import ActionRunner
from caxton_tui.widgets.lists.held_list import HeldList
from caxton_tui.widgets.status_bars import TextLine
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.typed_app import key_for

LOOKS_S: Final = 10
CARD_LINES: Final = 200
"""Lines of a content that are shown."""
DELAY: Final = "5s"
KEYS: Final = ("release", "next", "all", "drop", "edit", "delay", "add", "remove")
"""What the keys do, by the ends of their ids."""
WIDE: Final = 96
"""Columns from which on the keys stand apart."""


class HeldScreen(ModalScreen[None]):
    """The box over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape,H", "dismiss(None)", "held.close", "Close"),
        key("r", "release", "held.release", "Release", "Let it go on"),
        key("space", "next", "held.next", "Next", "Let the one go on that was held first"),
        key("a", "all", "held.all", "All", "Let all go on, in their order"),
        key("d", "drop", "held.drop", "Drop", "Nobody gets it; its sender is told"),
        key("e", "edit", "held.edit", "Edit", "Change act, receivers, content"),
        key("w", "delay", "held.delay", "Delay", "Let it go on by itself later"),
        key("b", "add", "held.add", "Break", "A new break point"),
        key("x", "remove", "held.remove", "Remove", "Take the break point away"),
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
            if one.approval is not None:
                yes, no = key_for(self, "held.release"), key_for(self, "held.drop")
                text.append(
                    f"needs the approval {safe(one.approval)}: {yes} approves, {no} refuses\n", "yellow"
                )
            lines = exact_numbers.text(message.content, 2).split("\n")
            text.append("\n".join(safe(line) for line in lines[:CARD_LINES]))
        self.query_one("#held-card", TextLine).put(text)

    # what the keys do

    def _with(self, make: Callable[[int], Action], decide: Callable[[int], Action]) -> None:
        """Do the one with what is held, the other with what waits for a yes."""
        one = self.list.message
        if one is None:
            self.notify("no held message stands there", timeout=2)
        else:
            self._runner.do((make if one.approval is None else decide)(int(one.seq)))

    def action_release(self) -> None:
        """Let it go on; of what needs a yes: give it."""
        self._with(held_actions.release, held_actions.approve)

    def action_drop(self) -> None:
        """Drop it: it is not delivered; of what needs a yes: refuse it."""
        self._with(held_actions.drop, held_actions.refuse)

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


def _held_by(text: str) -> Action:
    return held_actions.add_break(Filter(text).text)
