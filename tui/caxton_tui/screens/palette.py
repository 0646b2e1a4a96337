"""The palette: everything that can be done here, by words, a noun first.

In: commands. Out: the one that was chosen; each line shows what it does and the command line's twin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from caxton_tui.keys import hidden_key, key
from caxton_tui.widgets.typed_app import key_for

MOST: Final = 50
"""Lines that are shown; more words show others."""


@dataclass(frozen=True, slots=True)
class PaletteCommand:
    """A line of the palette: a noun first, what it does, and the command line's twin."""

    words: str
    text: str
    twin: str
    run: Callable[[], object]


class PaletteScreen(ModalScreen[PaletteCommand | None]):
    """A line to type in, and what fits it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape", "dismiss(None)", "palette.close", "Close"),
        hidden_key("up", "step(-1)", "palette.up", "Up"),
        hidden_key("down", "step(1)", "palette.down", "Down"),
    ]

    def __init__(self, commands: Sequence[PaletteCommand]) -> None:
        super().__init__()
        self._commands = commands
        self._found: list[PaletteCommand] = []

    def compose(self) -> ComposeResult:
        """The line and the list."""
        with Vertical(classes="box wide-box"):
            line = Input(placeholder="agent restart …", id="palette-line", compact=True)
            line.cursor_blink = False
            yield line
            options = OptionList(id="palette-list", compact=True)
            options.can_focus = False
            yield options

    def on_mount(self) -> None:
        """Name the box."""
        box = self.query_one(".box")
        box.border_title = "Commands"
        box.border_subtitle = f"↑ ↓ choose · enter does it · {key_for(self, 'palette.close')} closes"
        self._show("")

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Show what fits."""
        self._show(event.value)

    @on(Input.Submitted)
    def entered(self) -> None:
        """Take the line that is marked."""
        place = self.query_one(OptionList).highlighted
        self.dismiss(self._found[place] if place is not None and place < len(self._found) else None)

    @on(OptionList.OptionSelected)
    def clicked(self, event: OptionList.OptionSelected) -> None:
        """Take the line that was clicked."""
        self.dismiss(self._found[event.option_index])

    def action_step(self, by: int) -> None:
        """Mark another line."""
        options = self.query_one(OptionList)
        if self._found:
            options.highlighted = ((options.highlighted or 0) + by) % len(self._found)

    def _show(self, typed: str) -> None:
        self._found = matching(self._commands, typed)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(_line(command)) for command in self._found])
        options.highlighted = 0 if self._found else None


def matching(commands: Sequence[PaletteCommand], typed: str, most: int = MOST) -> list[PaletteCommand]:
    """At most `most` commands that hold every word typed; those whose own words begin with them come first.

    There may be one for each of ten thousand agents, so it ends as soon as there are enough.
    """
    words = typed.casefold().split()
    begun = " ".join(words)
    first: list[PaletteCommand] = []
    others: list[PaletteCommand] = []
    for one in commands:
        said = one.words.casefold()
        if said.startswith(begun):
            first.append(one)
            if len(first) == most:
                break
        elif len(others) < most:
            text = one.text.casefold()
            if all(word in said or word in text for word in words):
                others.append(one)
    return (first + others)[:most]


def _line(command: PaletteCommand) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{command.words:<26} ", "bold")
    text.append(command.twin or "–", "dim")
    text.append(f"  {command.text}")
    return text
