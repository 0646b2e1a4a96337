"""Keys that are typed faster than a box opens: each waits until what the one before did is done, the first for `begin`.

In: keys and pasted texts as the terminal sends them. Out: the same, one after the other. Without it the first letters
of a word that is typed at once after `/` or `c` would be commands of the screen below.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from textual.app import App
from textual.events import Event
from textual.message_pump import MessagePump
from textual.screen import Screen

MOST: Final = 10_000
"""Keys that wait; more is nobody's typing, and the oldest are dropped."""


class TypedAhead:
    """Gives one key at a time to the app."""

    def __init__(self, app: App[Any], give: Callable[[Event], Awaitable[None]]) -> None:
        self._app = app
        self._give = give
        self._waiting: deque[Event] = deque(maxlen=MOST)
        self._under_way = True
        """At first nothing is there yet that a key could be for."""

    def begin(self) -> None:
        """Give the next key, or those that come."""
        self._under_way = False
        if self._waiting:
            self._app.call_later(self.take, self._waiting.popleft())

    async def take(self, event: Event) -> None:
        """Give the app that key, at once or when the one before it is done."""
        if self._under_way:
            self._waiting.append(event)
            return
        self._under_way = True
        screen = self._app.screen
        path = [*(self._app.focused or screen).ancestors_with_self]
        await self._give(event)
        self._follow(path, screen)

    def _follow(self, path: list[Any], screen: Screen[Any]) -> None:
        """Go behind the key, up through the queues that what it did goes through."""
        while path:
            pump: MessagePump = path.pop(0)
            if pump.call_later(partial(self._follow, path, screen)):
                return
        now = self._app.screen
        if now is not screen:
            # it has just been opened, and gets its focus first
            self._follow([now, self._app], now)
            return
        self.begin()
