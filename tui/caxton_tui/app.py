"""The app: one main screen, one reader, one store.

In: a project's folder. Out: its daemon on screen until the operator leaves, and what the operator has it do. The
daemon goes on when it ends.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Final

from textual.app import App
from textual.events import Event, Key, Paste
from textual.filter import LineFilter

from caxton.client import Remote
from caxton.clock import Clock, SystemClock
from caxton.daemon_socket import socket_path
from caxton_tui.model import kept_views
from caxton_tui.model.context import ViewContext
from caxton_tui.model.kept_views import KeptViews
from caxton_tui.model.reader import PAUSES_S, Reader
from caxton_tui.model.store import Store
from caxton_tui.screens.main_screen import MainScreen
from caxton_tui.settings import Settings
from caxton_tui.shortcuts import Shortcuts
from caxton_tui.terminal import LOOKS_S, gone
from caxton_tui.themes import DARK, HIGH_CONTRAST
from caxton_tui.widgets.isolated_text import IsolatedText
from caxton_tui.widgets.typed_ahead import TypedAhead

STATE = ".caxton"
STARTING_S = 60.0
"""How long the daemon that a development loop starts may take to answer."""

_ISOLATED: Final = IsolatedText()


class CaxtonApp(App[int]):
    """The terminal interface of one project."""

    TITLE = "Caxton"
    CSS_PATH = "caxton.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        folder: Path,
        *,
        daemon: Path | Remote | None = None,
        dev: AsyncIterator[str] | None = None,
        seconds: float | None = None,
        read_only: bool = False,
        settings: Settings | None = None,
        clock: Clock | None = None,
        zone: tzinfo | None = None,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        """`daemon`: where it is, if not on the project's socket; `dev`: lines of the development loop; `seconds`: ends
        by itself after so long; `zone`: of the times shown.
        """
        super().__init__()
        settings = settings or Settings()
        self.register_theme(HIGH_CONTRAST)
        self.theme = os.environ.get("CAXTON_TUI_THEME") or settings.theme or DARK
        self.set_keymap(dict(settings.keys))
        self.store = Store()
        clock = clock or SystemClock()
        starting_s = STARTING_S if dev is not None else 0.0
        self.reader = Reader(daemon or socket_path(folder / STATE), self.store, clock, pauses_s, starting_s)
        self._typed = TypedAhead(self, super().on_event)
        self._dev = dev
        self._seconds = seconds
        self.shortcuts = Shortcuts(settings.keys)
        """The keys that texts on screen name."""
        kept = KeptViews(kept_views.place())
        context = ViewContext(self.store, self.reader, clock, folder, zone, read_only, self.shortcuts, kept)
        self.main_screen = MainScreen(context, building=dev is not None)
        """The one screen that stays, also while something lies over it."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line of every pane passes by before it is written."""
        return [*super().get_line_filters(), _ISOLATED]

    def get_default_screen(self) -> MainScreen:
        """The main screen."""
        return self.main_screen

    async def on_event(self, event: Event) -> None:
        """Keys go one after the other, each when the one before it is done."""
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self._typed.take(event)
        else:
            await super().on_event(event)

    def on_mount(self) -> None:
        """First the picture."""
        self.main_screen.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """The first picture stands: read, complete what is hidden, take keys."""
        self.run_worker(self.reader.run(), name="reader", exit_on_error=True)
        if self._dev is not None:
            self.run_worker(self._follow(self._dev), name="dev", exit_on_error=True)
        if self._seconds is not None:
            self.set_timer(self._seconds, self.leave)
        if not self.is_headless:
            self.set_interval(LOOKS_S, self._look_for_terminal)
        await self.main_screen.switcher.complete()
        self._typed.begin()

    def leave(self, code: int = 0) -> None:
        """End the app with that exit code; the daemon goes on."""
        self.exit(code, return_code=code)

    async def action_quit(self) -> None:
        """End the app; the daemon goes on."""
        self.leave()

    def _look_for_terminal(self) -> None:
        """End where there is no terminal any more, as after the signal that mostly tells so."""
        if sys.__stdin__ is not None and gone(sys.__stdin__.fileno()):
            self.leave(128 + signal.SIGHUP)

    async def _follow(self, lines: AsyncIterator[str]) -> None:
        async for line in lines:
            self.store.built(line)
