"""The help: what the keys do for what has the focus, and the command that does the same without the app.

In: the bindings that are in force. Out: a box over the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from caxton.finding import FIELDS
from caxton_tui.keys import KEYS, MOVES, TWINS, key, shown
from caxton_tui.widgets.typed_app import key_for


class BindingHelp(NamedTuple):
    """One binding as the help explains it."""

    keys: tuple[str, ...]
    text: str
    id: str


def bindings_in_force(active: Iterable[ActiveBinding]) -> list[BindingHelp]:
    """What these bindings do: those of what has the focus first, then the screen's, then everybody's."""
    found: dict[str, tuple[list[str], str]] = {}
    for _, binding, _, _ in active:
        if binding.id is None or binding.system:
            continue
        keys, _ = found.setdefault(binding.id, ([], binding.tooltip or binding.description))
        keys.append(binding.key)
    order = {one.id: n for n, one in enumerate(KEYS, 1)}
    # what everybody tries anyway stands last
    order |= dict.fromkeys(MOVES, len(order) + 1)
    ids = sorted(found, key=lambda id: order.get(id, 0))
    return [BindingHelp(tuple(found[id][0]), found[id][1], id) for id in ids]


class HelpScreen(ModalScreen[None]):
    """Lies over the screen until a key closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape,q,enter", "dismiss", "help.close", "Close"),
        # the key that opened it, whichever the user has given to that
        key("question_mark", "dismiss", "app.help", "Close"),
    ]

    def __init__(self, title: str, about: str, told: Sequence[BindingHelp]) -> None:
        super().__init__()
        self._title = title
        self._about = about
        self.told = told
        """The bindings that are explained."""

    def compose(self) -> ComposeResult:
        """A sentence, a table and some notes."""
        with VerticalScroll(id="help"):
            yield Static(Text(self._about + "\n"), id="help-about")
            yield Static(keys(self.told), id="help-keys")
            yield Static(notes(), id="help-notes")

    def on_mount(self) -> None:
        """Name the box."""
        box = self.query_one("#help")
        box.border_title = f"Keys on {self._title}"
        box.border_subtitle = f"{key_for(self, 'help.close')} closes"
        box.focus()


def keys(told: Sequence[BindingHelp]) -> Table:
    """Every key with what it does and its command."""
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
    table.add_column("KEY", no_wrap=True)
    table.add_column("WHAT")
    table.add_column("AS A COMMAND")
    for one in told:
        names = " ".join(shown(key) for key in one.keys)
        table.add_row(
            Text(names, "bold"), Text(one.text), Text(TWINS[one.id].command if one.id in TWINS else "", "dim")
        )
    table.add_row(Text("tab", "bold"), Text("The next place on this screen"), Text(""))
    return table


def notes() -> Text:
    """What a filter may say, and what the signs mean."""
    fields = " ".join(f"{name}:" for name in FIELDS)
    return Text(
        f"\nFilter: words that a row must hold; {fields} in that field; ~ a regular expression; ! turns it round."
        "\nSigns: ? asks  + offers  = settles  - declines  ! went wrong  ↻ delivered again  · event"
        "\nIn a diagram: ↩ answers  ◷ reply-by, or one that passed  ✗ wrong  ◆ another revision  ↻ a loop  ⏸ held"
        "\nA line that says how many rows were left out is a viewer's bound: the journal has them all."
    )
