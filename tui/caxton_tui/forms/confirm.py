"""Asks before something is done that cannot be taken back, with the command that does the same.

In: an action. Out: whether it is to be done.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from caxton_tui.actions.action import Action
from caxton_tui.keys import key
from caxton_tui.widgets.typed_app import key_for


class ConfirmScreen(ModalScreen[bool]):
    """`y` does it, `n` or `esc` does not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("y,enter", "dismiss(True)", "confirm.yes", "Yes"),
        key("n,escape,q", "dismiss(False)", "confirm.no", "No"),
    ]

    def __init__(self, action: Action) -> None:
        super().__init__()
        self._action = action

    def compose(self) -> ComposeResult:
        """The question and the keys."""
        with Vertical(classes="box"):
            keys = f"{key_for(self, 'confirm.yes')} yes · {key_for(self, 'confirm.no')} no"
            yield Static(f"{self._action.question}\n\n{self._action.told}\n\n{keys}", markup=False)

    def on_mount(self) -> None:
        """Name the box."""
        self.query_one(".box").border_title = self._action.title.replace("[", "\\[")
