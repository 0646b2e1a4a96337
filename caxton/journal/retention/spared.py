"""Rows that stay though others of their age have gone, and for whom: a pin, an agent's memory, or its mailbox.

In: chunks of numbers that retention is about to remove, and what needs some of them. Out: a row of `spared` for each
message that stays and each that it stays for, so that it goes when nobody needs it any more. A message up to
`trimmed_upto` is in the journal exactly as long as it has such a row. Messages that wait have theirs already before
(unfinished.py).

An agent's memory rests on its latest moment (SnapshotRow) and on the turns after it that left its instance alive
(decision 8). While a deployment of it is under way two memories may be needed, and the moments since it began may be
taken back: then it is the latest moment before that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from caxton.ids import conversation_key
from caxton.journal.records.query import numbers
from caxton.journal.records.record import AGENT_BITS, MAX_AGENT_NO
from caxton.journal.records.turn_places import PLACE
from caxton.journal.retention.unfinished import FINISHED, UNFINISHED, WAITING
from caxton.turn_status import REDELIVERED, SURVIVED

PINNED: Final = 0
"""Spared as a message of a pinned conversation; the owner is its key."""
SAID: Final = 1
"""Spared because a turn of a pinned conversation said it elsewhere, or because a call that began there asked it or was
answered so; the owner is that conversation's key."""
MEMORY: Final = 2
"""Spared because an agent's memory is made from it; the owner is the agent's number."""
ROW_BYTES: Final = 256
"""About what a message with its turn and its places in the indexes takes beside its body."""


def going_with(seq: str) -> str:
    """SQL: about how many rows go with the message of that number, in its table and the indexes and of its turns."""
    return f"""6 + 3 * (select count(*) from turn t
        where t.id >= {seq} << {AGENT_BITS} and t.id < ({seq} + 1) << {AGENT_BITS})"""


_OPEN = "('validating', 'deploying', 'draining')"
_SURVIVED = ", ".join(str(int(status)) for status in SURVIVED)
MOMENTS: Final = f"""select s.agent_no no,
    coalesce(max(case when d.since is null or s.at_us < d.since then s.seq end), min(s.seq)) seq
  from snapshot s join agent a on a.no = s.agent_no
  left join (select agent_no, min(created_us) since from deployment where state in {_OPEN} group by agent_no) d
    on d.agent_no = s.agent_no
  where a.state <> 'removed' and coalesce(a.config->>'$.recover', 'replay') = 'replay'
    and (:agents is null or s.agent_no in (select value from json_each(:agents)))
  group by s.agent_no"""
"""From where on the turns of each of these agents, or of all, are needed."""
_SPARE = (
    f"""insert or ignore into spared select {PINNED}, conversation, seq, length(body) + {ROW_BYTES} from message
         where seq > :start and seq <= :upto and conversation in (select key from pinned)""",
    f"""insert or ignore into spared select {SAID}, s.owner, m.seq, length(m.body) + {ROW_BYTES}
         from message m join spared s on s.kind = {PINNED} and s.seq = m.cause
         where m.seq > :start and m.seq <= :upto""",
    f"""insert or ignore into spared select {MEMORY}, b.no, m.seq, length(m.body) + {ROW_BYTES}
         from turn t join memory_base b on b.no = t.id & {MAX_AGENT_NO}
         cross join message m on m.seq = t.id >> {AGENT_BITS}
         where t.id >= (:start + 1) << {AGENT_BITS} and t.id < (:upto + 1) << {AGENT_BITS}
           and {PLACE} > b.seq
           and (t.status % {REDELIVERED} in ({_SURVIVED}) or exists (select 1 from own_turn o
                where o.agent_no = b.no and o.seq = t.id >> {AGENT_BITS} and o.held))""",
    # turns that put their message back, whatever became of it
    f"""insert or ignore into spared select {MEMORY}, b.no, m.seq, length(m.body) + {ROW_BYTES}
         from put_back p join memory_base b on b.no = p.agent_no join message m on m.seq = p.seq
         where p.seq > :start and p.seq <= :upto and p.place > b.seq""",
)


_NAMES = " || ".join(
    f"coalesce(cast(m.body as text) ->> '$.{name}', '')"
    for name in ("conversation_id", "reply_with", "in_reply_to")
)
_OF_CALL = f"""insert or ignore into spared select {SAID}, s.owner, m.seq, length(m.body) + {ROW_BYTES}
  from message m join spared s on s.kind = {SAID} and s.seq = m.cause
  where m.seq > :start and m.seq <= :upto and instr({_NAMES}, printf('~%016x~', s.owner))"""
"""What calls that began in pinned conversations were answered, and what they asked then (`ids.call_origin`); each step
of a call follows from the one before."""


class Needed(NamedTuple):
    """How many rows are spared for something, and about how many bytes."""

    rows: int
    bytes: int


NOTHING: Final = Needed(0, 0)


class LetGo(NamedTuple):
    """What an owner does not need any more."""

    kind: int
    owner: int
    rows: int
    bytes: int


def spared(db: sqlite3.Connection) -> None:
    """The table; what pins have kept so far is put into it. Up to `forgot_upto` memories were not spared."""
    db.execute(
        """create table spared(kind integer not null, owner integer not null, seq integer not null,
             bytes integer not null, primary key(kind, owner, seq)) without rowid"""
    )
    db.execute("create index spared_seq on spared(seq)")
    trimmed = db.execute("select value from meta where key = 'trimmed_upto'").fetchone()[0]
    db.execute("insert into meta values ('forgot_upto', ?)", (trimmed,))
    _know_pins(db)
    for statement in _SPARE[:2]:
        db.execute(statement, {"start": 0, "upto": trimmed})
    db.execute("drop table pinned")


class Spared:
    """The table of one journal, as its writer keeps it; `owners` is the sum for each pin and memory."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(
            "create temp table if not exists memory_base(no integer primary key, seq integer not null)"
        )
        db.execute("delete from memory_base")
        _know_pins(db)
        self.know_moments(None)
        self._coming: list[tuple[int, int, int]] = []
        """Kind, owner and bytes of what was put down in this transaction."""
        self.owners: dict[tuple[int, int], Needed] = {
            (kind, owner): Needed(rows, size)
            for kind, owner, rows, size in db.execute(
                "select kind, owner, count(*), sum(bytes) from spared group by kind, owner"
            )
        }

    def know_moments(self, agents: Collection[int] | None) -> None:
        """Read again where the memory of these agents begins, None: of all."""
        chosen = None if agents is None else numbers(sorted(agents))
        self._db.execute(
            "delete from memory_base where :agents is null or no in (select value from json_each(:agents))",
            {"agents": chosen},
        )
        self._db.execute(f"insert into memory_base {MOMENTS}", {"agents": chosen})

    def know_pins(self) -> None:
        """Read again what is pinned."""
        _know_pins(self._db)

    def spare(self, start: int, upto: int) -> None:
        """Put down what of the numbers in (start, upto] has to stay; in the transaction that removes the rest."""
        self._coming = []
        for statement in _SPARE:
            self._put_down(statement, start, upto)
        while self._put_down(_OF_CALL, start, upto):
            pass

    def settle(self, start: int, upto: int) -> None:
        """Put down which messages in (start, upto] wait; in the transaction that moves `settled_upto` there."""
        self._coming = []
        self._put_down(f"insert or ignore into spared {WAITING}", start, upto)

    def count(self) -> None:
        """Take what was put down into `owners`, once that is committed."""
        for kind, owner, size in self._coming:
            before = self.owners.get((kind, owner), NOTHING)
            self.owners[kind, owner] = Needed(before.rows + 1, before.bytes + size)
        self._coming = []

    def let_go(self, most: int) -> LetGo | None:
        """Take the rows of one owner that does not need them any more out of the table, and put into `going` what
        nobody needs now, so that about `most` rows go at the most; None where everything is needed.

        In the transaction that removes what is going; `account` once that is committed.
        """
        for kind, owner in self.owners:
            if kind == UNFINISHED:
                continue
            upto = self._needless_upto(kind, owner)
            found = self._db.execute(
                f"""select seq, bytes, {going_with("s.seq")} from spared s
                   where kind = :kind and owner = :owner and seq <= :upto
                   and (kind <> {MEMORY} or not exists (
                     select 1 from turn_place p where p.agent_no = s.owner and p.seq = s.seq and p.place > :upto
                     union all
                     select 1 from put_back p where p.agent_no = s.owner and p.seq = s.seq and p.place > :upto))
                   order by seq""",
                {"kind": kind, "owner": owner, "upto": upto},
            )
            rows, _ = _first(found, most)
            if rows:
                return self._let_go(kind, owner, [(seq, size) for seq, size, _ in rows])
        return None

    def let_go_handled(self, after: tuple[int, int], most: int) -> tuple[list[LetGo], tuple[int, int] | None]:
        """The same for messages that waited and are handled now, unless their agents' memories need them: of
        those after this owner and number. Also where to go on, None at the end."""
        self._coming = []
        found = self._db.execute(
            f"""select owner, seq, bytes, {FINISHED}, {going_with("s.seq")} from spared s
                where kind = {UNFINISHED} and (owner, seq) > (?, ?) order by owner, seq""",
            after,
        )
        rows, more = _first(found, most)
        (trimmed,) = self._db.execute("select value from meta where key = 'trimmed_upto'").fetchone()
        handled: dict[int, list[tuple[int, int]]] = {}
        for owner, seq, size, finished, _ in rows:
            if finished:
                handled.setdefault(owner, []).append((seq, size))
        gone = [one[0] for of in handled.values() for one in of if one[0] <= trimmed]
        if gone:
            self.spare(min(gone) - 1, max(gone))
        return (
            [self._let_go(UNFINISHED, owner, of) for owner, of in handled.items()],
            rows[-1][:2] if more else None,
        )

    def _let_go(self, kind: int, owner: int, rows: Sequence[tuple[int, int]]) -> LetGo:
        values = {"kind": kind, "owner": owner, "seqs": numbers([seq for seq, _ in rows])}
        for statement in (
            """delete from spared where kind = :kind and owner = :owner
                 and seq in (select value from json_each(:seqs))""",
            """insert or ignore into going select value from json_each(:seqs)
                 where value <= (select value from meta where key = 'trimmed_upto')
                   and value not in (select seq from spared where seq in (select value from json_each(:seqs)))""",
        ):
            self._db.execute(statement, values)
        if kind == MEMORY:
            self._db.execute(
                """delete from own_turn where agent_no = :owner and seq in
                     (select value from json_each(:seqs))""",
                values,
            )
        return LetGo(kind, owner, len(rows), sum(size for _, size in rows))

    def account(self, gone: LetGo) -> None:
        """That is not spared any more."""
        before = self.owners.pop((gone.kind, gone.owner))
        if before.rows > gone.rows:
            left = Needed(before.rows - gone.rows, before.bytes - gone.bytes)
            self.owners[gone.kind, gone.owner] = left

    def of(self, *kinds: int) -> Needed:
        """The sum of everything that is spared for one of these kinds of reasons."""
        chosen = [needed for (kind, _), needed in self.owners.items() if kind in kinds]
        return Needed(sum(one.rows for one in chosen), sum(one.bytes for one in chosen))

    def by_agent(self, kind: int) -> dict[int, Needed]:
        """What is spared for each agent's memory or mailbox, by its number."""
        return {owner: needed for (other, owner), needed in self.owners.items() if other == kind}

    def _put_down(self, statement: str, start: int, upto: int) -> int:
        """How many rows it put down."""
        values = {"start": start, "upto": upto, "row": ROW_BYTES}
        rows = self._db.execute(f"{statement} returning kind, owner, bytes", values).fetchall()
        self._coming += rows
        return len(rows)

    def _needless_upto(self, kind: int, owner: int) -> int:
        """Up to which number that owner needs nothing; -1 where it needs everything."""
        if kind == MEMORY:
            row = self._db.execute("select seq from memory_base where no = ?", (owner,)).fetchone()
            return 1 << 62 if row is None else int(row[0])
        pinned = self._db.execute("select 1 from pinned where key = ?", (owner,)).fetchone()
        return 1 << 62 if pinned is None else -1


def _know_pins(db: sqlite3.Connection) -> None:
    db.execute("create temp table if not exists pinned(key integer primary key)")
    db.execute("delete from pinned")
    keys = [conversation_key(id) for (id,) in db.execute("select id from pin")]
    db.execute("insert or ignore into pinned select value from json_each(?)", (numbers(keys),))


def _first(found: sqlite3.Cursor, most: int) -> tuple[list[Any], bool]:
    """The first rows whose last columns add up to `most`, one at the least, and whether there are more."""
    rows: list[Any] = []
    for row in found:
        most -= row[-1]
        if rows and most < 0:
            found.close()
            return rows, True
        rows.append(row)
    return rows, False
