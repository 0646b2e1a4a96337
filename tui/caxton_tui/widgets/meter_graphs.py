"""The figures of the whole daemon over the last minutes, as graphs of blocks.

In: the store's history. Out: one graph a figure, as high as there is room for, with its newest and its highest value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from caxton.presentation.cells import fitted
from caxton.presentation.text import size, span
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.widgets.tables.columns import Piece
from caxton_tui.widgets.tables.listing import Listing

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_LABEL: Final = 18
_VALUE: Final = 10
_HIGHEST: Final = 4
"""Lines of one graph at the most."""
_GAP: Final = 2
"""Eighths of a line between two graphs."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One figure: the name of its series, and how its values read."""

    label: str
    series: str
    text: Callable[[float], str]
    bad: float | None = None
    """From this value on it is worth a look."""


def _us(value: float) -> str:
    return span(value / 1e6)


METERS: Final = (
    Meter("messages/s", "messages", formatting.brief),
    Meter("turns/s", "turns", formatting.brief),
    Meter("turn p50", "turn_p50", _us),
    Meter("turn p99", "turn_p99", _us),
    Meter("waited p50", "queue_p50", _us),
    Meter("waited p99", "queue_p99", _us, 1_000_000),
    Meter("mailboxes", "waiting", formatting.brief),
    Meter("in cells", "in_flight", formatting.brief),
    Meter("dead letters/s", "dead_letters", formatting.brief, 0.001),
    Meter("cells' CPU", "cpu", lambda value: f"{value:.0f} %"),
    Meter("cells' memory", "memory_kib", lambda value: size(value * 1024)),
    Meter("journal, rows", "lag_rows", formatting.brief, 10_000),
    Meter("journal, commit", "commit_us", _us, 100_000),
    Meter("fuel/s", "fuel", formatting.brief),
)


_NONE: Final = "–"
"""Stands where no figure is known yet."""


def graph(values: Sequence[float], width: int, height: int) -> list[str]:
    """The newest values as blocks, `height` lines of `width` cells, from zero to the highest of them.

    The highest stays below the edge, so that a graph does not touch the one above it.
    """
    shown = list(values)[-width:]
    top = max(shown, default=0.0)
    steps = [round(value / top * (height * 8 - _GAP)) if top > 0 else 0 for value in shown]
    # what is there at all is seen
    steps = [max(step, 1) if value > 0 else 0 for step, value in zip(steps, shown, strict=True)]
    lines = [
        "".join(_BLOCKS[max(0, min(step - row * 8, 8))] for step in steps)
        for row in range(height - 1, -1, -1)
    ]
    return [line.rjust(width) for line in lines]


class MeterGraphs(Listing):
    """All graphs, each in as many lines as fit."""

    def __init__(self, context: ViewContext, *, id: str = "board") -> None:
        super().__init__(id=id)
        self.context = context
        self._looks = -1.0
        self._lines: list[tuple[Meter, int]] = []
        self._graphs: dict[str, list[str]] = {}
        self._seen: tuple[object, ...] = ()

    @property
    def total(self) -> int:
        """Lines."""
        return len(self._lines)

    @property
    def meters(self) -> list[Meter]:
        """The figures that are shown, those of each cell last."""
        cells = self.context.store.status.cells if self.context.store.status else []
        each = [
            Meter(f"CPU of cell {cell.no}", f"cpu {cell.no}", lambda value: f"{value:.0f} %")
            for cell in cells
        ]
        return [*METERS, *(each if len(each) > 1 else [])]

    def problem(self, number: int) -> bool:
        """Whether a figure is worth a look."""
        meter, row = self._lines[number]
        return row == 0 and _bad(meter, self.context.store.history.last(meter.series))

    @property
    def copied(self) -> str:
        """The figures as lines."""
        history = self.context.store.history
        return "\n".join(f"{meter.label}: {meter.text(history.last(meter.series))}" for meter in self.meters)

    def flush(self) -> None:
        """Bring the newest look on screen."""
        history = self.context.store.history
        seen = (history.looks, self.size)
        if seen == self._seen:
            return
        self._seen = seen
        meters = self.meters
        height = max(1, min(_HIGHEST, self.room // max(len(meters), 1)))
        self._lines = [(meter, row) for meter in meters for row in range(height)]
        room = max(self.width - _LABEL - 2 * _VALUE - 4, 4)
        self._graphs = {meter.series: graph(history.series(meter.series), room, height) for meter in meters}
        self.fit()
        self.refresh()

    def head_pieces(self, width: int) -> list[Piece]:
        """The columns' names."""
        room = max(width - _LABEL - 2 * _VALUE - 4, 4)
        past = f"{min(room, self.context.store.history.looks)} looks, the newest at the end"
        return [(f"{'FIGURE':<{_LABEL}} {'NOW':>{_VALUE}} {'HIGHEST':>{_VALUE}} {past}", "")]

    def pieces(self, number: int, width: int) -> list[Piece]:
        """One line of one graph."""
        meter, row = self._lines[number]
        history = self.context.store.history
        drawn = self._graphs[meter.series]
        last = history.last(meter.series)
        known = bool(history.series(meter.series))
        style = "listing--bad" if _bad(meter, last) else "listing--name"
        bars = (drawn[row] if row < len(drawn) else "", style if _bad(meter, last) else "listing--good")
        if row:
            return [(" " * (_LABEL + 2 * _VALUE + 3), ""), bars]
        highest = max(history.series(meter.series), default=0.0)
        sign = "!" if _bad(meter, last) else " "
        return [
            (fitted(sign + meter.label, _LABEL), style),
            (f" {fitted(meter.text(last) if known else _NONE, -_VALUE)}", ""),
            (f" {fitted(meter.text(highest) if known else _NONE, -_VALUE)} ", "listing--dim"),
            bars,
        ]


def _bad(meter: Meter, value: float) -> bool:
    return meter.bad is not None and value >= meter.bad
