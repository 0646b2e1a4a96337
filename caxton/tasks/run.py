"""One task on its way: it hears what is said in its conversation, lets time pass, and says what is to be said next.

In: an order, and the messages of its conversation at the moment of their admission, so that it judges in the order of
the journal and nothing that it says is out of date. Out: messages, by `Bus.submit`.
"""

from __future__ import annotations

import asyncio
from typing import Final

from caxton.acl.message import NULL, Message, read_message
from caxton.acl.reply_by import time_text
from caxton.bus import Bus
from caxton.bus.clients import Waiter
from caxton.clock import Clock
from caxton.errors import CaxtonError, MessageTooLarge
from caxton.journal import Reader
from caxton.protocols.clock_pause import Stop, joined
from caxton.protocols.conversation import NEVER
from caxton.tasks.ledger import Ledger
from caxton.tasks.outgoing import OutgoingMessage
from caxton.tasks.plan import is_done, next_messages
from caxton.tasks.view import TaskSummary, replayed, state_of

_PAGE: Final = 1000
_LONGEST_SLEEP_S: Final = 3600.0


class TaskRun:
    """One task that has not ended."""

    def __init__(self, bus: Bus, clock: Clock, id: str, seq: int, ledger: Ledger, created_us: int) -> None:
        self.id = id
        self.seq = seq
        self.ledger = ledger
        self.created_us = created_us
        self.began = asyncio.Event()
        """The first words were said."""
        self.done = asyncio.Event()
        """It has ended, or the daemon stops."""
        self.worker: asyncio.Task[None] | None = None
        self._bus = bus
        self._reader = bus.journal.reader
        self._clock = clock
        self._heard_upto = 0
        self._inbox: Waiter | None = None
        self._stops: list[Stop] = []
        """When its conversation's clock stood still, and goes again."""

    def works_in(self, worker: asyncio.Task[None]) -> None:
        """It is carried on there."""
        self.worker = worker

    def ended(self) -> None:
        """It has ended, or the daemon stops."""
        self.began.set()
        self.done.set()

    def cancel(self) -> bool:
        """Make now its deadline; False where it was cancelled before."""
        cancelled = self.ledger.cancel(self._clock.now_us())
        if cancelled and self._inbox is not None:
            self._inbox.wake()
        return cancelled

    def went_on(self, stop: Stop) -> None:
        """The clock of its conversation stood still and goes again."""
        self._stops.append(stop)
        if self._inbox is not None:
            self._inbox.wake()

    def summary(self) -> TaskSummary:
        """How it stands."""
        state, outcome = state_of(self.ledger)
        order = self.ledger.order
        return TaskSummary(
            id=self.id,
            conversation_id=self.id,
            protocol=order.protocol,
            initiator=order.initiator,
            participants=list(order.participants),
            state=state,
            outcome=outcome,
            ending=None,
            reason=None,
            created_us=self.created_us,
            ended_us=None,
        )

    async def run(self, *, again: bool) -> None:
        """From the first word, or where the daemon's end interrupted it, to the last.

        Raises CaxtonError where it cannot go on.
        """
        with self._bus.clients.expect_inside(self.id) as inbox:
            self._inbox = inbox
            if again:
                await self._catch_up()
            while not await self._step(inbox):
                pass

    async def _catch_up(self) -> None:
        """Hear again what was said before the daemon's end, and since its start."""
        await everything_committed(self._bus)
        rows = await messages_of(self._reader, self.id)
        initiator = self.ledger.order.initiator
        # what it has said and is held has been said all the same
        mine = [
            message
            for held in await self._reader.held_now()
            if held.conversation_id == self.id and (message := read_message(held.body)).sender == initiator
        ]
        self._stops = [stop for stop in await stops_of(self._reader, self.id) if stop[1] < NEVER]
        self._stand()
        replayed(self.ledger.order, self.ledger, [*(message for _, message in rows), *mine])
        self._heard_upto = rows[-1][0] if rows else 0

    def _stand(self) -> None:
        since_us = self._bus.referee_service.standing.get(self.id)
        self.ledger.stood(self._stops if since_us is None else [*self._stops, (since_us, NEVER)])

    async def _step(self, inbox: Waiter) -> bool:
        """Hear, let time pass, speak; True when there is nothing left to do."""
        ledger = self.ledger
        self._stand()
        self._hear(inbox)
        now_us = self._clock.now_us()
        ledger.pass_time(now_us)
        order = ledger.order
        words = next_messages(
            ledger, now_us, rejects_late=self._bus.referee_mode(order.protocol) != "enforce"
        )
        if words:
            # one at a time: the answer to the first, as a failure at once, may change what is to be said next
            self._say(words[0])
            if ledger.broken is not None:
                raise CaxtonError(f"the task itself broke its protocol: {ledger.broken}")
            # there may be hundreds of words to say, and others wait
            await asyncio.sleep(0)
            return False
        self.began.set()
        if is_done(ledger, now_us):
            return True
        until_us = min(ledger.next_us, order.deadline_us if now_us <= order.deadline_us else NEVER)
        sleep_s = min(max(until_us + 1 - now_us, 1) / 1e6, _LONGEST_SLEEP_S)
        alarm = self._clock.later(sleep_s, inbox.wake)
        try:
            await inbox.wait()
        finally:
            alarm.cancel()
        return False

    def _hear(self, inbox: Waiter) -> None:
        while (body := inbox.take()) is not None:
            if body.seq > self._heard_upto:
                self._heard_upto = body.seq
                message = read_message(body.body)
                initiator = self.ledger.order.initiator
                if message.sender != initiator and initiator in message.receiver:
                    self.ledger.hear(message)

    def _say(self, words: OutgoingMessage) -> None:
        order = self.ledger.order
        said: dict[str, object] = {
            "performative": words.act,
            "receiver": list(words.receivers),
            "conversation_id": self.id,
            "protocol": order.protocol,
            "reply_with": f"{self.id}-{self.ledger.words + 1}",
            "content": words.content,
        }
        until = time_text(words.reply_by_us) if words.reply_by_us is not None else None
        for key, value in (
            ("in_reply_to", words.in_reply_to),
            ("reply_by", until),
            ("language", order.language),
            ("ontology", order.ontology),
        ):
            if value is not None:
                said[key] = value
        try:
            admitted = self._bus.submit(said, sender=order.initiator)
        except MessageTooLarge:
            # an accepted proposal that is said back may be longer than what a client may say
            said["content"] = NULL
            admitted = self._bus.submit(said, sender=order.initiator)
        self.ledger.hear(
            Message(
                admitted.id,
                words.act,
                order.initiator,
                list(words.receivers),
                self.id,
                admitted.trace_id,
                "",
                self._clock.now_us(),
                words.content,
                order.protocol,
                admitted.reply_with,
                words.in_reply_to,
                until,
            )
        )


async def stops_of(reader: Reader, conversation: str) -> list[Stop]:
    """When that conversation's clock stood still."""
    return joined((await reader.stops(conversation=conversation)).get(conversation, []))


async def messages_of(reader: Reader, conversation: str, upto: int = 0) -> list[tuple[int, Message]]:
    """Everything that was said in a task's conversation, up to that number (0: everything)."""
    found: list[tuple[int, Message]] = []
    after = 0
    while True:
        rows = await reader.messages(
            conversation=conversation,
            after_seq=after,
            before_seq=upto + 1 if upto else None,
            limit=_PAGE,
        )
        found += [(row.seq, read_message(row.body)) for row in rows]
        if len(rows) < _PAGE:
            return found
        after = rows[-1].seq


async def everything_committed(bus: Bus) -> None:
    """Return when all that was said so far is on disk."""
    bus.settle()
    await bus.journal.committed_upto(bus.last_seq)
