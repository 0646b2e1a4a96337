"""One line that is asked for.

In: a heading, a text to begin with, what is said below the line. Out: what was typed, or None where the box was closed.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from caxton_tui.keys import key
from caxton_tui.widgets.typed_app import key_for


class AskScreen(ModalScreen[str | None]):
    """`enter` takes the line."""

    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "dismiss(None)", "ask.close", "Close")]

    def __init__(self, heading: str, text: str = "", note: str = "") -> None:
        super().__init__()
        self._heading = heading
        self._text = text
        self._said = note

    def compose(self) -> ComposeResult:
        """The line and the keys."""
        with Vertical(classes="box"):
            line = Input(self._text, id="ask-line", compact=True, select_on_focus=False)
            line.cursor_blink = False
            yield line
            keys = f"enter takes it · {key_for(self, 'ask.close')} closes"
            yield Static("\n".join(part for part in (self._said, keys) if part), markup=False)

    def on_mount(self) -> None:
        """Name the box."""
        self.query_one(".box").border_title = self._heading.replace("[", "\\[")

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Take the line, unless nothing stands in it."""
        if event.value.strip():
            self.dismiss(event.value.strip())
