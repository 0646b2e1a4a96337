"""Screen 6: the figures of the whole daemon over the last minutes.

In: the store's history and the newest turns. Out: one graph a figure, as high as there is room for, with its newest
and its highest value. It is painted at most twice a second, when there is a new look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from caxton.api.plain import size, span
from caxton_tui import words
from caxton_tui.bars import titled
from caxton_tui.book import Wants
from caxton_tui.desk import Command, Desk
from caxton_tui.history import percentile
from caxton_tui.host import key_for
from caxton_tui.listing import Listing, Piece, fitted
from caxton_tui.pane import Pane
from caxton_tui.store import Json

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
    Meter("messages/s", "messages", words.brief),
    Meter("turns/s", "turns", words.brief),
    Meter("turn p50", "turn_p50", _us),
    Meter("turn p99", "turn_p99", _us),
    Meter("waited p50", "queue_p50", _us),
    Meter("waited p99", "queue_p99", _us, 1_000_000),
    Meter("mailboxes", "waiting", words.brief),
    Meter("in cells", "in_flight", words.brief),
    Meter("dead letters/s", "dead_letters", words.brief, 0.001),
    Meter("cells' CPU", "cpu", lambda value: f"{value:.0f} %"),
    Meter("cells' memory", "memory_kib", lambda value: size(value * 1024)),
    Meter("journal, rows", "lag_rows", words.brief, 10_000),
    Meter("journal, commit", "commit_us", _us, 100_000),
    Meter("fuel/s", "fuel", words.brief),
)


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


class Board(Listing):
    """All graphs, each in as many lines as fit."""

    def __init__(self, desk: Desk, *, id: str = "board") -> None:
        super().__init__(id=id)
        self._desk = desk
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
        cells: list[Json] = self._desk.store.status["cells"] if self._desk.store.status else []
        each = [
            Meter(f"CPU of cell {cell['no']}", f"cpu {cell['no']}", lambda value: f"{value:.0f} %")
            for cell in cells
        ]
        return [*METERS, *(each if len(each) > 1 else [])]

    def problem(self, number: int) -> bool:
        """Whether a figure is worth a look."""
        meter, row = self._lines[number]
        return row == 0 and _bad(meter, self._desk.store.history.last(meter.series))

    @property
    def copied(self) -> str:
        """The figures as lines."""
        history = self._desk.store.history
        return "\n".join(f"{meter.label}: {meter.text(history.last(meter.series))}" for meter in self.meters)

    def flush(self) -> None:
        """Bring the newest look on screen."""
        history = self._desk.store.history
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
        past = f"{min(room, self._desk.store.history.looks)} looks, the newest at the end"
        return [(f"{'FIGURE':<{_LABEL}} {'NOW':>{_VALUE}} {'HIGHEST':>{_VALUE}} {past}", "")]

    def pieces(self, number: int, width: int) -> list[Piece]:
        """One line of one graph."""
        meter, row = self._lines[number]
        history = self._desk.store.history
        drawn = self._graphs[meter.series]
        last = history.last(meter.series)
        style = "listing--bad" if _bad(meter, last) else "listing--name"
        bars = (drawn[row] if row < len(drawn) else "", style if _bad(meter, last) else "listing--good")
        if row:
            return [(" " * (_LABEL + 2 * _VALUE + 3), ""), bars]
        highest = max(history.series(meter.series), default=0.0)
        sign = "!" if _bad(meter, last) else " "
        return [
            (fitted(sign + meter.label, _LABEL), style),
            (f" {fitted(meter.text(last), -_VALUE)}", ""),
            (f" {fitted(meter.text(highest), -_VALUE)} ", "listing--dim"),
            bars,
        ]


class MetersPane(Pane):
    """Screen 6."""

    NUMBER = "6"
    LABEL = "Meters"
    ABOUT = "Throughput, waiting, turn times, cells and journal over the last minutes."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause", id="meters.pause", tooltip="Keep the picture as it is, or go on")
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._sampled: Sequence[object] = ()
        self._paused = False

    def compose(self) -> ComposeResult:
        """The graphs."""
        yield Board(self.desk)

    @property
    def board(self) -> Board:
        """The graphs."""
        return self.query_one(Board)

    @property
    def main(self) -> Listing:
        """The graphs."""
        return self.board

    @property
    def wants(self) -> Wants:
        """All agents, for what waits in their mailboxes; the newest turns, for the percentiles."""
        return Wants(agents=True, turns=True)

    def flush(self) -> None:
        """Bring the newest look on screen."""
        store = self.desk.store
        if store.turns is not self._sampled:
            self._sampled = store.turns
            # what waits for the timer is no mail that waits
            turns = [turn for turn in store.turns if turn["revision"]]
            queue = [float(turn["queue_us"]) for turn in turns]
            turn = [float(turn["turn_us"]) for turn in turns]
            store.history.note(
                {
                    "queue_p50": percentile(queue, 0.5),
                    "queue_p99": percentile(queue, 0.99),
                    "turn_p50": percentile(turn, 0.5),
                    "turn_p99": percentile(turn, 0.99),
                }
            )
        if not self._paused:
            self.board.flush()
        paused = f" · stopped, {key_for(self, 'meters.pause')} goes on" if self._paused else ""
        titled(self.board, f"Meters · percentiles over the newest {len(store.turns):,} turns{paused}")

    def action_pause(self) -> None:
        """Keep the picture, or go on."""
        self._paused = not self._paused
        self.flush()

    @property
    def commands(self) -> Sequence[Command]:
        """The twin of this screen."""
        return (Command("meters pause", "keep the picture, or go on", "caxton top", self.action_pause),)


def _bad(meter: Meter, value: float) -> bool:
    return meter.bad is not None and value >= meter.bad
