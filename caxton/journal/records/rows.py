"""What readers get: frozen values, one a row."""

from __future__ import annotations

import msgspec


class StoredMessage(msgspec.Struct, frozen=True):
    """A message as it was delivered. `cause` is the number of the message whose turn said it, 0 from
    outside."""

    seq: int
    at_us: int
    conversation_key: int
    cause: int
    hops: int
    flags: int
    body: bytes


class StoredEvent(msgspec.Struct, frozen=True):
    """Something that happened and is not a message; `body` is a JSON object."""

    seq: int
    at_us: int
    kind: str
    agent: str | None
    conversation_key: int | None
    body: bytes


class StoredTurn(msgspec.Struct, frozen=True):
    """One finished turn of an agent on message `seq`; `agent` is None when the registry has no such
    number."""

    seq: int
    agent_no: int
    agent: str | None
    revision_no: int
    started_us: int
    queue_us: int
    turn_us: int
    fuel: int
    sent: int
    status: int
    put_back_at: int = 0
    """Its place, where it put its message back."""

    @property
    def own_seq(self) -> int:
        """What it is known by among the turns of its agent, as in `PastTurn`."""
        return -self.put_back_at or self.seq


class StoredConversation(msgspec.Struct, frozen=True):
    """A conversation: its first and last number, and what is left of it in the journal."""

    id: str
    key: int
    first_seq: int
    last_seq: int
    initiator: str
    protocol: str | None
    started_us: int
    last_us: int
    messages: int
    participants: list[str]
    parent: str | None = None
    """The conversation that it serves: an agent began it on a message of that one."""


class Stats(msgspec.Struct, frozen=True):
    """How far the journal reaches. Numbers count messages and events; `used_bytes` leaves out free pages."""

    first_seq: int
    last_seq: int
    first_us: int
    last_us: int
    trimmed_upto: int
    """Rows up to this number were removed by retention (0: none)."""
    indexed_upto: int
    low_water: int
    file_bytes: int
    used_bytes: int
    dead_letters: int
