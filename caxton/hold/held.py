"""One held message: what it is now, what it was, and what waits behind it.

In: a message at the moment at which it is stopped, or a row of the journal. Out: rows, and the order in which messages
may go on: in one conversation, what a sender says to a receiver never overtakes what it said to the same before.
"""

from __future__ import annotations

from typing import Final

import msgspec

from caxton.acl.message import Message
from caxton.acl.reply_by import moment_us, time_text
from caxton.bus.causes import Tree
from caxton.journal import HeldState, StoredHeld
from caxton.schemas.held import APPROVAL

HELD: Final = "held"
DELAYED: Final = "delayed"
RELEASED: Final = "released"
DROPPED: Final = "dropped"
APPROVED: Final = "approved"
REFUSED: Final = "refused"

Extensions = dict[str, msgspec.Raw]


def mark_of(rule: str) -> str:
    """What stands in the row of a message that waits for that rule's yes, in place of a break point's id."""
    return f"{APPROVAL}{rule}"


def rule_of(break_id: str | None) -> str | None:
    """The rule whose yes a message waits for; None where a break point holds it, or it only waits behind another."""
    return break_id.removeprefix(APPROVAL) if break_id and break_id.startswith(APPROVAL) else None


class HeldMessage:
    """A message that is held."""

    __slots__ = (
        "at_us",
        "break_id",
        "cause",
        "changed",
        "due_us",
        "extensions",
        "free",
        "hops",
        "message",
        "original",
        "seq",
        "tree",
    )

    def __init__(
        self,
        seq: int,
        message: Message,
        extensions: Extensions | None,
        original: bytes,
        tree: Tree,
        *,
        cause: int,
        hops: int,
        break_id: str | None,
    ) -> None:
        self.seq = seq
        self.message = message
        """As it will go on; its timestamp is the time at which it was said."""
        self.extensions = extensions
        self.tree = tree
        self.original = original
        """As it was said."""
        self.changed = b""
        """As the operator has made it; empty where nobody has."""
        self.cause = cause
        self.hops = hops
        self.at_us = message.timestamp
        self.break_id = break_id
        self.due_us: int | None = None
        """When it goes on by itself."""
        self.free = break_id is None
        """Whether it goes on as soon as nothing is before it."""

    def put_off(self, due_us: int | None) -> None:
        """It goes on by itself at that time."""
        self.due_us = due_us

    def set_free(self) -> None:
        """It goes on as soon as nothing is before it."""
        self.free = True

    def edit(self, message: Message, changed: bytes) -> None:
        """It goes on as another message than it was said."""
        self.message, self.changed = message, changed

    @property
    def approval(self) -> str | None:
        """The rule whose yes it waits for."""
        return rule_of(self.break_id)

    @property
    def bytes(self) -> int:
        """How long it is, as it was said and as it was changed."""
        return len(self.original) + len(self.changed)

    @property
    def summary(self) -> dict[str, object]:
        """What every event about it says of it."""
        message = self.message
        return {
            "seq": self.seq,
            "id": message.id,
            "performative": message.performative,
            "sender": message.sender,
            "receiver": message.receiver,
            "conversation_id": message.conversation_id,
        }

    def row(
        self, state: str | None = None, ended_us: int | None = None, went_on: int | None = None
    ) -> HeldState:
        """How it stands, for the journal."""
        now = HELD if self.due_us is None else DELAYED
        return HeldState(self.seq, state or now, self.due_us, ended_us, went_on, self.changed)

    def going_on(self, now_us: int) -> Message:
        """The message as it goes on now: its reply_by is as far away as it was when it was stopped. That of one that
        needed a yes stays: it has bounded the wait."""
        message = self.message
        until = message.reply_by
        if until is not None and self.approval is None:
            until = time_text(moment_us(until) + now_us - self.at_us)
        return msgspec.structs.replace(message, timestamp=now_us, reply_by=until)


def taken_up(row: StoredHeld, message: Message, tree: Tree) -> HeldMessage:
    """A message that was held when the daemon ended."""
    body = row.changed or row.body
    found = HeldMessage(
        row.seq,
        message,
        _extensions(body),
        row.body,
        tree,
        cause=row.cause,
        hops=row.hops,
        break_id=row.break_id,
    )
    found.edit(message, row.changed)
    found.put_off(row.due_us)
    return found


def _extensions(body: bytes) -> Extensions | None:
    if b'"x_' not in body:
        return None
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return {key: msgspec.Raw(bytes(value)) for key, value in fields.items() if key.startswith("x_")} or None
