"""Messages that are held: stopped between their admission and the referee, looked at, changed, dropped, let go.

    post ─▶ stops? ─▶ referee ─▶ route ─▶ mailbox
              │ yes                ▲
              ▼                    │ release, delay, edit; drop: to nobody
             held ─────────────────┘

In: break points, every message while there is one, and what the operator does. Out: the same messages later, each once
and in the order in which its sender said them to the same receiver in that conversation. A held message has a number,
an event and a row of its own in the journal; as it goes on it is a message with a later number, so that mailboxes stay
in the order of numbers. While something of a conversation is held, its clock stands still.

What the platform's own agents say, and what is said to them, is never held: they tell what has happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from caxton.access import Principal
from caxton.acl import Performative
from caxton.acl.message import Message, read_message, write_message
from caxton.bus.bus import Bus
from caxton.bus.causes import Tree
from caxton.bus.conversations import ConversationEntry
from caxton.bus.delivery import Failure
from caxton.bus.envelope import Envelope
from caxton.clock import Clock
from caxton.config import ApprovalTable
from caxton.errors import HeldBehind, InvalidMessage, MessageTooLarge
from caxton.hold.approval_rules import ApprovalRules
from caxton.hold.held import Extensions, HeldMessage, mark_of, taken_up
from caxton.hold.held_release import HeldRelease, WentOn, nobody
from caxton.journal import HANDLED, HeldRow, Reader
from caxton.journal import RELEASED as RELEASED_ROW
from caxton.limits import Limits

HELD_MAX: Final = 10_000
HELD_BYTES_MAX: Final = 64 * 1024 * 1024
"""How long held messages may be together, as they were said and as they were changed, whatever their number."""
DELAY_MAX_S: Final = 24 * 3600.0
_DROPPED: Final = ("dropped", "dropped by the operator")
_FULL: Final = ("held_full", "it would wait behind held messages, and no more can be held")

_encode = msgspec.json.Encoder().encode


class Hold(HeldRelease):
    """The interceptor of the bus. Not thread-safe: one asyncio thread owns it. `most`: messages held at a time;
    `on_went_on` is told from when to when a conversation's clock has stood still."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        limits: Limits,
        most: int = HELD_MAX,
        on_went_on: WentOn = nobody,
        approvals: Mapping[str, ApprovalTable] | None = None,
    ) -> None:
        super().__init__(bus, clock, ApprovalRules(approvals or {}, bus.platform), on_went_on)
        self.most = most
        self.add, self.remove = self.breaks.add, self.breaks.remove
        self._limits = limits

    async def load(self, reader: Reader) -> int:
        """After a start: everything is held that was, by the same break points; returns how many messages."""
        await self.breaks.load(reader)
        for row in await reader.held_now():
            message = read_message(row.changed or row.body)
            self.keep(taken_up(row, message, self._bus.works.tree(message.trace_id)))
        for held in self.all():
            # also where nobody judges: tasks have clocks of their own
            self._bus.referee_service.standing.setdefault(held.message.conversation_id, held.at_us)
            if held.due_us is not None:
                self.arm(held)
        await self.approvals.load(reader, [held for held in self.all() if held.approval is not None])
        self.watch()
        return len(self)

    # ------------------------------------------------------------------ what the bus asks

    def stops(
        self,
        message: Message,
        extensions: Extensions | None,
        seq: int,
        cause: int,
        hops: int,
        entry: ConversationEntry,
        tree: Tree,
    ) -> bool:
        """Hold a message that needs a yes, that a break point means, or that something held is ahead of."""
        bus, id = self._bus, message.conversation_id
        if id in bus.referee_service.standing:
            bus.referee_service.stand(id, message.timestamp)
        platform = bus.platform_agents
        if message.sender in platform:
            return False
        ahead = self.ahead(message, seq)
        cancels = message.performative is Performative.CANCEL
        # whoever wants less than before needs no yes
        asked = [] if cancels else self.approvals.rules.meant(message)
        point = None
        if not asked and not all(name in platform for name in message.receiver):
            point = self.breaks.meant(message)
        if point is None and ahead is None and not asked:
            return False
        body = write_message(message, extensions)
        if asked:
            full = self.approvals.why_full(message, asked, len(body))
            if full is not None:
                self.approvals.turn_away(message, *full)
                bus.post(message, extensions, seq, cause, hops, HANDLED, tree=tree)
                self.approvals.turned_away(seq, message, *full)
                return True
        elif len(self) >= self.most or self.bytes >= HELD_BYTES_MAX:
            self.breaks.end_all("full")
            if ahead is None:
                return False
            bus.post(message, extensions, seq, cause, hops, HANDLED, tree=tree)
            return True
        break_id = mark_of(asked[0]) if asked else point.id if point is not None else None
        held = HeldMessage(seq, message, extensions, body, tree, cause=cause, hops=hops, break_id=break_id)
        batch = bus.journal.batch
        kind, told = "held", {**held.summary, "break": break_id, "behind": ahead.seq if ahead else None}
        if asked:
            kind, told = "approval", self.approvals.ask(held, asked)
        batch.event(seq, message.timestamp, kind, message.sender, entry.key, _encode(told))
        batch.records.extend(
            [HeldRow(seq, entry.key, id, held.at_us, break_id, cause, hops, body), held.row()]
        )
        self.keep(held)
        bus.referee_service.stand(id, held.at_us)
        if point is not None:
            self.breaks.hit(point)
        if cancels:
            self.approvals.cancelled(message)
        return True

    def discard(self, envelope: Envelope, flags: int) -> None:
        """Bring a message to nobody, and tell its sender."""
        if self.approvals.tell(envelope):
            return
        # what was never held has not been released either
        why = _DROPPED if flags & RELEASED_ROW else _FULL
        self._bus.undelivered(envelope, [Failure(name, *why) for name in envelope.message.receiver])

    # ------------------------------------------------------------------ what the operator does

    def release(self, seq: int) -> int:
        """Let a message go on, as it is now; returns the number that it has from now on.

        Raises NotHeld, and HeldBehind where something has to go on before it.
        """
        held = self.get(seq)
        ahead = self.ahead(held.message, held.seq)
        if ahead is not None:
            raise HeldBehind(
                f"message {seq} waits behind {ahead.seq}, which says something to the same receiver",
                hint=f"release that first: caxton break release {ahead.seq}",
            )
        went_on = self.go_on(held)
        self.follow(held.message.conversation_id)
        return went_on

    def release_some(self, seqs: list[int]) -> int:
        """Let those of these messages go on that are held; what has something ahead of it follows by itself when that
        has gone on. Returns how many there were."""
        found = [self.get(seq) for seq in seqs if seq in self]
        for held in found:
            if self.ahead(held.message, held.seq) is None:
                self.go_on(held)
            else:
                self.set_free(held)
        for id in dict.fromkeys(held.message.conversation_id for held in found):
            self.follow(id)
        return len(found)

    def drop_some(self, seqs: list[int]) -> int:
        """Bring those of these messages to nobody that are held; returns how many there were."""
        found = [self.get(seq) for seq in seqs if seq in self]
        for held in found:
            self.go_on(held, dropped=True)
        for id in dict.fromkeys(held.message.conversation_id for held in found):
            self.follow(id)
        return len(found)

    def drop(self, seq: int) -> int:
        """Bring a message to nobody: a dead letter, and a `failure` to its sender; returns its last number.

        Raises NotHeld.
        """
        held = self.get(seq)
        went_on = self.go_on(held, dropped=True)
        self.follow(held.message.conversation_id)
        return went_on

    def delay(self, seq: int, seconds: float) -> int:
        """Let a message go on by itself in so many seconds; returns when, in microseconds since 1970.

        Raises NotHeld, InvalidMessage.
        """
        held = self.get(seq)
        if not 0 <= seconds <= DELAY_MAX_S:
            raise InvalidMessage(f"a delay is at most a day, not {seconds:g} seconds", hint="for example 5s")
        held.put_off(self._clock.now_us() + round(seconds * 1e6))
        self.note("delayed", held, due_us=held.due_us)
        self.arm(held)
        assert held.due_us is not None
        return held.due_us

    def edit(
        self,
        seq: int,
        *,
        performative: Performative | None = None,
        receiver: str | list[str] | None = None,
        content: msgspec.Raw | None = None,
    ) -> HeldMessage:
        """Change what a held message says, or to whom; it stays held, and what was said stays in the journal.

        Raises NotHeld, InvalidMessage, MessageTooLarge.
        """
        held = self.get(seq)
        after, body = self._edited(held, performative, receiver, content)
        needs = self.approvals.rules.meant(after)
        if needs:
            raise InvalidMessage(
                f"as that message it would need the approval {needs[0]}, which a break point cannot give",
                hint="drop it, and say the other one",
            )
        changed = self._change(held, after, body)
        self.note("edited", held, changed=changed)
        # what waited behind it may have another receiver now
        self.follow(after.conversation_id)
        return held

    def edit_waiting(
        self,
        seq: int,
        who: Principal,
        by: str,
        *,
        performative: Performative | None = None,
        receiver: str | list[str] | None = None,
        content: msgspec.Raw | None = None,
    ) -> HeldMessage:
        """The same of a message that waits for an approval, by somebody who may decide about it; it waits on.

        Raises NotHeld, SecurityError, InvalidMessage, MessageTooLarge.
        """
        held = self.approvals.may_change(seq, who)
        after, body = self._edited(held, performative, receiver, content)
        changed = self._change(held, after, body)
        self._bus.journal.batch.records.append(held.row())
        self.approvals.changed(held, by, changed)
        self.follow(after.conversation_id)
        return held

    def _edited(
        self,
        held: HeldMessage,
        performative: Performative | None,
        receiver: str | list[str] | None,
        content: msgspec.Raw | None,
    ) -> tuple[Message, bytes]:
        """What would become of a message."""
        before = held.message
        after = msgspec.structs.replace(
            before,
            performative=performative or before.performative,
            receiver=self._bus.addressing.receivers(receiver, self._limits.receivers)
            if receiver
            else before.receiver,
            content=before.content if content is None else content,
        )
        body = write_message(after, held.extensions)
        if len(body) > self._limits.message_bytes:
            raise MessageTooLarge(
                f"the message would have {len(body)} bytes, the limit is {self._limits.message_bytes}",
                hint="raise limits.message_bytes in caxton.toml, or send a reference",
            )
        return after, body

    def _change(self, held: HeldMessage, after: Message, body: bytes) -> list[str]:
        """Have it become that; which of its fields are other ones."""
        before = held.message
        self.change(held, after, body)
        fields = ("performative", "receiver", "content")
        return [key for key in fields if getattr(before, key) != getattr(after, key)]

    def watch(self) -> None:
        """Stand in the way of messages only as long as there is something to stop or to keep in order."""
        self._bus.intercept(self if len(self) or self.points.on or self.approvals.stand else None)
