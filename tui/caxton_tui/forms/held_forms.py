"""The boxes that are filled in about what is held: another content for a message, how long it waits, what to hold.

In: a held message, or a text to begin with. Out: an `Action`, or None where the box was closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from caxton.schemas.held import HeldBody
from caxton_tui.actions import held_actions
from caxton_tui.actions.action import Action
from caxton_tui.forms.drafts import text_of
from caxton_tui.forms.form import Form, Line
from caxton_tui.forms.message_form import Draft, MessageForm
from caxton_tui.keys import key
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.model.json_object import Json
from caxton_tui.widgets.typed_app import key_for


class EditHeldForm(MessageForm):
    """The box in which messages are written, with a held one in it; ids and conversation stay."""

    def __init__(self, one: HeldBody, context: ViewContext, draft: Draft | None = None) -> None:
        """`draft`: what was written already."""
        message, platform = one.message, context.store.platform
        super().__init__(
            draft
            or Draft(
                to=formatting.receivers(message, platform),
                act=str(message.performative),
                protocol=str(message.protocol or ""),
                conversation=str(message.conversation_id),
                in_reply_to=str(message.in_reply_to or ""),
                content=text_of(message),
                agents=context.store.agent_names,
                title=f"Change message {one.seq}, which is held",
            )
        )
        self._one, self.context = one, context

    def copy(self) -> EditHeldForm:
        """Another one, filled as this one is now."""
        return EditHeldForm(self._one, self.context, self.filled)

    def on_mount(self) -> None:
        """What stays cannot be written in."""
        for name in ("protocol", "conversation", "in_reply_to"):
            self.entry(name).disabled = True

    def _action(self, message: Json) -> Action:
        before, platform = self._one.message, self.context.store.platform
        was = {
            "performative": before.performative,
            "receiver": [formatting.short(name, platform) for name in before.receiver],
            "content": before.content,
        }
        return held_actions.edit(
            self._one.seq,
            {name: message.get(name) for name, value in was.items() if message.get(name) != value},
            approval=self._one.approval is not None,
        )


class LineForm(Form):
    """One line to fill in; `enter` does it."""

    NAME = "ask"
    # one line is soon written again
    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "dismiss(None)", "ask.close", "Close")]

    def __init__(self, heading: str, text: str, make: Callable[[str], Action]) -> None:
        super().__init__(heading, {"line": Line(text)}, begin="line")
        self._make = make

    def compose(self) -> ComposeResult:
        """The line alone, and the note."""
        with Vertical(classes="box"):
            yield Input(self._lines["line"].value, id="ask-line", compact=True, select_on_focus=False)
            yield Static(classes="note", markup=False)

    def copy(self) -> LineForm:
        """Another one, filled as this one is now."""
        return LineForm(self._heading, self.written["line"], self._make)

    def make(self) -> Action:
        """What is done with the line."""
        return self._make(self.written["line"])

    def hints(self) -> list[str]:
        """The keys."""
        return [f"enter does it · {key_for(self, 'ask.close')} closes"]
