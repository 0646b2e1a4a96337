"""Following the journal from another process, by number: what was committed since, with all that became of it.

In: a number. Out: frozen rows of one moment (`Look`), read by a connection that cannot write. Nobody waits for whoever
follows: retention may have removed what it has not read yet, and `trimmed_upto` says up to where.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Generator
from pathlib import Path

import msgspec

from caxton.errors import JournalError
from caxton.journal.files import Files
from caxton.journal.records.query import last_seq, numbers
from caxton.journal.records.record import AGENT_BITS, MAX_AGENT_NO
from caxton.journal.records.rows import StoredEvent

_TURN = f"""t.id >> {AGENT_BITS}, t.id & {MAX_AGENT_NO}, t.revision_no, t.started_us, t.queue_us, t.turn_us,
t.fuel, t.sent, t.status"""


class FollowedMessage(msgspec.Struct, frozen=True, gc=False):
    """A message, as in `StoredMessage`."""

    seq: int
    at_us: int
    cause: int
    flags: int
    body: bytes


class FollowedTurn(msgspec.Struct, frozen=True, gc=False):
    """A turn on message `seq`, as in `StoredTurn`."""

    seq: int
    agent_no: int
    revision_no: int
    started_us: int
    queue_us: int
    turn_us: int
    fuel: int
    sent: int
    status: int


class FollowedLetter(msgspec.Struct, frozen=True):
    """Message `seq` was not handled by that agent."""

    seq: int
    agent: str
    at_us: int
    code: str
    reason: str


class FollowedMark(msgspec.Struct, frozen=True):
    """Message `seq` broke its protocol."""

    seq: int
    rule: str
    delivered: bool


class Bounds(msgspec.Struct, frozen=True):
    """How far the journal reaches: its last number, up to where everything is finished, what retention removed."""

    last: int
    low_water: int
    trimmed_upto: int


class Page(msgspec.Struct, frozen=True):
    """Everything about the numbers after `after` up to `upto`."""

    after: int
    upto: int
    messages: list[FollowedMessage]
    turns: list[FollowedTurn]
    letters: list[FollowedLetter]
    violations: list[FollowedMark]
    publications: dict[int, int]
    """By message: to how many agents it went through a topic."""
    events: list[StoredEvent]


def last_known(folder: Path) -> int:
    """The number of a journal's last commit as far as its files say so at a glance; 0 where there is no journal."""
    try:
        return int(Files(folder).head.read_bytes())
    except (OSError, ValueError):
        return 0


class JournalFollower:
    """One connection of another process than the daemon's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # not even at its end, when the daemon is gone, may it copy the log into the database (page_sums.py)
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        self._db.execute("pragma busy_timeout = 2000")
        self.agents: dict[int, str] = {}
        """Names by number, as far as pages had them."""
        self.revisions: dict[int, str] = {}
        """sha256 by number, likewise."""

    def close(self) -> None:
        """End the connection."""
        self._db.close()

    @contextlib.contextmanager
    def moment(self) -> Generator[Bounds]:
        """Everything that is read inside is of one moment. Raises JournalError."""
        try:
            self._db.execute("begin")
            try:
                yield self._bounds()
            finally:
                self._db.execute("commit")
        except sqlite3.Error as trouble:
            raise JournalError(f"{self._path} cannot be read: {trouble}.", path=str(self._path)) from trouble

    def page(self, after: int, upto: int, limit: int) -> Page:
        """The next `limit` messages after that number, up to another, and all that belongs to them."""
        rows = self._db.execute(
            "select seq, at_us, cause, flags, body from message where seq > ? and seq <= ? order by seq limit ?",
            (after, upto, limit),
        ).fetchall()
        if len(rows) == limit:
            upto = rows[-1][0]
        between = (after, upto)
        turns = self._db.execute(
            f"select {_TURN} from turn t where t.id >= ? and t.id < ? order by t.id",
            ((after + 1) << AGENT_BITS, (upto + 1) << AGENT_BITS),
        )
        page = Page(
            after,
            upto,
            [FollowedMessage(*row) for row in rows],
            [FollowedTurn(*row) for row in turns],
            [FollowedLetter(*row) for row in self._letters("seq > ? and seq <= ?", between)],
            [
                FollowedMark(seq, rule, bool(delivered))
                for seq, rule, delivered in self._db.execute(
                    """select seq, rule, delivered from mark
                       where seq > ? and seq <= ? and legality = 'violation'""",
                    between,
                )
            ],
            dict(
                self._db.execute(
                    "select seq, json_array_length(agents) from publication where seq > ? and seq <= ?",
                    between,
                ).fetchall()
            ),
            [
                StoredEvent(*row)
                for row in self._db.execute(
                    """select seq, at_us, kind, agent, conversation, body from event
                       where seq > ? and seq <= ? and kind in ('cell', 'deployment') order by seq""",
                    between,
                )
            ],
        )
        self._learn(page.turns)
        return page

    def again(
        self, seqs: Collection[int]
    ) -> tuple[list[FollowedMessage], list[FollowedTurn], list[FollowedLetter]]:
        """Those messages, the turns on them and where they were not handled, as it is now."""
        wanted = (numbers(sorted(seqs)),)
        among = "seq in (select value from json_each(?))"
        messages = self._db.execute(
            f"select seq, at_us, cause, flags, body from message where {among} order by seq", wanted
        )
        turns = self._db.execute(
            f"""select {_TURN} from json_each(?) j cross join turn t
                on t.id >= (j.value << {AGENT_BITS}) and t.id < ((j.value + 1) << {AGENT_BITS})""",
            wanted,
        )
        found = (
            [FollowedMessage(*row) for row in messages],
            [FollowedTurn(*row) for row in turns],
            [FollowedLetter(*row) for row in self._letters(among, wanted)],
        )
        self._learn(found[1])
        return found

    def _letters(self, where: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        return self._db.execute(
            f"select seq, agent, at_us, code, reason from dead_letter where {where} order by seq, agent",
            values,
        )

    def _bounds(self) -> Bounds:
        known = dict(
            self._db.execute(
                "select key, value from meta where key in ('low_water', 'trimmed_upto')"
            ).fetchall()
        )
        return Bounds(last_seq(self._db), int(known.get("low_water", 0)), int(known.get("trimmed_upto", 0)))

    def _learn(self, turns: list[FollowedTurn]) -> None:
        """Read the registry again where a turn names what is not known yet."""
        if any(turn.agent_no not in self.agents for turn in turns):
            self.agents.update(self._db.execute("select no, name from agent").fetchall())
        if any(turn.revision_no not in self.revisions for turn in turns if turn.revision_no):
            self.revisions.update(self._db.execute("select no, sha256 from revision").fetchall())
