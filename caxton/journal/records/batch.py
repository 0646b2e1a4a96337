"""What the bus hands to the journal: rows of one burst, in plain lists.

In: tuples and small records, appended by the bus between two flushes. Out: the parameters of a few SQL
statements. Nothing here copies a message or touches the disk; everything is encoded later, in the writer's
thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

REDELIVERED = 1
"""Bit of a message's flags: it was delivered again after a crash."""
HANDLED = 2
"""Bit of a message's flags: it needs no turn (a dead letter, a message to a client); recovery skips it."""

RELEASED = 4
"""Bit of a message's flags: it was held before, and this row is how it went on."""
EDITED = 8
"""Bit of a message's flags: it was changed while it was held."""

AGENT_BITS = 20
"""A turn's key is `seq << AGENT_BITS | agent number`, so turns lie in the order of their messages."""
MAX_AGENT_NO = (1 << AGENT_BITS) - 1

KEPT, CARRIED, FRESH, RESTORED = "kept", "carried", "fresh", "restored"
"""What a row of `snapshot` is (SnapshotRow)."""

MessageRow = tuple[int, int, int, int, int, int, bytes]
"""(seq, at_us, conversation key, cause, hops, flags, body)"""
TurnRow = tuple[int, int, int, int, int, int, int, int, int, int]
"""(seq, agent_no, revision_no, started_us, queue_us, turn_us, fuel, sent, status, number among the agent's turns)"""
ConversationRow = tuple[int, str, int, int, str, str | None]
"""(key, id, seq of its first message, at_us, initiator, protocol)"""
ParticipantRow = tuple[str, int]
"""(agent name, conversation key)"""
Scalar = int | str | None


class Record(ABC):
    """One row that is rare beside messages and turns.

    `sql` takes two parameters: ?1 a JSON array of rows (`fields()` plus offset and length of `blob`), ?2
    the blobs joined. So many records of one kind cost one statement.
    """

    __slots__ = ()
    sql: ClassVar[str]
    takes_blob: ClassVar[bool] = False

    @property
    def blob(self) -> bytes:
        """Bytes that do not go through JSON."""
        return b""

    @abstractmethod
    def fields(self) -> tuple[Scalar, ...]:
        """The row's columns in the order in which `sql` reads them."""


def insert(table: str, columns: int, *, blob: bool = False, verb: str = "insert or replace") -> str:
    """The statement by which records of one kind go into their table."""
    values = [f"value->>{n}" for n in range(columns)]
    if blob:
        # substr of an empty blob is null, and an agent's state may be empty
        values.append(f"coalesce(substr(?2, value->>{columns}, value->>{columns + 1}), x'')")
    return f"{verb} into {table} select {', '.join(values)} from json_each(?1)"


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
class AgentRow(Record):
    """An agent as the registry last knew it; a number belongs to one name for ever. `config` is a JSON
    object."""

    sql: ClassVar[str] = insert("agent", 7)
    no: int
    name: str
    state: str
    revision_no: int | None
    config: str
    created_us: int
    updated_us: int

    def __post_init__(self) -> None:
        if not 0 <= self.no <= MAX_AGENT_NO:
            raise ValueError(f"agent number {self.no} is outside 0..{MAX_AGENT_NO}")

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.no,
            self.name,
            self.state,
            self.revision_no,
            self.config,
            self.created_us,
            self.updated_us,
        )


@dataclass(frozen=True, slots=True)
class RevisionRow(Record):
    """One build of an agent: its sha256 and profile, and where the module lies (`path`)."""

    sql: ClassVar[str] = insert("revision", 6)
    no: int
    sha256: str
    profile: str
    size: int
    path: str
    created_us: int

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.no, self.sha256, self.profile, self.size, self.path, self.created_us)


@dataclass(frozen=True, slots=True)
class DeploymentRow(Record):
    """The move of an agent to another revision, as it stands. `detail` is a JSON object."""

    sql: ClassVar[str] = insert("deployment", 10)
    id: str
    agent_no: int
    revision_no: int
    previous_no: int | None
    strategy: str
    state: str
    reason: str | None
    created_us: int
    updated_us: int
    detail: str = "{}"

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.id,
            self.agent_no,
            self.revision_no,
            self.previous_no,
            self.strategy,
            self.state,
            self.reason,
            self.created_us,
            self.updated_us,
            self.detail,
        )


@dataclass(frozen=True, slots=True)
class SnapshotRow(Record):
    """A moment from which an agent's memory can be had again: that of its turn on message `seq`, or just after.

    `kind` says what was at that moment: "kept", its state was taken and it went on; "carried", the revision took over
    that state; "fresh", it began with nothing (and `data` is empty); "restored", it came back with an earlier state, so
    what it did in between is forgotten. Each but "kept" cuts its past: turns before are not to be run again after it.
    """

    sql: ClassVar[str] = insert(
        "snapshot(agent_no, seq, at_us, revision_no, kind, number, data)", 6, blob=True
    )
    takes_blob: ClassVar[bool] = True
    agent_no: int
    seq: int
    at_us: int
    revision_no: int
    data: bytes
    kind: str = KEPT
    number: int | None = None
    """That of the agent's latest turn by then; None where an earlier version wrote it down."""

    @property
    def blob(self) -> bytes:
        """The guest's state."""
        return self.data

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.agent_no, self.seq, self.at_us, self.revision_no, self.kind, self.number)


@dataclass(frozen=True, slots=True)
class TaskRow(Record):
    """A task as it stands; `seq` is the number at which it began, `upto` the one at which it ended (0: it has not).

    `wanted` is its order as a JSON object.
    """

    sql: ClassVar[str] = insert("task", 11)
    seq: int
    id: str
    protocol: str
    state: str
    outcome: str | None
    ending: str | None
    reason: str | None
    wanted: str
    created_us: int
    updated_us: int
    upto: int = 0

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.seq,
            self.id,
            self.protocol,
            self.state,
            self.outcome,
            self.ending,
            self.reason,
            self.wanted,
            self.created_us,
            self.updated_us,
            self.upto,
        )


@dataclass(frozen=True, slots=True)
class DirectoryRow(Record):
    """One registration with `ams` or `df`, or a subscription; a row without a body takes it out again.

    `expires_us` is when a lease ends, None for none; `body` a JSON object.
    """

    sql: ClassVar[str] = insert("directory", 5)
    kind: str
    key: str
    at_us: int
    expires_us: int | None
    body: str | None

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.kind, self.key, self.at_us, self.expires_us, self.body)


class InPlace(Record):
    """A row that is about the turn in a place."""

    __slots__ = ()
    place: int


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
