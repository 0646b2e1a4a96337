"""A moment of a journal: the rows from which agents are, after a start, as they were then.

In: a journal's file, and for each agent up to where it had come. Out: a disk in memory with the agents, the moments of
their memories that lie nearest before, and their turns since; a runtime that starts over it brings the memories back as
after any other start (caxton.agents.recovery). The file is only read, also while a daemon writes it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from caxton.errors import JournalError
from caxton.journal.memory import MemoryDisk
from caxton.journal.records.batch import HANDLED
from caxton.journal.records.query import Row, numbers, only_reading
from caxton.journal.records.record import AGENT_BITS, MAX_AGENT_NO
from caxton.journal.records.registry_rows import FRESH, RESTORED
from caxton.journal.records.verdicts import JUDGED_UPTO
from caxton.journal.write.schema import MIGRATIONS

_TURNS: Final = (
    f"""select t.* from turn t where t.id >= (:after + 1) << {AGENT_BITS} and t.id < (:upto + 1) << {AGENT_BITS}
      and t.id & {MAX_AGENT_NO} = :no
      and not exists (select 1 from turn_place p where p.agent_no = :no and p.seq = t.id >> {AGENT_BITS})""",
    f"""select t.* from turn_place p join turn t on t.id = p.seq << {AGENT_BITS} | p.agent_no
      where p.agent_no = :no and p.place > :after and p.place <= :upto""",
)
_IN_PLACES: Final = "agent_no = :no and place > :after and place <= :upto"


class Until(NamedTuple):
    """How far an agent had come: the place of its last turn, and when that was."""

    place: int
    at_us: int


class Moment(NamedTuple):
    """What was taken. `inexact` says for agents, by name, why they remember less than they did."""

    disk: MemoryDisk
    inexact: dict[str, str]


def open_journal(path: Path) -> sqlite3.Connection:
    """A connection that only reads; raises JournalError for what is no journal of this version."""
    try:
        db = sqlite3.connect(only_reading(path), uri=True, isolation_level=None)
        version: int = db.execute("pragma user_version").fetchone()[0]
        seen = db.execute("select count(*) from sqlite_schema where name = 'message'").fetchone()[0]
    except sqlite3.Error as trouble:
        raise JournalError(f"{path} cannot be read: {trouble}.", path=str(path)) from trouble
    if not seen or version != len(MIGRATIONS):
        db.close()
        what = f"has version {version}, this Caxton reads {len(MIGRATIONS)}" if seen else "is no journal"
        raise JournalError(f"{path} {what}.", hint="a start of its daemon makes it one", path=str(path))
    return db


class Talks(NamedTuple):
    """Messages that are there as they are, with the conversations that they belong to: one that somebody had not
    handled by then waits for its turn. `done` are the turns on them, as number of the message and of the agent."""

    messages: Collection[int]
    done: Collection[tuple[int, int]]
    at_us: int


def moment(
    path: Path, until: Mapping[int, Until], *, talks: Talks | None = None, from_inputs: bool = False
) -> Moment:
    """The agents of these numbers as they were, in a journal of its own; whoever gets the disk closes it.

    What they were told is there as past, and nobody gets it again; `talks` go on where they were. With `from_inputs`
    memories are made from what agents were told since their beginning, where the journal still has it, and not from
    states.
    """
    with closing(open_journal(path)) as db:
        cut = _Cut(db, set(talks.messages) if talks is not None else set())
        try:
            for no, one in until.items():
                cut.agent(no, one, from_inputs=from_inputs)
            if talks is not None:
                cut.talks(talks)
            return cut.done()
        except BaseException:
            cut.disk.close()
            raise


def fill(disk: MemoryDisk, rows: Mapping[str, Iterable[Row]]) -> None:
    """Put rows onto a disk, in one commit; what is there under the same keys is replaced. Raises JournalError for what
    is no row of its table."""
    db = disk.db
    db.execute("begin")
    try:
        for table, some in rows.items():
            for row in some:
                db.execute(f"insert or replace into {table} values ({','.join('?' * len(row))})", row)
    except sqlite3.Error as trouble:
        db.execute("rollback")
        raise JournalError(f"the rows do not fit: {trouble}") from trouble
    db.execute("commit")


class _Cut:
    """Copies rows from one journal to a new disk."""

    def __init__(self, db: sqlite3.Connection, also: set[int]) -> None:
        self.disk = MemoryDisk()
        self._db = db
        self._also = also
        self._past: set[int] = set()
        self._names: dict[int, str] = dict(db.execute("select no, name from agent"))
        self._inexact: dict[str, str] = {}
        self._last = 0

    def agent(self, no: int, until: Until, *, from_inputs: bool) -> None:
        """Its row, the moment that its memory begins from, and its turns since."""
        base = self._base(no, until, from_inputs=from_inputs)
        after = 0 if base is None else base[1]
        self._copy("agent", "select * from agent where no = :no", no=no)
        if base is None:
            made = ("insert into snapshot values (?, 0, ?, 0, ?, x'', 0)", (no, until.at_us, FRESH))
            self.disk.db.execute(*made)
            self._inexact[self._names[no]] = "the journal does not say how its memory began"
        else:
            fill(self.disk, {"snapshot": [base]})
        values = {"no": no, "after": after, "upto": until.place}
        for statement in _TURNS:
            self._past.update(row[0] >> AGENT_BITS for row in self._copy("turn", statement, **values))
        for row in self._copy("put_back", f"select * from put_back where {_IN_PLACES}", **values):
            self._past.add(row[2])
        self._copy("turn_place", f"select * from turn_place where {_IN_PLACES}", **values)

    def talks(self, talks: Talks) -> None:
        """What is known of conversations, and what platform agents keep since before."""
        seqs = numbers(sorted(talks.messages))
        for seq, no in talks.done:
            self._copy("turn", "select * from turn where id = :id", id=seq << AGENT_BITS | no)
        for table in ("dead_letter", "publication"):
            self._copy(
                table, f"select * from {table} where seq in (select value from json_each(:seqs))", seqs=seqs
            )
        keys = "select distinct conversation from message where seq in (select value from json_each(:seqs))"
        self._copy("conversation", f"select * from conversation where key in ({keys})", seqs=seqs)
        for table in ("participant_log", "participant"):
            columns = "no, agent, key" if table == "participant_log" else "null, agent, key"
            self._copy("participant_log", f"select {columns} from {table} where key in ({keys})", seqs=seqs)
        self._copy("directory", "select * from directory where at_us <= :at_us", at_us=talks.at_us)

    def done(self) -> Moment:
        """The messages of all that, and what a start has to know."""
        past = self._past - self._also
        every = self._copy_messages(past, HANDLED) | self._copy_messages(self._also, 0)
        gone = len(self._past | self._also) - len(every)
        if gone:
            self._inexact.setdefault(
                "*", f"the journal has removed {gone} of the messages that they were told"
            )
        last = max(every, default=0)
        self._copy("revision", "select * from revision")
        self._copy("meta", "select * from meta where key in ('seeds', 'protocol_tables')")
        judged = 0 if self._also else last
        fill(self.disk, {"meta": [("low_water", 0 if self._also else last), (JUDGED_UPTO, judged)]})
        return Moment(self.disk, self._inexact)

    def _base(self, no: int, until: Until, *, from_inputs: bool) -> Row | None:
        rows = self._db.execute(
            """select * from snapshot where agent_no = ? and seq <= ? and at_us <= ?
               order by seq desc, rowid desc""",
            (no, until.place, until.at_us),
        ).fetchall()
        latest: Row | None = rows[0] if rows else None
        if not from_inputs:
            return latest
        for row in rows:
            if row[4] == FRESH:
                return row if self._has_inputs(row[1]) else latest
            if row[4] == RESTORED:
                break
        return latest

    def _has_inputs(self, since: int) -> bool:
        trimmed = self._db.execute("select value from meta where key = 'trimmed_upto'").fetchone()
        return bool(trimmed is None or trimmed[0] <= since)

    def _copy_messages(self, seqs: Collection[int], flags: int) -> set[int]:
        found = self._db.execute(
            """select seq, at_us, conversation, cause, hops, flags | ?, body from message
               where seq in (select value from json_each(?))""",
            (flags, numbers(sorted(seqs))),
        ).fetchall()
        fill(self.disk, {"message": found})
        return {row[0] for row in found}

    def _copy(self, table: str, statement: str, **values: int | str) -> Sequence[Row]:
        rows: list[Row] = self._db.execute(statement, values).fetchall()
        fill(self.disk, {table: rows})
        return rows
