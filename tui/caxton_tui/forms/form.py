"""A box to fill in: it is not closed by one key with something written in it, and it comes back as it was filled where
the daemon refuses what it asked for.

In: what was written. Out: an `Action`, or None where the box was closed. Under the lines stands the command that does
the same, or what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static, TextArea

from caxton.errors import CaxtonError
from caxton.presentation.text import safe
from caxton_tui.actions.action import Action
from caxton_tui.widgets.typed_app import key_for


class Form(ModalScreen[Action | None]):
    """The base of the boxes that are filled in. Subclasses compose a `box` that ends with a `note`."""

    CLOSE: ClassVar[str]
    """The id of the binding that closes it, by `action_close`."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._heading = heading
        self.again: Form | None = None
        """Another one, filled as this one was when it was finished."""
        self._came_back = False
        self._thrown_away: list[str] | None = None
        """What may go, for nothing of it was written here, or the key that closes was pressed."""

    def make(self) -> Action | None:
        """What is done with what is written; None where something is missing, CaxtonError where something is wrong."""
        raise NotImplementedError

    def hints(self) -> list[str]:
        """The lines above the command."""
        raise NotImplementedError

    def copy(self) -> Form:
        """Another one, filled as this one is now."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Name the box. What it begins with was not written, unless it comes back."""
        for line in self.query(Input):
            line.cursor_blink = False
        self.query_one(".box").border_title = self._heading.replace("[", "\\[")
        self._thrown_away = None if self._came_back else self._written
        self._note()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def changed(self) -> None:
        """The command goes with what is written."""
        self._note()

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Close it, that is to be done; or say what is wrong."""
        try:
            action = self.make()
        except CaxtonError as error:
            self.notify(f"{error.message}. {error.hint or ''}", severity="error", markup=False)
            return
        if action is not None:
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

    def _note(self) -> None:
        try:
            action = self.make()
            command = action.told if action is not None else ""
        except CaxtonError as error:
            command = error.message
        self.query_one(".note", Static).update("\n".join([*self.hints(), safe(command)]))


def labelled_input(label: str, value: str, suggestions: Sequence[str] = (), *, id: str) -> Horizontal:
    """A line to fill in with its name before it, completed from the suggestions."""
    suggester = SuggestFromList(suggestions) if suggestions else None
    line = Input(value, id=id, compact=True, suggester=suggester)
    return Horizontal(Static(label, classes="label"), line, classes="line")
