"""How old rows are, though clocks are wrong at times.

In: the wall clock, and how long the machine has run. Out: up to which number rows are as old as that. A row's age is
the smaller of what the wall clock says and of the time that this journal was in use, or its machine was away, since
then. That time is counted in `used`, by samples: a number, and how long the journal had been in use when it was the
last.

While the machine runs, how long it has run says how much time has passed, whatever the wall clock says. Over a restart
of the machine only the wall clock knows: up to a week counts at once, more counts once the clock has been right for a
day. A clock that stands more than a day before the newest row, or that moves by more than a day against the machine's
own time, is doubted: nothing is old until an operator trusts it (`TRUST`).
"""

from __future__ import annotations

import sqlite3
from typing import Final

from caxton.clock import Clock

TRUST: Final = "clock_trusted_upto"
"""The key of meta by which an operator trusts the clock; its value is the last number of then."""
DAY_US: Final = 86_400_000_000
AWAY_US: Final = 7 * DAY_US
"""The machine may have been away so long without a word."""
SAMPLE_US: Final = 3_600_000_000
"""A sample is taken this often."""


def used(db: sqlite3.Connection) -> None:
    """The table of samples; the rows of before are new by it."""
    db.execute("create table used(seq integer primary key, used_us integer not null)")


class Age:
    """One journal's time, for its writer's thread."""

    def __init__(self, db: sqlite3.Connection, clock: Clock, last_seq: int) -> None:
        self.doubt: str | None = None
        """Why the clock is not trusted."""
        self._db = db
        self._clock = clock
        meta = dict(db.execute("select key, value from meta where key like 'clock_%'").fetchall())
        self.doubt = meta.get("clock_doubt") or None
        self._used = int(meta.get("clock_used_us", 0))
        self._away = int(meta.get("clock_away_us", 0))
        """Time away that does not count yet."""
        self._trusted = int(meta.get(TRUST, 0))
        self._boot, self._up_us, self._wall_us = self._now()
        self._begin(meta)
        self._began = self._sampled = self._used
        self.save(last_seq)

    def old_upto(self, days: int) -> int:
        """Rows up to this number have been here for so many days at least; -1 for none, and in doubt."""
        if self.doubt is not None:
            return -1
        row = self._db.execute(
            "select max(seq) from used where used_us <= ?", (self._used - days * DAY_US,)
        ).fetchone()
        return -1 if row[0] is None else int(row[0])

    def tick(self, last_seq: int) -> None:
        """Let time pass. Raises sqlite3.Error where a sample cannot be written."""
        boot, up_us, wall_us = self._now()
        passed = max(0, up_us - self._up_us)
        self._compare(wall_us - self._wall_us, passed, "while the daemon ran")
        self._used += passed
        self._boot, self._up_us, self._wall_us = boot, up_us, wall_us
        if self._away and self.doubt is None and self._used - self._began >= DAY_US:
            self._used, self._away = self._used + self._away, 0
        if self._used - self._sampled >= SAMPLE_US:
            self.save(last_seq)

    def trust(self, last_seq: int) -> None:
        """The operator says that the clock is right as it is."""
        self.doubt, self._trusted = None, last_seq

    def save(self, last_seq: int) -> None:
        """Write down how long the journal was in use when that number was the last. Raises sqlite3.Error."""
        self._sampled = self._used
        rows = {
            "clock_used_us": self._used,
            "clock_away_us": self._away,
            "clock_boot": self._boot,
            "clock_up_us": self._up_us,
            "clock_wall_us": self._wall_us,
            "clock_doubt": self.doubt or "",
        }
        with self._db:
            self._db.execute("begin immediate")
            self._db.executemany("insert or replace into meta values (?, ?)", rows.items())
            self._db.execute("insert or ignore into used values (?, ?)", (last_seq, self._used))
            # of those whose rows have gone the latest one is enough
            self._db.execute(
                """delete from used where seq < (select max(seq) from used
                     where seq <= (select value from meta where key = 'trimmed_upto'))"""
            )

    def _begin(self, meta: dict[str, int | str]) -> None:
        """Since the journal was closed, or its daemon died."""
        newest = self._db.execute(
            """select max(coalesce((select at_us from message where seq > :seq order by seq desc limit 1), 0),
                 coalesce((select at_us from event where seq > :seq order by seq desc limit 1), 0))""",
            {"seq": self._trusted},
        ).fetchone()[0]
        if self._wall_us < newest - DAY_US:
            self._doubt(f"it stands {_span(newest - self._wall_us)} before the newest row")
        if "clock_wall_us" not in meta:
            return
        by_wall = self._wall_us - int(meta["clock_wall_us"])
        if self._boot and self._boot == meta["clock_boot"]:
            passed = max(0, self._up_us - int(meta["clock_up_us"]))
            self._compare(by_wall, passed, "while no daemon ran")
            self._used += passed
        elif by_wall <= AWAY_US:
            self._used += max(0, by_wall)
        else:
            self._away += by_wall

    def _compare(self, by_wall: int, passed: int, when: str) -> None:
        if abs(by_wall - passed) > DAY_US:
            way = "forward" if by_wall > passed else "back"
            self._doubt(f"it was set {way} by {_span(abs(by_wall - passed))} {when}")

    def _doubt(self, why: str) -> None:
        if self.doubt is None:
            self.doubt = why

    def _now(self) -> tuple[str, int, int]:
        boot, up_s = self._clock.uptime()
        return boot, int(up_s * 1e6), self._clock.now_us()


def _span(us: int) -> str:
    days = us / DAY_US
    return f"{days:,.0f} days" if days >= 2 else f"{us / 3_600_000_000:,.0f} hours"
