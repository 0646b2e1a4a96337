"""What is held now, and what may go on: the order of a sender to a receiver in a conversation is kept.

What waits for a yes is held here as well, for the order is one; but whoever looks for what break points hold does not
find it (`approval_service` has it).

In: messages as they are held, changed and let go. Out: the first of each, by number, conversation, break point, and
what has to go on before another one. Everything here takes the same time however many are held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from caxton.acl.message import Message
from caxton.bus.mailbox import NEVER
from caxton.errors import NotHeld
from caxton.hold.held import HeldMessage


class HeldMessages:
    """Everything that is held, in the order of numbers."""

    def __init__(self) -> None:
        self.bytes = 0
        """How long they are together, without those that wait for a yes."""
        self._for_approval: set[int] = set()
        self._held: dict[int, HeldMessage] = {}
        self._conversations: dict[str, dict[int, HeldMessage]] = {}
        self._lines: dict[tuple[str, str, str], dict[int, HeldMessage]] = {}
        """By conversation, sender and receiver, each in order: whoever says something is asked for what is ahead of it,
        and a conversation may hold thousands."""
        self._by_break: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._held) - len(self._for_approval)

    def __iter__(self) -> Iterator[HeldMessage]:
        """What break points hold and what waits behind others, in order."""
        return iter([held for seq, held in self._held.items() if seq not in self._for_approval])

    def __contains__(self, seq: int) -> bool:
        """Whether a break point holds a message under that number, or it waits behind another."""
        return seq in self._held and seq not in self._for_approval

    def stopped(self, seq: int) -> bool:
        """Whether a message is held under that number, whatever for."""
        return seq in self._held

    def approval_of(self, seq: int) -> str | None:
        """The rule whose yes the message under that number waits for."""
        held = self._held.get(seq)
        return None if held is None else held.approval

    def all(self) -> list[HeldMessage]:
        """Everything that is held, in order, what waits for a yes too."""
        return list(self._held.values())

    def get(self, seq: int) -> HeldMessage:
        """One held message; NotHeld where it is not."""
        held = self._held.get(seq)
        if held is not None and held.approval is not None:
            raise NotHeld(
                f"message {seq} waits for the approval {held.approval}, no break point holds it",
                hint=f"see: caxton approve show {seq}",
            )
        if held is None:
            raise NotHeld(f"no message {seq} is held", hint="see: caxton break held")
        return held

    def of(self, conversation_id: str) -> list[HeldMessage]:
        """What is held of a conversation, in order, what waits for a yes too."""
        return list(self._conversations.get(conversation_id, {}).values())

    def held_by(self, break_id: str) -> int:
        """How many messages a break point holds."""
        return self._by_break.get(break_id, 0)

    def oldest(self) -> int:
        """The lowest number that is held."""
        return next(iter(self._held), NEVER)

    def ahead(self, message: Message, seq: int) -> HeldMessage | None:
        """The first that has to go on before it: what the same sender says to one of the same receivers there."""
        ahead: HeldMessage | None = None
        for line in _lines_of(message):
            first = next(iter(self._lines.get(line, {}).values()), None)
            if first is not None and first.seq < (seq if ahead is None else ahead.seq):
                ahead = first
        return ahead

    def keep(self, held: HeldMessage) -> None:
        """Hold one more."""
        self._held[held.seq] = held
        if held.approval is not None:
            self._for_approval.add(held.seq)
        if held.break_id is not None:
            self._by_break[held.break_id] += 1
        self._conversations.setdefault(held.message.conversation_id, {})[held.seq] = held
        self._enter(held)
        self._weigh(held, 1)
        held.tree.work.begin()

    def let_go(self, held: HeldMessage) -> bool:
        """Hold it no more; True where its conversation has nothing held any more."""
        del self._held[held.seq]
        self._for_approval.discard(held.seq)
        if held.break_id is not None:
            self._by_break[held.break_id] -= 1
            if not self._by_break[held.break_id]:
                del self._by_break[held.break_id]
        conversation = self._conversations[held.message.conversation_id]
        del conversation[held.seq]
        self._leave(held)
        self._weigh(held, -1)
        if not conversation:
            del self._conversations[held.message.conversation_id]
        return not conversation

    def change(self, held: HeldMessage, message: Message, body: bytes) -> None:
        """Have one go on as another message than it was."""
        self._weigh(held, -1)
        self._leave(held)
        held.edit(message, body)
        self._enter(held)
        self._weigh(held, 1)

    def _weigh(self, held: HeldMessage, sign: int) -> None:
        if held.approval is None:
            self.bytes += sign * held.bytes

    def _enter(self, held: HeldMessage) -> None:
        for key in _lines_of(held.message):
            line = self._lines.setdefault(key, {})
            later = bool(line) and next(reversed(line)) > held.seq
            line[held.seq] = held
            if later:
                # an edit has given it another receiver
                self._lines[key] = dict(sorted(line.items()))

    def _leave(self, held: HeldMessage) -> None:
        for key in _lines_of(held.message):
            del self._lines[key][held.seq]
            if not self._lines[key]:
                del self._lines[key]


def _lines_of(message: Message) -> Iterator[tuple[str, str, str]]:
    for name in message.receiver:
        yield message.conversation_id, message.sender, name
