"""Asks before something is done that cannot be taken back, with the command that does the same.

In: a deed. Out: whether it is to be done.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from caxton_tui.desk import Deed
from caxton_tui.host import key_for


class ConfirmScreen(ModalScreen[bool]):
    """`y` does it, `n` or `esc` does not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Yes", id="confirm.yes"),
        Binding("n,escape,q", "dismiss(False)", "No", id="confirm.no"),
    ]

    def __init__(self, deed: Deed) -> None:
        super().__init__()
        self._deed = deed

    def compose(self) -> ComposeResult:
        """The question and the keys."""
        with Vertical(classes="box"):
            keys = f"{key_for(self, 'confirm.yes')} yes · {key_for(self, 'confirm.no')} no"
            yield Static(f"{self._deed.question}\n\n{self._deed.command}\n\n{keys}", markup=False)

    def on_mount(self) -> None:
        """Name the box."""
        self.query_one(".box").border_title = self._deed.title.replace("[", "\\[")
