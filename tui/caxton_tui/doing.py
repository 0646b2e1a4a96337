"""What the operator wants done: asked before where it cannot be taken back, done through the reader, told how it ended.

In: deeds. Out: the daemon's doing, a note with the command that does the same, and what the deed began on screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from caxton.errors import CaxtonError
from caxton_tui.confirm import ConfirmScreen
from caxton_tui.desk import Deed, Desk
from caxton_tui.editing import edit
from caxton_tui.form import Form
from caxton_tui.host import host


class Doing:
    """Sees to deeds for one screen. `show`: opens a conversation that a deed began."""

    def __init__(self, screen: Screen[Any], desk: Desk, show: Callable[[str], None]) -> None:
        self._screen = screen
        self._desk = desk
        self._show = show

    def do(self, deed: Deed) -> None:
        """Do it, after asking where it cannot be taken back; not at all where the operator only looks."""
        if self._desk.read_only and deed.changes:
            said = f"read-only: {deed.title} is not done here\n{deed.told}"
            self._screen.notify(said, severity="warning", markup=False)
        elif deed.question:

            def decided(yes: bool | None) -> None:
                if yes:
                    self._begin(deed)

            host(self._screen).push_screen(ConfirmScreen(deed), decided)
        else:
            self._begin(deed)

    def decided(self, deed: Deed | None) -> None:
        """What a form came to; nothing where it was closed. What was not done stands in the form again."""
        if deed is not None:
            self.do(deed)

    def edit(self, agent: str | None) -> None:
        """Open the source of that agent in the user's editor."""
        if agent is None:
            said = "whose source? put the cursor on an agent, or on a message of one"
            self._screen.notify(said, severity="warning", timeout=4)
        else:
            self._screen.run_worker(self._edit(agent), group="editor", exclusive=True, exit_on_error=True)

    def _begin(self, deed: Deed) -> None:
        self._screen.run_worker(self._perform(deed), group="deeds", exit_on_error=True)

    async def _perform(self, deed: Deed) -> None:
        try:
            came = await self._desk.reader.ask(deed.run)
        except CaxtonError as error:
            self._refused(error, deed.title, deed.told)
            self._again(deed)
        else:
            self._screen.notify(f"{came}\n{deed.told}", title=deed.title, markup=False)
            if deed.opens:
                self._show(deed.opens[-1])
        self._desk.reader.hurry()

    def _again(self, deed: Deed) -> None:
        """Give back what was written, unless the operator is at something else by now."""
        if deed.again is not None and not isinstance(host(self._screen).screen, (Form, ConfirmScreen)):
            host(self._screen).push_screen(deed.again, self.decided)

    async def _edit(self, agent: str) -> None:
        title = f"source of {agent}"
        try:
            came = await edit(host(self._screen), self._desk.folder, agent)
        except CaxtonError as error:
            self._refused(error, title, "")
        else:
            self._screen.notify(came, title=title, markup=False)

    def _refused(self, error: CaxtonError, title: str, command: str) -> None:
        said = "\n".join(part for part in (error.message, error.hint, command) if part)
        self._screen.notify(said, title=title, severity="error", markup=False)
