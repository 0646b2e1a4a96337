"""From when to when: a range of time is picked, or typed.

In: the range that the filter has. Out: since and before when, or None where the box was closed.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from caxton_tui.keys import key
from caxton_tui.model.time_range import RANGES
from caxton_tui.widgets.typed_app import key_for


class TimeRangeForm(ModalScreen[tuple[str, str] | None]):
    """A list of ranges, and two lines for any other."""

    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "dismiss(None)", "range.close", "Close")]

    def __init__(self, since: str, before: str) -> None:
        super().__init__()
        self._said = {"since": since, "before": before}

    def compose(self) -> ComposeResult:
        """The list and the lines."""
        with Vertical(classes="box"):
            yield OptionList(*RANGES, id="range-list", compact=True)
            for name, value in self._said.items():
                line = Input(value, id=f"range-{name}", compact=True, placeholder="5m, 12:30, 2026-01-31")
                line.cursor_blink = False
                yield Horizontal(Static(name, classes="label"), line, classes="line")

    def on_mount(self) -> None:
        """Name the box."""
        box = self.query_one(".box")
        box.border_title = "From when to when"
        box.border_subtitle = f"enter takes it · tab to the lines · {key_for(self, 'range.close')} closes"
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def picked(self, event: OptionList.OptionSelected) -> None:
        """Take a range of the list."""
        self.dismiss(list(RANGES.values())[event.option_index])

    @on(Input.Submitted)
    def typed(self) -> None:
        """Take what stands in the lines."""
        since, before = (self.query_one(f"#range-{name}", Input).value.strip() for name in self._said)
        self.dismiss((since, before))
