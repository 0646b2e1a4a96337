"""How the figures went over the last minutes: one value a look, kept in bounds. No Textual and no I/O in here.

In: two looks at the daemon's status. Out: series of rates and levels, the newest last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from caxton.presentation.rates import grown
from caxton.schemas.daemon import StatusBody

ROOM: Final = 600
"""Looks that are kept: five minutes at two a second."""


class MeterHistory:
    """Named series, all of the same length."""

    def __init__(self, room: int = ROOM) -> None:
        self._series: dict[str, deque[float]] = {}
        self._room = room
        self._length = 0
        self._noted: dict[str, float] = {}
        self._said: dict[int, float] = {}
        """By a cell's number: the seconds since it said what it took."""
        self._shares: dict[int, float] = {}
        """What it took of a processor then, in percent."""
        self.looks = 0
        """How many there were."""

    def series(self, name: str) -> Sequence[float]:
        """One series; empty where it was never fed."""
        return self._series.get(name, ())

    def last(self, name: str) -> float:
        """Its newest value; 0 where there is none."""
        found = self._series.get(name)
        return found[-1] if found else 0.0

    def took(self, before: StatusBody, now: StatusBody, passed_s: float, waiting: int = 0) -> None:
        """One look more: the daemon's status before and now, `passed_s` seconds apart; `waiting`: messages."""
        old, new = before.counts, now.counts
        old_journal, journal = before.journal, now.journal
        commits = grown(old_journal.commits, journal.commits)
        turns = grown(old.get("turns", 0), new.get("turns", 0))
        cpu = self._processors(before, now, passed_s)
        values = {
            "messages": grown(old.get("messages", 0), new.get("messages", 0)) / passed_s,
            "turns": turns / passed_s,
            "dead_letters": grown(old.get("dead_letters", 0), new.get("dead_letters", 0)) / passed_s,
            "fuel": grown(old.get("fuel", 0), new.get("fuel", 0)) / passed_s,
            "queue_us": grown(old.get("queue_us", 0), new.get("queue_us", 0)) / turns if turns else 0.0,
            "turn_us": grown(old.get("turn_us", 0), new.get("turn_us", 0)) / turns if turns else 0.0,
            "lag_rows": float(journal.waiting_rows),
            "commit_us": grown(old_journal.commit_us, journal.commit_us) / commits if commits else 0.0,
            "cpu": sum(cpu.values()),
            "memory_kib": float(sum(cell.rss_kib for cell in now.cells)),
            "waiting": float(waiting),
            "in_flight": float(sum(cell.in_flight for cell in now.cells)),
        }
        values |= {f"cpu {no}": share for no, share in cpu.items()}
        self.add(values)

    def _processors(self, before: StatusBody, now: StatusBody, passed_s: float) -> dict[int, float]:
        """What each cell takes of a processor, in percent, by its number.

        Cells say more rarely what they took than is looked: until they say it again the last share stands, and then
        what they took belongs to all the time since. One that said nothing twice since it was started has none.
        """
        known = {cell.no: cell.cpu_s for cell in before.cells}
        shares: dict[int, float] = {}
        for cell in now.cells:
            no, took_s = int(cell.no), float(cell.cpu_s)
            was_s = float(known.get(no, 0.0))
            if took_s != was_s:
                since_s = self._said.pop(no, 0.0) + passed_s
                whole = no in self._shares and 0 < was_s < took_s
                self._shares[no] = (took_s - was_s) / since_s * 100 if whole else 0.0
            elif no in self._shares:
                self._said[no] = self._said.get(no, 0.0) + passed_s
            shares[no] = self._shares.get(no, 0.0)
        return shares

    def note(self, values: Mapping[str, float]) -> None:
        """Figures from elsewhere: part of every look from the next one on."""
        self._noted.update(values)

    def add(self, values: Mapping[str, float]) -> None:
        """One value for each series; a series that gets none repeats its last."""
        values = {**self._noted, **values}
        self._length = min(self._length + 1, self._room)
        self.looks += 1
        for name in {*self._series, *values}:
            found = self._series.get(name)
            if found is None:
                found = self._series[name] = deque([0.0] * (self._length - 1), maxlen=self._room)
            found.append(values.get(name, found[-1] if found else 0.0))

    def forget(self) -> None:
        """Begin anew."""
        self._series.clear()
        self._noted.clear()
        self._said.clear()
        self._shares.clear()
        self._length = 0


def percentile(values: Iterable[float], part: float) -> float:
    """The value below which that part of the values lies (0.99: all but one in a hundred); 0 where there is none."""
    found = sorted(values)
    return found[min(int(len(found) * part), len(found) - 1)] if found else 0.0
