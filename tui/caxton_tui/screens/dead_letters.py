"""What could not be handled, and why: look, deliver it again, change it, put it away.

In: what the daemon says of its dead letters, once a second. Out: `Action`s, which are performed. Under the list the one
at the cursor, whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from caxton import exact_numbers
from caxton.errors import CaxtonError
from caxton.presentation.text import safe
from caxton.schemas.messages import DeadLetterBody
from caxton_tui.actions import dead_letter_actions
from caxton_tui.actions.action import Action
from caxton_tui.forms.held_forms import LineForm
from caxton_tui.forms.message_form import content_of
from caxton_tui.keys import key
from caxton_tui.model.context import ViewContext
from caxton_tui.screens.action_runner import ActionRunner
from caxton_tui.widgets.lists.dead_letter_list import DeadLetterList, message_of
from caxton_tui.widgets.status_bars import TextLine
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.typed_app import key_for

LOOKS_S: Final = 1.0
SHOWN: Final = 200
CARD_LINES: Final = 200
KEYS: Final = ("redeliver", "all", "edit", "drop")
"""What the keys do, by the ends of their ids."""


class DeadLettersScreen(ModalScreen[None]):
    """The box over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape,L", "dismiss(None)", "letters.close", "Close"),
        key("r", "redeliver", "letters.redeliver", "Again", "Deliver it again, or those marked"),
        key("a", "all", "letters.all", "All", "Deliver all of its agent again, in their order"),
        key("e", "edit", "letters.edit", "Edit", "Deliver it again with another content"),
        key("d", "drop", "letters.drop", "Drop", "Put it away, or those marked"),
    ]

    def __init__(self, context: ViewContext, runner: ActionRunner) -> None:
        super().__init__()
        self.context = context
        self._runner = runner

    def compose(self) -> ComposeResult:
        """The list, the one at the cursor, the keys."""
        with Vertical(classes="box wide-box"):
            yield DeadLetterList(self.context)
            yield TextLine(id="dead-letter-card")

    def on_mount(self) -> None:
        """Begin to look."""
        box = self.query_one(".box")
        box.border_title = "Dead letters"
        words = [f"{key_for(self, f'letters.{do}')} {do}" for do in KEYS]
        box.border_subtitle = " · ".join([*words, key_for(self, "letters.close")])
        self.list.focus()
        self.look()
        self.set_interval(LOOKS_S, self.look)

    @property
    def list(self) -> DeadLetterList:
        """The letters."""
        return self.query_one(DeadLetterList)

    def look(self) -> None:
        """Ask the daemon what there is."""
        self.run_worker(self._look(), group="letters", exclusive=True, exit_on_error=True)

    async def _look(self) -> None:
        try:
            rows = await self.context.reader.ask(
                lambda client: client.dead_letters(waiting=True, limit=SHOWN)
            )
        except CaxtonError:
            # the banner says that the daemon is away; what was there stays
            return
        self.list.show(rows)
        self._card()

    @on(Listing.Moved)
    def moved(self) -> None:
        """The card goes with the cursor."""
        self._card()

    def _card(self) -> None:
        one, text = self.list.chosen, Text()
        if one is not None:
            text.append(f"{one.seq} for {safe(one.agent)}: {safe(one.code)}\n", "bold")
            text.append(f"{safe(one.reason)}\n")
            message = message_of(one)
            if message is not None:
                text.append(f"{message.performative}  {safe(message.conversation_id)}\n", "dim")
                lines = exact_numbers.text(message.content, 2).split("\n")
                text.append("\n".join(safe(line) for line in lines[:CARD_LINES]))
        self.query_one("#dead-letter-card", TextLine).put(text)

    # what the keys do

    def _with(self, make: Callable[[Sequence[DeadLetterBody]], Action]) -> None:
        letters = self.list.meant
        if letters:
            self._runner.do(make(letters))
        else:
            self.notify("no dead letter stands there", timeout=2)

    def action_redeliver(self) -> None:
        """Deliver it again."""
        self._with(dead_letter_actions.redeliver)

    def action_drop(self) -> None:
        """Put it away."""
        self._with(dead_letter_actions.drop)

    def action_all(self) -> None:
        """Deliver all of its agent again."""
        one = self.list.chosen
        if one is not None:
            same = [other for other in self.list.rows if other.agent == one.agent]
            self._runner.do(dead_letter_actions.redeliver(same))

    def action_edit(self) -> None:
        """Ask for the content that it is to have."""
        one = self.list.chosen
        message = message_of(one)
        if one is None or message is None:
            return

        def changed(text: str) -> Action:
            return dead_letter_actions.edit(one, content_of(text))

        heading = f"Deliver {one.seq} again with the content"
        self._runner.fill(LineForm(heading, exact_numbers.text(message.content), changed))
