"""One of the six screens: what is the same for all of them.

In: the context. Out: a place with lists, which says what it needs asked, where one stands in it, and what can be done.
Panes never talk to the daemon and never to each other: they post `Do`, `Fill` and `Go`, and the main screen sees to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.containers import Container
from textual.message import Message

from caxton_tui.actions.action import Action
from caxton_tui.forms.form import Form
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.model.open_views import Needs
from caxton_tui.screens.palette import PaletteCommand
from caxton_tui.widgets.tables.listing import Listing


class Pane(Container):
    """A screen. `NUMBER` is its key; `ABOUT` says in a sentence what it is for."""

    NUMBER: ClassVar[str]
    LABEL: ClassVar[str]
    ABOUT: ClassVar[str]

    class Do(Message):
        """The operator wants that done."""

        def __init__(self, action: Action) -> None:
            super().__init__()
            self.action = action

    class Go(Message):
        """The operator wants to see another screen, perhaps with a conversation or an agent open in it."""

        def __init__(self, label: str, *, conversation: str | None = None, agent: str | None = None) -> None:
            super().__init__()
            self.label = label
            self.conversation = conversation
            self.agent = agent

    class Fill(Message):
        """The operator wants to fill in that form; what it comes to is done."""

        def __init__(self, form: Form) -> None:
            super().__init__()
            self.form = form

    def __init__(self, context: ViewContext) -> None:
        super().__init__(id=self.LABEL.lower(), classes="pane")
        self.context = context

    def known(self, *names: object) -> str | None:
        """The first of these names that is an agent's here, without its platform."""
        platform = self.context.store.platform
        agents = set(self.context.store.agent_names)
        return next((name for one in names if (name := formatting.short(one, platform)) in agents), None)

    @property
    def needs(self) -> Needs:
        """What the reader must ask for while this is on screen."""
        return Needs()

    @property
    def main(self) -> Listing:
        """The list that has the focus first, and that a filter narrows."""
        raise NotImplementedError

    @property
    def listing(self) -> Listing:
        """The list with the focus, else the main one."""
        focused = self.screen.focused
        return focused if isinstance(focused, Listing) and focused in self.query(Listing) else self.main

    @property
    def agent(self) -> str | None:
        """The agent at the cursor, without its platform; None where there is none."""
        return None

    def flush(self) -> None:
        """Bring the store's newest state on screen."""

    def back(self) -> bool:
        """One step back inside; False where there is none."""
        return False

    def open(self, *, conversation: str | None = None, agent: str | None = None) -> None:
        """Show that conversation or agent."""

    @property
    def crumbs(self) -> Sequence[str]:
        """Where one stands in here, from outside in."""
        return ()

    @property
    def passing(self) -> str:
        """How many pass the filter."""
        return f"{self.main.total:,} shown"

    @property
    def names(self) -> Mapping[str, str]:
        """What the cursor stands on, by the word for it in commands: ID, NAME."""
        return {}

    @property
    def commands(self) -> Sequence[PaletteCommand]:
        """What can be done here beside what the keys do."""
        return ()
