"""The columns of a diagram: lanes for the agents, arrows between them, words beside them.

     2   +34 µs   │          ├─cfp─────▶│           item=book round=1      b7e3c50

In: the lanes and how wide it may be. Out: for each line its parts, text with the name of a style, exactly so wide.
Lanes that do not fit are folded into the last one, `+3 more`; which ones, whoever draws can choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from caxton.acl import Performative
from caxton.diagram.lines import SIGNS, Line, Mark
from caxton.diagram.timeline import Timeline, TimelineMessage
from caxton.diagram.words import STYLES
from caxton.presentation.cells import cut, fitted
from caxton.presentation.text import span

Part = tuple[str, str]
"""Text and the name of its style: empty, dim, name, ask, offer, good, warn or bad."""

_ACTS: Final = tuple(act.value for act in Performative)
_GUTTER: Final = 16
"""Cells before the lanes: arc, sign, number, time."""
_REVISION: Final = 8
_TEXT_LEAST: Final = 13
_TEXT_BESIDE_NAMES: Final = 10
"""Cells that words keep where lanes are as wide as their names."""
_NARROWEST, _WIDEST = 9, 20
"""Cells from one lane to the next."""


class Layout:
    """Where everything stands in a diagram of a given width, in cells."""

    def __init__(self, timeline: Timeline, width: int, skip: int = 0) -> None:
        """Where not all lanes fit, the first one and those after the next `skip` are shown, the others are folded."""
        self.width = max(width, _GUTTER + _NARROWEST + _TEXT_LEAST)
        self._began_us = timeline.began_us
        room = self.width - _GUTTER - _TEXT_LEAST
        shown = max(min(len(timeline.lanes), room // _NARROWEST), 1)
        self.lanes = timeline.lanes[:shown]
        self.folded: tuple[str, ...] = ()
        """Lanes that share the last one."""
        self.skip = 0
        """How many lanes after the first are passed over: no more than leaves the screen full."""
        if len(timeline.lanes) > shown:
            self.skip = max(0, min(skip, len(timeline.lanes) - shown + 1)) if shown > 2 else 0
            own = timeline.lanes[:1] + timeline.lanes[1 + self.skip : self.skip + shown - 1]
            own = own[: shown - 1]
            self.folded = tuple(name for name in timeline.lanes if name not in own)
            self.lanes = (*own, f"+{len(self.folded)} more")
        self._steps = _steps(self.lanes, self.width)
        """Cells of each lane."""
        self._place = {name: n for n, name in enumerate(self.lanes) if n < shown - bool(self.folded)}
        self._drawing = sum(self._steps)
        self.with_revisions = self.width - _GUTTER - self._drawing >= _TEXT_LEAST + _REVISION

    @staticmethod
    def least(timeline: Timeline) -> int:
        """The width at which no lane is folded."""
        return _GUTTER + _TEXT_LEAST + _NARROWEST * len(timeline.lanes)

    def heading(self) -> list[Part]:
        """The lanes' names."""
        # what tells `seller-ann` from `seller-bob` stands at the end, what they are at the beginning
        names = "".join(
            _centred(cut(name, step - 1, middle=True), step)
            for name, step in zip(self.lanes, self._steps, strict=True)
        )
        text = self.width - _GUTTER - self._drawing
        what = "WORDS"
        if self.with_revisions:
            what = what.ljust(text - _REVISION + 1)[: text - _REVISION + 1] + "BUILD"
        return _fit([("  NO      TIME".ljust(_GUTTER), "dim"), (names, "name"), (what, "dim")], self.width)

    def parts(self, line: Line, arc: str = " ") -> list[Part]:
        """One line; `arc` is the sign in front that joins a message with what it answers."""
        spoken = line.spoken
        if line.mark in (Mark.MESSAGE, Mark.HELD) and spoken is not None:
            return self._message(spoken, arc, held=line.mark is Mark.HELD)
        sign, style = SIGNS[line.mark]
        said = f"{sign} {line.text}"
        if cell_len(said) <= self.width - _GUTTER - self._drawing - 1:
            return _fit([(arc.ljust(_GUTTER), "dim"), (self._bare(), "dim"), (said, style)], self.width)
        return _fit([(f"{arc} {sign} ".ljust(_GUTTER), style), (f" {line.text}", style)], self.width)

    def _message(self, spoken: TimelineMessage, arc: str, *, held: bool = False) -> list[Part]:
        style = "warn" if held else STYLES.get(spoken.sign, "")
        after = span((spoken.at_us - self._began_us) / 1e6)
        drawing, whole = self._arrow(spoken)
        words = ["⏸ held"] if held else []
        words += [] if whole else [spoken.act]
        words += spoken.delays
        if spoken.again:
            words.append("↻ delivered again")
        if spoken.answers is not None:
            words.append(f"↩{spoken.answers}")
        words += [spoken.text, *spoken.due]
        room = self.width - _GUTTER - self._drawing - (_REVISION if self.with_revisions else 0)
        parts: list[Part] = [
            (arc, "name"),
            ("⏸" if held else f"{spoken.sign}", style),
            (f"{spoken.number:>4} ", "dim"),
            (f"{'+' + after:>9}"[-9:], "dim"),
            *drawing,
            (fitted(" ".join(words), room), "warn" if held else "bad" if spoken.problem else ""),
        ]
        if self.with_revisions:
            parts.append((f" {_build(spoken)}".ljust(_REVISION), "dim"))
        return _fit(parts, self.width)

    def _bare(self) -> str:
        """The lanes alone."""
        return "".join(" " * (step // 2) + "│" + " " * (step - step // 2 - 1) for step in self._steps)

    def _x(self, name: str) -> int:
        place = self._place.get(name, len(self.lanes) - 1)
        return sum(self._steps[:place]) + self._steps[place] // 2

    def _arrow(self, spoken: TimelineMessage) -> tuple[list[Part], bool]:
        """The drawing of a message, and whether its act is to be read in it."""
        cells = list(self._bare())
        start = self._x(spoken.sender)
        ends = sorted({self._x(name) for name in spoken.receivers})
        right, left = [x for x in ends if x > start], [x for x in ends if x < start]
        low, high = min([start, *ends]), max([start, *ends])
        for x in range(low, high + 1):
            cells[x] = "┼" if cells[x] == "│" else "─"
        for x in right:
            cells[x - 1], cells[x] = "▶", "┼" if x != high else "│"
        for x in left:
            cells[x + 1], cells[x] = "◀", "┼" if x != low else "│"
        cells[start] = "┼" if right and left else "├" if right else "┤" if left else "│"
        # the cells that the act may take: between the sender and the first that it reaches
        first, room = start + 2, self._steps[-1] // 2 - 2
        if right:
            first, room = start + 1, right[0] - start - 2
        elif left:
            first, room = left[-1] + 2, start - left[-1] - 2
        elif start in ends:
            # who speaks with itself, or shares the last lane with whom it speaks to
            cells[start + 1] = "↺"
            high = start + 1
        label, whole = _label(spoken.act, room)
        if len(label) < room and (right or left):
            first += 1
        cells[first : first + len(label)] = label
        if label:
            high = max(high, first + len(label) - 1)
        text = "".join(cells)
        style = STYLES.get(spoken.sign, "")
        return [(text[:low], "dim"), (text[low : high + 1], style), (text[high + 1 :], "dim")], whole


def _label(act: str, room: int) -> tuple[str, bool]:
    """An act in that many cells, and whether one can tell which it is."""
    if len(act) <= room:
        return act, True
    if room < 4:
        return "", False
    begun = act[: room - 1]
    return begun + "…", sum(other.startswith(begun) for other in _ACTS) == 1


def _build(spoken: TimelineMessage) -> str:
    builds = sorted({turn.revision for turn in spoken.turns if turn.revision})
    return builds[0] if len(builds) == 1 else f"{len(builds)} builds"[:7] if builds else ""


def _steps(lanes: Sequence[str], width: int) -> list[int]:
    """Cells of each lane: as many for all, or, where a name would be cut, as many as each name takes, if there is room.

    Half of what is there is for words, as far as the lanes can do with less.
    """
    same = max(_NARROWEST, min(_WIDEST, (width - _GUTTER) * 6 // 10 // max(len(lanes), 1)))
    for least in (same, _NARROWEST):
        own = [max(least, min(cell_len(name) + 1, _WIDEST)) for name in lanes]
        if sum(own) <= width - _GUTTER - _TEXT_BESIDE_NAMES:
            return own
    return [same] * len(lanes)


def _centred(text: str, room: int) -> str:
    return fitted(" " * max((room - cell_len(text)) // 2, 0) + text, room)


def _fit(parts: Sequence[Part], width: int) -> list[Part]:
    """The parts in exactly `width` cells."""
    out: list[Part] = []
    left = width
    for text, style in parts:
        length = cell_len(text)
        if length > left:
            out.append((fitted(text, left), style))
            left = 0
            break
        out.append((text, style))
        left -= length
    if left:
        out.append((" " * left, ""))
    return [part for part in out if part[0]]
