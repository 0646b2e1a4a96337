"""What the bus hands to the journal: rows of one burst, in plain lists.

In: tuples and small records, appended by the bus between two flushes. Out: the parameters of a few SQL
statements. Nothing here copies a message or touches the disk; everything is encoded later, in the writer's
thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from caxton.journal.records.record import InPlace, Record, Scalar, insert
from caxton.journal.records.registry_rows import KEPT, SnapshotRow

REDELIVERED = 1
"""Bit of a message's flags: it was delivered again after a crash."""
HANDLED = 2
"""Bit of a message's flags: it needs no turn (a dead letter, a message to a client); recovery skips it."""

RELEASED = 4
"""Bit of a message's flags: it was held before, and this row is how it went on."""
EDITED = 8
"""Bit of a message's flags: it was changed while it was held."""

MessageRow = tuple[int, int, int, int, int, int, bytes]
"""(seq, at_us, conversation key, cause, hops, flags, body)"""
TurnRow = tuple[int, int, int, int, int, int, int, int, int, int]
"""(seq, agent_no, revision_no, started_us, queue_us, turn_us, fuel, sent, status, number among the agent's turns)"""
ConversationRow = tuple[int, str, int, int, str, str | None]
"""(key, id, seq of its first message, at_us, initiator, protocol)"""
ParticipantRow = tuple[str, int]
"""(agent name, conversation key)"""


@dataclass(frozen=True, slots=True)
class Event(Record):
    """Something that happened and is not a message; shares the counter `seq` with messages. `body` is
    JSON."""

    sql: ClassVar[str] = insert("event", 5, blob=True, verb="insert")
    takes_blob: ClassVar[bool] = True
    seq: int
    at_us: int
    kind: str
    agent: str | None = None
    conversation_key: int | None = None
    body: bytes = b"{}"

    @property
    def blob(self) -> bytes:
        """The event's JSON."""
        return self.body

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.seq, self.at_us, self.kind, self.agent, self.conversation_key)


@dataclass(frozen=True, slots=True)
class DeadLetter(Record):
    """A message (by its seq) that this agent could not handle, and why."""

    sql: ClassVar[str] = insert("dead_letter", 5)
    seq: int
    agent: str
    at_us: int
    code: str
    reason: str

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.seq, self.agent, self.at_us, self.code, self.reason)


@dataclass(frozen=True, slots=True)
class TurnPlace(InPlace):
    """The turn of that agent on message `seq` has this place (turn_places.py)."""

    sql: ClassVar[str] = insert("turn_place", 3)
    agent_no: int
    place: int
    seq: int

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.agent_no, self.place, self.seq)


@dataclass(frozen=True, slots=True)
class Publication(Record):
    """Who got message `seq`, which was said to topics: their numbers, a JSON array."""

    sql: ClassVar[str] = insert("publication", 2)
    seq: int
    agents: str

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.seq, self.agents)


@dataclass(frozen=True, slots=True)
class ClientKey(Record):
    """A client's idempotency key and the message it stands for; the first message keeps the key."""

    sql: ClassVar[str] = """insert or ignore into client_key(key, seq, at_us)
        select value->>0, value->>1, value->>2 from json_each(?1)"""
    key: str
    seq: int
    at_us: int

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.key, self.seq, self.at_us)


@dataclass(frozen=True, slots=True)
class Pin(Record):
    """A conversation that every new build of its agents is to be tried on."""

    sql: ClassVar[str] = insert("pin", 2)
    id: str
    at_us: int

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.id, self.at_us)


@dataclass(frozen=True, slots=True)
class Unpin(Record):
    """The end of a pin."""

    sql: ClassVar[str] = "delete from pin where id in (select value->>0 from json_each(?1))"
    id: str

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.id,)


@dataclass(frozen=True, slots=True)
class Meta(Record):
    """One named value that outlives the daemon, such as `low_water`."""

    sql: ClassVar[str] = insert("meta", 2)
    key: str
    value: int | str

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.key, self.value)


class Batch:
    """The rows between two flushes; the bus appends straight to the lists.

    Promises to the reader of a batch: messages are in ascending `seq`; the one who appends adds the body's
    length to `size`. `last_seq` is the highest number given out in this batch, messages and events alike.
    """

    __slots__ = (
        "conversations",
        "last_seq",
        "messages",
        "participants",
        "records",
        "size",
        "turns",
    )

    def __init__(self) -> None:
        self.messages: list[MessageRow] = []
        self.size = 0
        """Bytes of all bodies."""
        self.turns: list[TurnRow] = []
        self.conversations: list[ConversationRow] = []
        self.participants: list[ParticipantRow] = []
        self.records: list[Record] = []
        self.last_seq = 0

    def __bool__(self) -> bool:
        return bool(self.messages or self.turns or self.records or self.conversations or self.participants)

    @property
    def rows(self) -> int:
        """Messages, turns and records, without what follows from them."""
        return len(self.messages) + len(self.turns) + len(self.records)

    def message(self, seq: int, at_us: int, key: int, cause: int, hops: int, flags: int, body: bytes) -> None:
        """Append one message."""
        self.add((seq, at_us, key, cause, hops, flags, body))

    def add(self, row: MessageRow) -> None:
        """Append one message, as the row that it is."""
        self.messages.append(row)
        self.size += len(row[6])
        self.last_seq = row[0]

    def event(
        self,
        seq: int,
        at_us: int,
        kind: str,
        agent: str | None = None,
        conversation_key: int | None = None,
        body: bytes = b"{}",
    ) -> None:
        """Append one event; `body` is a JSON object."""
        self.records.append(Event(seq, at_us, kind, agent, conversation_key, body))
        self.last_seq = seq

    def place(self, row: InPlace) -> None:
        """Append what says the place of a turn, which is a number that is given out."""
        self.records.append(row)
        self.last_seq = max(self.last_seq, row.place)

    def dead_letter(self, seq: int, agent: str, at_us: int, code: str, reason: str) -> None:
        """Append one dead letter."""
        self.records.append(DeadLetter(seq, agent, at_us, code, reason))

    def client_key(self, key: str, seq: int, at_us: int) -> None:
        """Remember which message a client's idempotency key stands for, and since when."""
        self.records.append(ClientKey(key, seq, at_us))

    def meta(self, key: str, value: int | str) -> None:
        """Set one named value."""
        self.records.append(Meta(key, value))

    def snapshot(
        self,
        agent_no: int,
        seq: int,
        at_us: int,
        revision_no: int,
        data: bytes,
        kind: str = KEPT,
        number: int | None = None,
    ) -> None:
        """Keep a moment of an agent's memory."""
        self.records.append(SnapshotRow(agent_no, seq, at_us, revision_no, data, kind, number))

    def groups(self) -> Iterable[list[Record]]:
        """The records by kind, in their order within a kind; kinds touch different tables."""
        groups: dict[type[Record], list[Record]] = {}
        for record in self.records:
            groups.setdefault(type(record), []).append(record)
        return groups.values()
