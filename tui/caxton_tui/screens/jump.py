"""Jump mode: a letter on every row and every box that is on screen; typing it goes there.

In: the places of a screen with where they are. Out: labels over the screen, and the place that was chosen. Where
there are more places than letters, those that come last have two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from caxton_tui.keys import key
from caxton_tui.widgets.tables.listing import HEAD, Listing

LETTERS: Final = "asdfghjklqwertyuiopzxcvbnm"
"""The nearest to the fingers first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go: where its label stands, and what goes there."""

    at: Offset
    go: Callable[[], None]


class JumpScreen(ModalScreen[Callable[[], None] | None]):
    """Labels over the screen, until a place is chosen or any other key is pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "dismiss(None)", "jump.close", "Close")]

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__()
        self.places = dict(zip(labels(len(places)), places, strict=True))
        """By their labels."""
        self._typed = ""

    def compose(self) -> ComposeResult:
        """The labels."""
        for text, place in self.places.items():
            label = Static(text.upper(), classes="jump", markup=False)
            label.styles.offset = place.at
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go where the letters say; any other key ends it."""
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        self._typed += (event.character or "?").lower()
        found = self.places.get(self._typed)
        if found is not None:
            self.dismiss(found.go)
        elif not any(text.startswith(self._typed) for text in self.places):
            self.dismiss(None)
        else:
            for text, label in zip(self.places, self.query(Static), strict=True):
                label.display = text.startswith(self._typed)


def labels(count: int) -> list[str]:
    """So many labels, none of which begins another: single letters as long as they last."""
    of_two = 0
    while len(LETTERS) - of_two + of_two * len(LETTERS) < count:
        of_two += 1
    single = LETTERS[: len(LETTERS) - of_two]
    pairs = [first + second for first in LETTERS[len(single) :] for second in LETTERS]
    return [*single, *pairs][:count]


def places(focused: Widget | None, others: Sequence[Widget]) -> list[Place]:
    """Where one can go: the boxes, then the rows of the list that has the focus, then the rows of the others."""
    shown = [one for one in others if one.region.area and one.is_on_screen]
    lists = [one for one in shown if isinstance(one, Listing)]
    lists.sort(key=lambda one: one is not focused)
    found = [Place(Offset(one.region.x + 1, one.region.y), _to(one)) for one in shown]
    for one in lists:
        found += _rows(one)
    return found


def _rows(listing: Listing) -> Iterator[Place]:
    at = listing.content_region.offset
    for number in range(listing.top, min(listing.top + listing.room, listing.total)):
        yield Place(Offset(at.x, at.y + HEAD + number - listing.top), _to_row(listing, number))


def _to(widget: Widget) -> Callable[[], None]:
    return lambda: widget.screen.set_focus(widget)


def _to_row(listing: Listing, number: int) -> Callable[[], None]:
    def go() -> None:
        listing.screen.set_focus(listing)
        listing.put(number)

    return go
