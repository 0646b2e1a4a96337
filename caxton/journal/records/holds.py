"""What is held, what became of it, and the break points that hold.

In: `HeldRow` once for a message that was stopped, with the bytes it was said in, which nobody changes any more;
`HeldState` each time something is done about it; `BreakRow` for a break point, without a body when it is taken away.
Out: the same joined, and the times at which conversations stood still. A held message is no row of `message` until it
goes on; then that row has another number, so that the order of numbers stays the order of delivery.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from caxton.journal.records.query import END, Query, Row, numbers
from caxton.journal.records.record import Record, Scalar, insert

_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class HeldRow(Record):
    """A message as it was said, at the moment at which it was stopped; `seq` is its number and that of the event."""

    sql: ClassVar[str] = insert("held", 7, blob=True, verb="insert")
    takes_blob: ClassVar[bool] = True
    seq: int
    conversation_key: int
    conversation_id: str
    at_us: int
    break_id: str | None
    """The break point that holds it; None where it only waits behind another."""
    cause: int
    hops: int
    body: bytes

    @property
    def blob(self) -> bytes:
        """The message as JSON."""
        return self.body

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.seq,
            self.conversation_key,
            self.conversation_id,
            self.at_us,
            self.break_id,
            self.cause,
            self.hops,
        )


@dataclass(frozen=True, slots=True)
class HeldState(Record):
    """How a held message stands: `held`, `delayed` (until `due_us`), `released` or `dropped` (at `ended_us`, as message
    `went_on`). `changed` is the message as the operator has made it, empty where it is as it was said."""

    sql: ClassVar[str] = insert("held_state", 5, blob=True)
    takes_blob: ClassVar[bool] = True
    seq: int
    state: str
    due_us: int | None = None
    ended_us: int | None = None
    went_on: int | None = None
    changed: bytes = b""

    @property
    def blob(self) -> bytes:
        """The changed message as JSON."""
        return self.changed

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.seq, self.state, self.due_us, self.ended_us, self.went_on)


@dataclass(frozen=True, slots=True)
class BreakRow(Record):
    """A break point as it stands; `body` is a JSON object, None takes it away."""

    sql: ClassVar[str] = insert("break_point", 2)
    id: str
    body: str | None

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.id, self.body)


class StoredHeld(msgspec.Struct, frozen=True):
    """A message that was held, and how it stands."""

    seq: int
    conversation_id: str
    at_us: int
    break_id: str | None
    cause: int
    hops: int
    body: bytes
    state: str
    due_us: int | None
    ended_us: int | None
    went_on: int | None
    changed: bytes


def holds(db: sqlite3.Connection) -> None:
    """Held messages, their states, and break points."""
    for statement in (
        """create table held(seq integer primary key, conversation integer not null, conversation_id
             text not null, at_us integer not null, break text, cause integer not null,
             hops integer not null, body blob not null)""",
        """create table held_state(seq integer primary key, state text not null, due_us integer,
             ended_us integer, went_on integer, changed blob not null)""",
        "create index held_now on held_state(seq) where ended_us is null",
        "create index held_went_on on held_state(went_on) where went_on is not null",
        "create index held_conversation on held(conversation)",
        "create table break_point(id text primary key, body text) without rowid",
        # a row without a body takes one away, so that one statement writes a batch in its order
        """create trigger break_gone after insert on break_point when new.body is null begin
             delete from break_point where id = new.id;
           end""",
    ):
        db.execute(statement)


_HELD = """h.seq, h.conversation_id, h.at_us, h.break, h.cause, h.hops, h.body, s.state, s.due_us, s.ended_us,
  s.went_on, s.changed from held_state s join held h on h.seq = s.seq"""


def _stored(rows: Sequence[Row]) -> list[StoredHeld]:
    return [StoredHeld(*row) for row in rows]


async def held_now(query: Query) -> list[StoredHeld]:
    """Everything that is held, in order."""
    return _stored(await query.all(f"select {_HELD} where s.ended_us is null order by s.seq"))


async def held(query: Query, seqs: Sequence[int]) -> list[StoredHeld]:
    """What was held under these numbers, whatever became of it."""
    return _stored(
        await query.all(
            f"select {_HELD} where s.seq in (select value from json_each(:seqs)) order by s.seq",
            seqs=numbers(seqs),
        )
    )


async def held_before(query: Query, went_on: Sequence[int]) -> list[StoredHeld]:
    """What these messages were while they were held."""
    return _stored(
        await query.all(
            f"select {_HELD} where s.went_on in (select value from json_each(:seqs)) order by s.went_on",
            seqs=numbers(went_on),
        )
    )


async def stops(query: Query, after_seq: int, key: int | None = None) -> dict[str, list[tuple[int, int]]]:
    """From when to when messages were held, by conversation: those that are, and those that went on as a message above
    `after_seq`. What lasts ends at 2^62. A journal of before there were break points has none."""
    if not await query.all("select 1 from sqlite_master where name = 'held_state'"):
        return {}
    rows = await query.all(
        f"""select h.conversation_id, h.at_us, coalesce(s.ended_us, {_NEVER})
            from held_state s join held h on h.seq = s.seq
            where (s.ended_us is null or (s.went_on > :after and s.went_on < {END}))
              and (:key is null or h.conversation = :key) order by h.at_us""",
        after=after_seq,
        key=key,
    )
    found: dict[str, list[tuple[int, int]]] = {}
    for id, since_us, until_us in rows:
        found.setdefault(id, []).append((since_us, until_us))
    return found


async def break_points(query: Query) -> list[tuple[str, str]]:
    """Break points by id, each with its JSON object."""
    rows = await query.all("select id, body from break_point order by id")
    return [(str(id), str(body)) for id, body in rows]
