"""The line in which a filter is typed.

In: keys. Out: the text, a moment after the last key and at once on enter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual import on
from textual.timer import Timer
from textual.widgets import Input

EXAMPLE: Final = "from:buyer act:refuse !timer ~regex"
TYPING_S: Final = 0.15
"""How long after a key a list is filtered while the filter is typed."""


class FilterInput(Input):
    """Hidden until it is opened."""

    def __init__(self, wanted: Callable[[str, bool], None], *, id: str = "filter") -> None:
        """`wanted` is told the text, and whether whoever types has finished."""
        # what stands there is gone on with; selected, the next key would replace it
        super().__init__(id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False
        self.display = False
        self._wanted = wanted
        self._typing: Timer | None = None

    def open(self, text: str, example: str) -> None:
        """Show it, with that text to go on with."""
        self.display = True
        self.placeholder = example
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
        """Filter at once: keys that were typed ahead are for the list."""
        if self._typing is not None:
            self._typing.stop()
        self._wanted(self.value, True)

    def _say(self) -> None:
        if self.display:
            self._wanted(self.value, False)
