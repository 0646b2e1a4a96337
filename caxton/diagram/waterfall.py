"""A conversation as a waterfall: each turn a bar from the moment its message was admitted to its end.

     3 seller-ann   propose        ░░░░▓         428 µs   23 µs   37,412

In: a `Timeline`. Out: bars, and their lines: `░` it waited, `▓` it ran. A turn stands under the message that caused it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from caxton.diagram.layout import Part
from caxton.diagram.timeline import Timeline, TimelineMessage, TimelineTurn
from caxton.presentation.cells import fitted
from caxton.presentation.text import isolated, span

_WIDE: Final = 130
_FIGURES: Final = 33


@dataclass(frozen=True, slots=True)
class Bar:
    """One turn. Times are microseconds from the beginning of the conversation."""

    spoken: TimelineMessage
    turn: TimelineTurn | None
    """None: no turn on the message so far."""
    depth: int
    """Messages between it and the one from outside that began it all."""
    start_us: int
    queue_us: int
    turn_us: int

    @property
    def problem(self) -> bool:
        """Whether the turn or its message went wrong."""
        return self.spoken.problem

    @property
    def end_us(self) -> int:
        """When it was over."""
        return self.start_us + self.queue_us + self.turn_us


def bars_of(timeline: Timeline) -> list[Bar]:
    """A bar for each turn, in the order of the messages."""
    depth: dict[int, int] = {}
    places = {spoken.seq: spoken for spoken in timeline.spoken}
    found: list[Bar] = []
    for spoken in timeline.spoken:
        cause = spoken.body.cause or 0
        depth[spoken.seq] = depth[cause] + 1 if cause in places and cause in depth else 0
        start = spoken.at_us - timeline.began_us
        found += [
            Bar(spoken, turn, depth[spoken.seq], start, turn.queue_us, turn.turn_us) for turn in spoken.turns
        ] or [Bar(spoken, None, depth[spoken.seq], start, 0, 0)]
    return found


def length_us(bars: list[Bar]) -> int:
    """From the first message to the end of the last turn."""
    return max((bar.end_us for bar in bars), default=0)


def _names(width: int) -> int:
    """Cells for number, agent and act; where there is much room, no act is cut."""
    return 30 if width < _WIDE else 42


def _agent(width: int) -> int:
    """Cells of them for the agent's name."""
    return 13 if width < _WIDE else 19


def heading(width: int, whole_us: int) -> list[Part]:
    """The columns' names, with the whole time over the bars."""
    names = _names(width)
    room = max(width - names - _FIGURES, 10)
    scale = f"0{span(whole_us / 1e6):>{room - 2}} "
    return [
        (fitted(f"  NO {fitted('AGENT', _agent(width))} ACT", names), "dim"),
        (fitted(scale, room), "dim"),
        (fitted(f"{'WAITED':>10} {'RAN':>9} {'FUEL':>11}", _FIGURES), "dim"),
    ]


def bar_parts(bar: Bar, width: int, whole_us: int) -> list[Part]:
    """One line."""
    names = _names(width)
    room = max(width - names - _FIGURES, 10)
    agent = bar.turn.agent if bar.turn else ", ".join(bar.spoken.receivers)
    name = "·" * min(bar.depth, 4) + agent
    bad = bar.problem
    head = f"{bar.spoken.number:>4} {fitted(name, _agent(width))} {bar.spoken.act}"
    scale = room / max(whole_us, 1)
    before = min(int(bar.start_us * scale), room - 1)
    waited = int(bar.queue_us * scale)
    ran = max(int(bar.turn_us * scale), 1)
    waited = min(waited, room - before - 1)
    ran = min(ran, room - before - waited)
    if bar.turn is None:
        drawing: list[Part] = [(" " * before, ""), ("◇", "dim"), (" " * (room - before - 1), "")]
        figures = f"{'no turn':>10}"
    else:
        drawing = [
            (" " * before + "░" * waited, "dim"),
            ("▓" * ran, "bad" if bar.turn.failed else "good"),
            (" " * (room - before - waited - ran), ""),
        ]
        figures = f"{span(bar.queue_us / 1e6):>10} {span(bar.turn_us / 1e6):>9} {bar.turn.fuel:>11,}"
        if bar.turn.ended != "ok":
            figures = f"{span(bar.queue_us / 1e6):>10} {'✗' if bar.turn.failed else '↩'} {bar.turn.ended}"
    return [
        (fitted(head, names), "bad" if bad else ""),
        *[part for part in drawing if part[0]],
        (fitted(figures, _FIGURES), "bad" if bad else "dim"),
    ]


def draw_waterfall(timeline: Timeline, width: int = 120) -> str:
    """The waterfall as plain text."""
    bars = bars_of(timeline)
    whole = length_us(bars)
    rows = [heading(width, whole), *(bar_parts(bar, width, whole) for bar in bars)]
    return "\n".join("".join(isolated(text) for text, _ in row).rstrip() for row in rows)
