"""The help: every key, and the command that does the same without the app."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from caxton_tui.filter import FIELDS
from caxton_tui.keys import KEYS, PLACES

_NAMES = {"question_mark": "?", "slash": "/", "escape": "esc"}


class HelpScreen(ModalScreen[None]):
    """Lies over the picture until a key closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", "Close", id="help.close")
    ]

    def compose(self) -> ComposeResult:
        """One table and two sentences."""
        with VerticalScroll(id="help"):
            yield Static(keys(), id="help-keys")
            yield Static(notes(), id="help-notes")

    def on_mount(self) -> None:
        """Name the box."""
        box = self.query_one("#help")
        box.border_title = "Keys"
        box.border_subtitle = "esc closes"
        box.focus()


def keys() -> Table:
    """Every key with what it does and its command."""
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
    table.add_column("KEY", no_wrap=True)
    table.add_column("WHAT")
    table.add_column("AS A COMMAND")
    for key in KEYS:
        names = " ".join(_NAMES.get(name, name) for name in key.keys.split(","))
        table.add_row(Text(names, "bold"), Text(key.text), Text(key.command, "dim"))
    for names, text, command in PLACES:
        table.add_row(Text(names, "bold"), Text(text), Text(command, "dim"))
    return table


def notes() -> Text:
    """What a filter may say, and what the signs mean."""
    fields = " ".join(f"{name}:" for name in ("agent", *FIELDS))
    return Text(
        f"\nFilter: words that a row must hold; {fields} in that field; ! before a word turns it round."
        "\nSigns: ? asks  + offers  = settles  - declines  ! went wrong  ↻ delivered again  · event"
        "\nA line that says how many rows were left out is a viewer's bound: the journal has them all."
    )
