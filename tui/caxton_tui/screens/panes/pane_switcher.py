"""The six panes, one of them on screen: which, which before, and what it shows of its list.

In: labels, and what is typed as a filter. Out: the pane on screen, with the focus on its main list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from textual.app import ComposeResult
from textual.containers import Container

from caxton.errors import InvalidFilter
from caxton.finding import Filter
from caxton_tui.screens.panes.pane import Pane

P = TypeVar("P", bound=Pane)

REMEMBERED: Final = 10
"""Panes that were on screen before, as far as one can go back."""


class PaneSwitcher(Container):
    """Shows one of the panes."""

    def __init__(self, panes: Sequence[Pane], *, id: str = "body") -> None:
        super().__init__(id=id)
        self.panes = {pane.LABEL: pane for pane in panes}
        self._label = panes[0].LABEL
        self._before: list[str] = []

    def compose(self) -> ComposeResult:
        """The first of them."""
        yield self.current

    async def complete(self) -> None:
        """The others, hidden, once the first is on screen."""
        for pane in self.panes.values():
            if not pane.is_attached:
                pane.display = False
                await self.mount(pane)

    @property
    def current(self) -> Pane:
        """The pane on screen."""
        return self.panes[self._label]

    def the(self, kind: type[P]) -> P:
        """One of the panes."""
        found = self.panes[kind.LABEL]
        assert isinstance(found, kind)
        return found

    def focus_main(self) -> None:
        """The focus on the main list of the pane on screen."""
        # at once, for keys that were typed ahead are for it
        self.screen.set_focus(self.current.main)

    def show(self, label: str) -> None:
        """Another pane."""
        if label != self._label:
            self._before = [*self._before[1 - REMEMBERED :], self._label]
        self._switch(label)

    def show_last(self) -> None:
        """The pane before this one, if there was one."""
        if self._before:
            self._switch(self._before.pop())

    def _switch(self, label: str) -> None:
        self.current.display = False
        self._label = label
        self.current.display = True
        self.focus_main()

    @property
    def filter(self) -> str:
        """The filter in force, as it was typed; empty where there is none."""
        wanted = self.current.main.wanted
        return wanted.text if wanted is not None else ""

    def narrow(self, text: str, *, final: bool = True) -> bool:
        """Show only what passes; False where the text is no filter. `final`: then it is said what is wrong."""
        try:
            wanted = Filter(text)
        except InvalidFilter as error:
            if final:
                self.notify(f"{error.message}. {error.hint}", severity="error", markup=False)
            return False
        if wanted.text != self.filter:
            self.current.main.narrow(wanted or None)
        return True
