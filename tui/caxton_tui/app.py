"""The app: one screen, one reader, one store.

In: a project's folder. Out: a picture of its daemon until the operator leaves. It changes nothing in the daemon, and
the daemon goes on when it ends.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType

from caxton.api.socket import socket_path
from caxton.clock import Clock, SystemClock
from caxton_tui.help import HelpScreen
from caxton_tui.keys import KEYS
from caxton_tui.reader import PAUSES_S, Reader
from caxton_tui.store import Store
from caxton_tui.watch import WatchScreen

STATE = ".caxton"
DARK, LIGHT = "textual-dark", "textual-light"


class CaxtonApp(App[int]):
    """The terminal interface of one project."""

    TITLE = "Caxton"
    CSS_PATH = "caxton.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [key.binding for key in KEYS if key.of_app]

    def __init__(
        self,
        folder: Path,
        *,
        dev: AsyncIterator[str] | None = None,
        seconds: float | None = None,
        clock: Clock | None = None,
        zone: tzinfo | None = None,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        """`dev`: lines of the development loop; `seconds`: ends by itself after so long; `zone`: of the times shown."""
        super().__init__()
        self.theme = os.environ.get("CAXTON_TUI_THEME", DARK)
        self.store = Store()
        self._clock = clock or SystemClock()
        self.reader = Reader(socket_path(folder / STATE), self.store, self._clock, pauses_s)
        self._dev = dev
        self._seconds = seconds
        self._picture = WatchScreen(self.store, self.reader, self._clock, zone, building=dev is not None)

    def get_default_screen(self) -> WatchScreen:
        """The one screen."""
        return self._picture

    @property
    def picture(self) -> WatchScreen:
        """The one screen, also while the help lies over it."""
        return self._picture

    def on_mount(self) -> None:
        """Begin to read."""
        self.run_worker(self.reader.run(), name="reader", exit_on_error=True)
        if self._dev is not None:
            self.run_worker(self._follow(self._dev), name="dev", exit_on_error=True)
        if self._seconds is not None:
            self.set_timer(self._seconds, self.leave)

    def leave(self, code: int = 0) -> None:
        """End the app with that exit code; the daemon goes on."""
        self.exit(code, return_code=code)

    async def action_quit(self) -> None:
        """End the app; the daemon goes on."""
        self.leave()

    def action_dark(self) -> None:
        """Dark to light and back."""
        self.theme = LIGHT if self.current_theme.dark else DARK

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(HelpScreen())

    async def _follow(self, lines: AsyncIterator[str]) -> None:
        async for line in lines:
            self.store.built(line)
