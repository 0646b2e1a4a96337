"""The boxes that are filled in about what is held: another content for a message, how long it waits, what to hold.

In: a held message, or a text to begin with. Out: an `Action`, or None where the box was closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from caxton.schemas.held import HeldBody
from caxton_tui.actions import held_actions
from caxton_tui.actions.action import Action
from caxton_tui.forms.drafts import text_of
from caxton_tui.forms.form import Form
from caxton_tui.forms.message_form import Draft, MessageForm
from caxton_tui.keys import key
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.widgets.typed_app import key_for

Json = Mapping[str, Any]


class EditHeldForm(MessageForm):
    """The box in which messages are written, with a held one in it; ids and conversation stay."""

    def __init__(self, one: HeldBody, context: ViewContext) -> None:
        message = one.message
        store = context.store
        super().__init__(
            Draft(
                to=formatting.receivers(message, store.platform),
                act=str(message.performative),
                protocol=str(message.protocol or ""),
                conversation=str(message.conversation_id),
                in_reply_to=str(message.in_reply_to or ""),
                content=text_of(message),
                agents=store.agent_names,
                title=f"Change message {one.seq}, which is held",
            )
        )
        self._one, self.context = one, context
        self._seq = int(one.seq)
        self._before = message
        self._platform = store.platform

    def copy(self) -> EditHeldForm:
        """Another one, filled as this one is now."""
        other = EditHeldForm(self._one, self.context)
        other.refill(self.filled)
        return other

    def on_mount(self) -> None:
        """What stays cannot be written in."""
        for name in ("protocol", "conversation", "in_reply_to"):
            self.query_one(f"#compose-{name}", Input).disabled = True

    def _action(self, message: Json) -> Action:
        change: dict[str, Any] = {}
        if message["performative"] != self._before.performative:
            change["performative"] = message["performative"]
        names = [formatting.short(name, self._platform) for name in self._before.receiver]
        if message["receiver"] != names:
            change["receiver"] = message["receiver"]
        if message.get("content") != self._before.content:
            change["content"] = message.get("content")
        return held_actions.edit(self._seq, change)


class LineForm(Form):
    """One line to fill in; `enter` does it."""

    # one line is soon written again
    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "dismiss(None)", "ask.close", "Close")]

    def __init__(self, heading: str, text: str, make: Callable[[str], Action]) -> None:
        super().__init__(heading)
        self._text = text
        self._make = make

    def compose(self) -> ComposeResult:
        """The line and the command."""
        with Vertical(classes="box"):
            yield Input(self._text, id="ask-line", compact=True, select_on_focus=False)
            yield Static(classes="note", markup=False)

    def copy(self) -> LineForm:
        """Another one, filled as this one is now."""
        return LineForm(self._heading, self.query_one(Input).value, self._make)

    def make(self) -> Action:
        """What is done with the line."""
        return self._make(self.query_one(Input).value.strip())

    def hints(self) -> list[str]:
        """The keys."""
        return [f"enter does it · {key_for(self, 'ask.close')} closes"]
