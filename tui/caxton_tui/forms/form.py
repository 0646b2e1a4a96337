"""A box to fill in: it is not closed by one key with something written in it, and it comes back as it was filled where
the daemon refuses what it asked for.

In: what was written. Out: an `Action`, or None where the box was closed.
"""

from __future__ import annotations

from typing import ClassVar

from textual.screen import ModalScreen
from textual.widgets import Input, TextArea

from caxton_tui.actions.action import Action
from caxton_tui.widgets.typed_app import key_for


class Form(ModalScreen[Action | None]):
    """The base of the boxes that are filled in."""

    CLOSE: ClassVar[str]
    """The id of the binding that closes it, by `action_close`."""

    def __init__(self) -> None:
        super().__init__()
        self.again: Form | None = None
        """Another one, filled as this one was when it was finished."""
        self._came_back = False
        self._thrown_away: list[str] | None = None
        """What may go, for nothing of it was written here, or the key that closes was pressed."""

    def on_mount(self) -> None:
        """What it begins with was not written, unless it comes back."""
        self._thrown_away = None if self._came_back else self._written

    def copy(self) -> Form:
        """Another one, filled as this one is now."""
        raise NotImplementedError

    def finish(self, action: Action) -> None:
        """Close it: that is to be done."""
        self.again = self.copy()
        self.again._came_back = True
        self.dismiss(action)

    def action_close(self) -> None:
        """Close it; with something written only when that is said twice."""
        written = self._written
        if written == self._thrown_away:
            self.dismiss(None)
        else:
            self._thrown_away = written
            self.notify(f"{key_for(self, self.CLOSE)} again throws away what is written here", timeout=4)

    @property
    def _written(self) -> list[str]:
        lines = [line.value for line in self.query(Input)]
        return lines + [area.text for area in self.query(TextArea)]
