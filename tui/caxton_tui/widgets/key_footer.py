"""The bottom line: the keys that do something here, and what.

In: the bindings in force for what has the focus. Out: as many as fit, in one line of text, and always the key that
tells all of them; a click does what the key does. Textual's own footer has a widget for each key and makes them anew at
every change of the focus, which was a third of the time that another screen takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widget import Widget

from caxton_tui.widgets.typed_app import typed_app

HELP: Final = "app.help"
"""The id of the binding that tells all keys."""


@dataclass(frozen=True, slots=True)
class FooterKey:
    """One key: as it is pressed, as it is shown, what it does, and whether it can do that now."""

    id: str | None
    key: str
    sign: str
    words: str
    enabled: bool

    @property
    def width(self) -> int:
        """In cells."""
        return cell_len(f" {self.sign} {self.words} ")


class KeyFooter(Widget):
    """The keys of the screen that it stands on."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key", "keys--words"}

    def __init__(self, *, id: str = "keys") -> None:
        super().__init__(id=id)
        self.keys: tuple[FooterKey, ...] = ()
        """All that are offered, whether there is room for them or not."""

    def on_mount(self) -> None:
        """Hear of every change of the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)  # pyright: ignore[reportUnknownMemberType]

    def on_unmount(self) -> None:
        """Hear of it no longer."""
        self.screen.bindings_updated_signal.unsubscribe(self)  # pyright: ignore[reportUnknownMemberType]

    def _changed(self, screen: Screen[Any]) -> None:
        app = typed_app(self)
        first = dict[str, FooterKey]()
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show:
                sign = app.get_key_display(binding)
                first.setdefault(
                    binding.action, FooterKey(binding.id, binding.key, sign, binding.description, enabled)
                )
        keys = tuple(first.values())
        if keys != self.keys:
            self.keys = keys
            self.refresh()

    @property
    def fitting(self) -> tuple[FooterKey, ...]:
        """Those that there is room for; where that is not for all, help is the last of them."""
        left = self.size.width
        if sum(one.width for one in self.keys) <= left:
            return self.keys
        last = tuple(one for one in self.keys if one.id == HELP)
        left -= sum(one.width for one in last)
        found = list[FooterKey]()
        for one in self.keys:
            if one in last:
                continue
            left -= one.width
            if left < 0:
                break
            found.append(one)
        return (*found, *last)

    def render(self) -> Text:
        """The line."""
        key, words = (self.get_component_rich_style(name) for name in ("keys--key", "keys--words"))
        text = Text(no_wrap=True, end="")
        for one in self.fitting:
            dim = "" if one.enabled else " dim"
            text.append(f" {one.sign} ", f"{key}{dim}")
            text.append(f"{one.words} ", f"{words}{dim}")
        return text

    def on_click(self, event: events.Click) -> None:
        """Do what the key does that was clicked on."""
        place = event.x
        for one in self.fitting:
            if place < one.width:
                typed_app(self).simulate_key(one.key)
                return
            place -= one.width
