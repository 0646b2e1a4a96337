"""Screen 6: the figures of the whole daemon over the last minutes.

In: the store's history and the newest turns. Out: graphs, painted at most twice a second, when there is a new look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from caxton_tui.keys import key
from caxton_tui.model.context import ViewContext
from caxton_tui.model.meter_history import percentile
from caxton_tui.model.open_views import Needs
from caxton_tui.screens.panes.pane import Pane
from caxton_tui.widgets.meter_graphs import MeterGraphs
from caxton_tui.widgets.status_bars import titled
from caxton_tui.widgets.typed_app import key_for


class MetersPane(Pane):
    """Screen 6."""

    NUMBER = "6"
    LABEL = "Meters"
    ABOUT = "Throughput, waiting, turn times, cells and journal over the last minutes."

    BINDINGS: ClassVar[list[BindingType]] = [
        key("space", "pause", "meters.pause", "Pause", "Keep the picture as it is, or go on")
    ]

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._sampled: Sequence[object] = ()
        self._paused = False

    def compose(self) -> ComposeResult:
        """The graphs."""
        yield MeterGraphs(self.context)

    @property
    def main(self) -> MeterGraphs:
        """The graphs."""
        return self.query_one(MeterGraphs)

    @property
    def needs(self) -> Needs:
        """All agents, for what waits in their mailboxes; the newest turns, for the percentiles."""
        return Needs(agents=True, turns=True)

    def flush(self) -> None:
        """Bring the newest look on screen."""
        store = self.context.store
        if store.turns is not self._sampled:
            self._sampled = store.turns
            # what waits for the timer is no mail that waits
            turns = [turn for turn in store.turns if turn.revision]
            queue = [float(turn.queue_us) for turn in turns]
            turn = [float(turn.turn_us) for turn in turns]
            figures = {
                "queue_p50": percentile(queue, 0.5),
                "queue_p99": percentile(queue, 0.99),
                "turn_p50": percentile(turn, 0.5),
                "turn_p99": percentile(turn, 0.99),
            }
            # without a turn there is no figure, and none is not 0 µs
            store.history.note(figures if turns else {})
        if not self._paused:
            self.main.flush()
        paused = f" · stopped, {key_for(self, 'meters.pause')} goes on" if self._paused else ""
        titled(self.main, f"Meters · percentiles over the newest {len(store.turns):,} turns{paused}")

    def action_pause(self) -> None:
        """Keep the picture, or go on."""
        self._paused = not self._paused
        self.flush()
