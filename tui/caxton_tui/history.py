"""How the figures went over the last minutes: one value a look, kept in bounds. No Textual and no I/O in here.

In: two looks at the daemon's status. Out: series of rates and levels, the newest last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Json = Mapping[str, Any]

ROOM: Final = 600
"""Looks that are kept: five minutes at two a second."""


class History:
    """Named series, all of the same length."""

    def __init__(self, room: int = ROOM) -> None:
        self._series: dict[str, deque[float]] = {}
        self._room = room
        self._length = 0
        self._noted: dict[str, float] = {}
        self.looks = 0
        """How many there were."""

    def series(self, name: str) -> Sequence[float]:
        """One series; empty where it was never fed."""
        return self._series.get(name, ())

    def last(self, name: str) -> float:
        """Its newest value; 0 where there is none."""
        found = self._series.get(name)
        return found[-1] if found else 0.0

    def took(self, before: Json, now: Json, passed_s: float) -> None:
        """One look more: the daemon's `StatusBody` before and now, with so many seconds between them."""
        old, new = before["counts"], now["counts"]
        old_journal, journal = before["journal"], now["journal"]
        commits = _grown(old_journal, journal, "commits")
        turns = _grown(old, new, "turns")
        cells = list(zip(_cells(before, now), now["cells"], strict=True))
        values = {
            "messages": _grown(old, new, "messages") / passed_s,
            "turns": turns / passed_s,
            "dead_letters": _grown(old, new, "dead_letters") / passed_s,
            "fuel": _grown(old, new, "fuel") / passed_s,
            "queue_us": _grown(old, new, "queue_us") / turns if turns else 0.0,
            "turn_us": _grown(old, new, "turn_us") / turns if turns else 0.0,
            "lag_rows": float(journal["waiting_rows"]),
            "commit_us": _grown(old_journal, journal, "commit_us") / commits if commits else 0.0,
            "cpu": sum(max(cell["cpu_s"] - (was["cpu_s"] if was else 0), 0) for was, cell in cells)
            / passed_s
            * 100,
            "memory_kib": float(sum(cell["rss_kib"] for cell in now["cells"])),
            "waiting": float(now.get("waiting", 0)),
            "in_flight": float(sum(cell["in_flight"] for cell in now["cells"])),
        }
        for was, cell in cells:
            # a cell that was started again counts from zero
            used = cell["cpu_s"] - was["cpu_s"] if was and was["cpu_s"] <= cell["cpu_s"] else cell["cpu_s"]
            values[f"cpu {cell['no']}"] = used / passed_s * 100
        self.add(values)

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
        self._length = 0


def percentile(values: Iterable[float], part: float) -> float:
    """The value below which that part of the values lies (0.99: all but one in a hundred); 0 where there is none."""
    found = sorted(values)
    return found[min(int(len(found) * part), len(found) - 1)] if found else 0.0


def _cells(before: Json, now: Json) -> list[Json | None]:
    """The cells of now as they were before; None where one is new."""
    known = {cell["no"]: cell for cell in before["cells"]}
    return [known.get(cell["no"]) for cell in now["cells"]]


def _grown(before: Json, now: Json, name: str) -> float:
    old, new = before.get(name, 0), now.get(name, 0)
    # one that counts less has begun again from zero
    return float(new - old if new >= old else new)
