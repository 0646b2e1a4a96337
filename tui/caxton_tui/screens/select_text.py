"""Plain text of what is on the screen, to be marked with the keys or the mouse and copied.

In: lines. Out: what was marked, or all of it, in the clipboard of the terminal (OSC 52).
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import TextArea

from caxton_tui.keys import key
from caxton_tui.widgets.typed_app import key_for, typed_app


class SelectTextScreen(ModalScreen[None]):
    """Arrows with shift mark, `y` copies, `esc` closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape,q", "dismiss", "select.close", "Close"),
        key("y", "copy", "select.copy", "Copy"),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text alone."""
        area = TextArea(self._text, read_only=True, soft_wrap=False, id="select")
        area.cursor_blink = False
        copy, close = key_for(self, "select.copy"), key_for(self, "select.close")
        area.border_title = f"shift+arrows mark · {copy} copies · {close} closes"
        yield area

    def action_copy(self) -> None:
        """Copy what is marked, or all of it."""
        area = self.query_one(TextArea)
        text = area.selected_text or area.text
        typed_app(self).copy_to_clipboard(text)
        self.notify(f"copied {len(text):,} characters")
        self.dismiss()
