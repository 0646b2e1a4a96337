"""The line in which a filter is typed.

In: keys. Out: `Wanted`, a moment after the last key and at once on enter.
"""

from __future__ import annotations

from typing import Final

from textual import on
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

TYPING_S: Final = 0.15
"""How long after a key a list is filtered while the filter is typed."""


class FilterLine(Input):
    """Hidden until it is opened."""

    class Wanted(Message):
        """The list is to show only what passes. `final`: whoever types has finished."""

        def __init__(self, text: str, *, final: bool) -> None:
            super().__init__()
            self.text = text
            self.final = final

    def __init__(self, *, id: str = "filter") -> None:
        # what stands there is gone on with; selected, the next key would replace it
        super().__init__(
            placeholder="from:buyer act:refuse !timer ~regex", id=id, compact=True, select_on_focus=False
        )
        self.cursor_blink = False
        self.display = False
        self._typing: Timer | None = None

    def open(self, text: str) -> None:
        """Show it, with that filter to go on with."""
        self.display = True
        self.value = text
        self.cursor_position = len(text)
        self.screen.set_focus(self)

    def close(self) -> bool:
        """Hide it; whether it was shown."""
        if self._typing is not None:
            self._typing.stop()
        shown, self.display = self.display, False
        return shown

    @on(Input.Changed)
    def typed(self) -> None:
        """Filter a moment after the last key."""
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(TYPING_S, self._say)

    async def action_submit(self) -> None:
        """Filter at once."""
        if self._typing is not None:
            self._typing.stop()
        self._say(final=True)

    def _say(self, *, final: bool = False) -> None:
        if self.display:
            self.post_message(self.Wanted(self.value, final=final))
