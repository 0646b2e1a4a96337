"""A box to fill in: it is not closed by one key with something written in it, and it comes back as it was filled where
the daemon refuses what it asked for.

In: what was written. Out: an `Action`, or None where the box was closed. Under the lines stands the command that does
the same, or what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from caxton.errors import CaxtonError
from caxton.presentation.text import safe
from caxton_tui.actions.action import Action
from caxton_tui.widgets.typed_app import key_for


class Line(NamedTuple):
    """A line to fill in: what it begins with, and what completes it."""

    value: str = ""
    suggestions: Sequence[str] = ()


class Form(ModalScreen[Action | None]):
    """The base of the boxes that are filled in: lines by their names, what stands below them, a note."""

    NAME: ClassVar[str]
    """What the ids of its lines begin with, and that of the binding that closes it by `action_close`."""

    def __init__(self, heading: str, lines: Mapping[str, Line], begin: str) -> None:
        """`begin`: the line that is filled in first."""
        super().__init__()
        self._heading = heading
        self._lines = lines
        self._begin = begin
        self.again: Form | None = None
        """Another one, filled as this one was when it was finished."""
        self._came_back = False
        self._thrown_away: list[str] | None = None
        """What may go, for nothing of it was written here, or the key that closes was pressed."""

    def compose(self) -> ComposeResult:
        """The lines with their names, and the note."""
        with Vertical(classes="box wide-box"):
            for name, line in self._lines.items():
                completed = SuggestFromList(line.suggestions) if line.suggestions else None
                entry = Input(line.value, id=f"{self.NAME}-{name}", compact=True, suggester=completed)
                yield Horizontal(Static(name.replace("_", " "), classes="label"), entry, classes="line")
            yield from self.below()
            yield Static(classes="note", markup=False)

    def below(self) -> Iterable[Widget]:
        """What stands below the lines."""
        return ()

    def entry(self, name: str) -> Input:
        """One of the lines."""
        return self.query_one(f"#{self.NAME}-{name}", Input)

    @property
    def written(self) -> dict[str, str]:
        """What stands in the lines, by their names."""
        return {name: self.entry(name).value.strip() for name in self._lines}

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
        self._thrown_away = None if self._came_back else self._texts
        self._note()
        self.entry(self._begin).focus()

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
        texts = self._texts
        if texts == self._thrown_away:
            self.dismiss(None)
        else:
            self._thrown_away = texts
            self.notify(
                f"{key_for(self, f'{self.NAME}.close')} again throws away what is written here", timeout=4
            )

    @property
    def _texts(self) -> list[str]:
        lines = [line.value for line in self.query(Input)]
        return lines + [area.text for area in self.query(TextArea)]

    def _note(self) -> None:
        try:
            action = self.make()
            command = action.told if action is not None else ""
        except CaxtonError as error:
            command = error.message
        self.query_one(".note", Static).update("\n".join([*self.hints(), safe(command)]))
