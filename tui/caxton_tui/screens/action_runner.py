"""What the operator wants done: asked before where it cannot be taken back, done through the reader, told how it ended.

In: actions. Out: what the daemon did, a note with the command that does the same, and what the action began on screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from caxton.errors import CaxtonError
from caxton_tui.actions.action import Action
from caxton_tui.forms.confirm import ConfirmScreen
from caxton_tui.forms.form import Form
from caxton_tui.model.context import ViewContext
from caxton_tui.screens.source_editor import edit
from caxton_tui.widgets.typed_app import typed_app


class ActionRunner:
    """Performs actions for one screen. `show`: opens a conversation that an action began."""

    def __init__(self, screen: Screen[Any], context: ViewContext, show: Callable[[str], None]) -> None:
        self._screen = screen
        self.context = context
        self._show = show

    def fill(self, form: Form) -> None:
        """Have that form filled in, and do what it comes to; what was not done stands in the form again."""

        def filled(action: Action | None) -> None:
            if action is not None:
                self.do(action, form)

        typed_app(self._screen).push_screen(form, filled)

    def do(self, action: Action, form: Form | None = None) -> None:
        """Do it, after asking where it cannot be taken back; not at all where the operator only looks.

        `form`: the one that it was written in.
        """
        if self.context.read_only and action.changes:
            said = f"read-only: {action.title} is not done here\n{action.told}"
            self._screen.notify(said, severity="warning", markup=False)
        elif action.question:

            def decided(yes: bool | None) -> None:
                if yes:
                    self._begin(action, form)

            typed_app(self._screen).push_screen(ConfirmScreen(action), decided)
        else:
            self._begin(action, form)

    def edit(self, agent: str | None) -> None:
        """Open the source of that agent in the user's editor."""
        if agent is None:
            said = "whose source? put the cursor on an agent, or on a message of one"
            self._screen.notify(said, severity="warning", timeout=4)
        else:
            self._screen.run_worker(self._edit(agent), group="editor", exclusive=True, exit_on_error=True)

    def _begin(self, action: Action, form: Form | None) -> None:
        self._screen.run_worker(self._perform(action, form), group="daemon_actions", exit_on_error=True)

    async def _perform(self, action: Action, form: Form | None) -> None:
        try:
            came = await self.context.reader.ask(action.run)
        except CaxtonError as error:
            self._refused(error, action.title, action.told)
            self._fill_again(form)
        else:
            self._screen.notify(f"{came}\n{action.told}", title=action.title, markup=False)
            if action.opens:
                self._show(action.opens[-1])
        self.context.reader.hurry()

    def _fill_again(self, form: Form | None) -> None:
        """Give back what was written, unless the operator is at something else by now."""
        busy = isinstance(typed_app(self._screen).screen, (Form, ConfirmScreen))
        if form is not None and form.again is not None and not busy:
            self.fill(form.again)

    async def _edit(self, agent: str) -> None:
        title = f"source of {agent}"
        try:
            came = await edit(typed_app(self._screen), self.context.folder, agent)
        except CaxtonError as error:
            self._refused(error, title, "")
        else:
            self._screen.notify(came, title=title, markup=False)

    def _refused(self, error: CaxtonError, title: str, command: str) -> None:
        said = "\n".join(part for part in (error.message, error.hint, command) if part)
        self._screen.notify(said, title=title, severity="error", markup=False)
