"""Asks what is to be otherwise when a conversation runs on from a message in a side world.

In: the conversation and the message at the cursor. Out: the options of `caxton fork`, as they were typed.
"""

from __future__ import annotations

import shlex
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from caxton.diagram import TimelineMessage
from caxton.presentation.json_line import compact
from caxton.presentation.text import safe
from caxton_tui.keys import key
from caxton_tui.widgets.typed_app import key_for


class ForkForm(ModalScreen[list[str] | None]):
    """One line, which begins with what the message says."""

    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "dismiss(None)", "fork.close", "Close")]

    def __init__(self, conversation: str, spoken: TimelineMessage) -> None:
        super().__init__()
        self._conversation = conversation
        self._spoken = spoken

    def compose(self) -> ComposeResult:
        """A line for the options, and the command."""
        said = shlex.quote(f"content={compact(self._spoken.body.message.content)}")
        with Vertical(classes="box"):
            line = Input(f"--edit {said}", id="fork-options", compact=True)
            line.cursor_blink = False
            yield line
            yield Static(id="fork-note", markup=False)

    def on_mount(self) -> None:
        """Name the box."""
        what = f"message {self._spoken.seq}, {self._spoken.act} from {self._spoken.sender}"
        self.query_one(".box").border_title = f"Run on in a side world from {what}".replace("[", "\\[")
        self._note()

    def on_input_changed(self) -> None:
        """The command goes with the line."""
        self._note()

    def on_input_submitted(self) -> None:
        """Take the line."""
        try:
            self.dismiss(shlex.split(self.query_one(Input).value))
        except ValueError as error:
            self.notify(f"that is no command line: {error}", severity="error", markup=False)

    def _note(self) -> None:
        command = f"caxton fork {shlex.quote(self._conversation)} --at {self._spoken.seq}"
        self.query_one("#fork-note", Static).update(
            "--edit content.PATH=VALUE, or --with FILE --agent NAME for another build; empty: as it was\n"
            f"enter runs it, {key_for(self, 'fork.close')} closes · nothing of it is on the bus\n"
            f"{safe(command)} {safe(self.query_one(Input).value)}"
        )
