"""What is typed to find something: a filter of a list, or words in a diagram or a message; filters that are kept.

In: the line at the bottom, a name for a filter, a range of time. Out: the pane on screen, narrowed, or its cursor on a
place.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.screen import Screen

from caxton_tui.forms.ask import AskScreen
from caxton_tui.forms.time_range_form import TimeRangeForm
from caxton_tui.model.context import ViewContext
from caxton_tui.model.time_range import range_of, with_range
from caxton_tui.screens.palette import PaletteCommand
from caxton_tui.screens.panes.pane_switcher import PaneSwitcher
from caxton_tui.widgets.filter_input import EXAMPLE, FilterInput
from caxton_tui.widgets.tables.searchable import Searchable
from caxton_tui.widgets.typed_app import typed_app


class FilteringScreen(Screen[None]):
    """A screen whose panes can be filtered."""

    def __init__(self, context: ViewContext, switcher: PaneSwitcher) -> None:
        super().__init__()
        self.context = context
        self.switcher = switcher
        self._sought: Searchable | None = None
        """Where what is typed is looked for; None: it is a filter."""

    def repaint(self) -> None:
        """Paint now, whatever is new."""
        raise NotImplementedError

    @property
    def line(self) -> FilterInput:
        """The line that is typed in."""
        return self.query_one(FilterInput)

    def action_filter(self) -> None:
        """Open the line for the filter; in a diagram or a message, for what is looked for there."""
        listing = self.switcher.current.listing
        self._sought = listing if isinstance(listing, Searchable) else None
        text, example = self.switcher.filter, EXAMPLE
        if self._sought is not None:
            text, example = self._sought.sought, "words to look for in here"
        self.line.open(text, example)

    def typed(self, text: str, final: bool) -> None:
        """Look for it, or filter, and at the end go back to the list; what is no filter stays in the line."""
        if self._sought is not None:
            self._sought.find(text)
            if final:
                self.close_filter()
        elif self.narrow(text, final=final) and final:
            self.close_filter()

    def close_filter(self) -> None:
        """Close the line, and go back to where one was."""
        if not self.line.close():
            return
        if self._sought is not None and self._sought.display:
            self.set_focus(self._sought)
        else:
            self.switcher.focus_main()

    def narrow(self, text: str, *, final: bool = True) -> bool:
        """Show only what passes; False where the text is no filter."""
        passed = self.switcher.narrow(text, final=final)
        if passed:
            self.repaint()
        return passed

    def action_range(self) -> None:
        """Ask from when to when, and let the filter say so."""

        def chosen(range: tuple[str, str] | None) -> None:
            if range is not None:
                self.narrow(with_range(self.switcher.filter, *range))

        typed_app(self).push_screen(TimeRangeForm(*range_of(self.switcher.filter)), chosen)

    # filters by their names

    def action_keep_filter(self) -> None:
        """Give the filter that stands there a name, and keep it."""
        if self.line.display and self._sought is None:
            self.typed(self.line.value, True)
        text = self.switcher.filter
        if not text or self.line.display:
            self.notify("no filter is set that could be kept", timeout=3)
            return

        def named(name: str | None) -> None:
            if name:
                self.context.kept.keep_filter(name, text)
                said = self.context.kept.trouble or f"kept as {name}: the palette has it"
                self.notify(said, markup=False, timeout=4)

        typed_app(self).push_screen(AskScreen("A name for this filter", note=text), named)

    def filter_commands(self) -> Iterator[PaletteCommand]:
        """The palette's lines for filters."""
        yield PaletteCommand(
            "filter problems",
            "only what went wrong",
            "--filter is:problem",
            partial(self.narrow, "is:problem"),
        )
        yield PaletteCommand("filter drop", "show everything", "", partial(self.narrow, ""))
        for name, text in sorted(self.context.kept.filters.items()):
            yield PaletteCommand(f"filter {name}", "", text, partial(self.narrow, text))
        for name in sorted(self.context.kept.filters):
            forget = partial(self.context.kept.keep_filter, name, "")
            yield PaletteCommand(f"filter forget {name}", "keep it no longer", "", forget)
