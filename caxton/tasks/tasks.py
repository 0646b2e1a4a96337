"""Every task of this daemon: begun, carried on after a restart, looked at.

In: wishes of clients. Out: views. A task speaks by `Bus.submit`, and hears as agents do, at the moment of admission: so
it judges in the order of the journal, and nothing that it says is out of date. It is a coroutine of its own that ends
by itself; only what is told to a client waits for the commit. Its order and how it ended are a row of the journal,
everything else is in the messages of its conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec
import structlog

from caxton.acl import read_draft
from caxton.acl.message import NULL, Message, read_message
from caxton.acl.reply_by import time_text
from caxton.bus import Bus
from caxton.bus.clients import Waiter
from caxton.clock import Clock
from caxton.errors import CaxtonError, InvalidState, MessageTooLarge, ResourceError, TaskNotFound
from caxton.journal import Reader, TaskRow
from caxton.limits import Limits
from caxton.protocols import Library
from caxton.protocols.clock_pause import Stop, joined
from caxton.protocols.conversation import NEVER
from caxton.tasks.ledger import Ledger
from caxton.tasks.order import Order, TaskRequest, read_task_request
from caxton.tasks.outgoing import OutgoingMessage
from caxton.tasks.plan import is_done, next_messages
from caxton.tasks.view import Ending, TaskSummary, TaskView, ending_of, replayed, state_of, view_of

UNDER_WAY_MAX: Final = 256
ENVELOPE_BYTES: Final = 2048
"""What a message has beside its content, at the most."""
_PAGE: Final = 1000
_LONGEST_SLEEP_S: Final = 3600.0

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

log = structlog.get_logger("caxton.tasks")


class _UnderWay:
    """One task that has not ended."""

    def __init__(self, id: str, seq: int, ledger: Ledger, created_us: int) -> None:
        self.id = id
        self.seq = seq
        self.ledger = ledger
        self.created_us = created_us
        self.heard_upto = 0
        self.inbox: Waiter | None = None
        self.stops: list[Stop] = []
        """When its conversation's clock stood still, and goes again."""
        self.began = asyncio.Event()
        """The first words were said."""
        self.done = asyncio.Event()
        """It has ended, or the daemon stops."""
        self.worker: asyncio.Task[None] | None = None


class Tasks:
    """The tasks of a runtime. `limits` are what a client's messages must keep to."""

    def __init__(self, *, bus: Bus, clock: Clock, library: Library, limits: Limits, spawn: Spawn) -> None:
        self._bus = bus
        self._journal = bus.journal
        self._reader: Reader = bus.journal.reader
        self._clock = clock
        self._library = library
        self._limits = limits
        self._spawn = spawn
        self._under_way: dict[str, _UnderWay] = {}
        self._last_us = 0
        self._closing = False

    @property
    def under_way(self) -> int:
        """How many have not ended."""
        return len(self._under_way)

    async def begin(self, wish: TaskRequest) -> str:
        """Begin a task; returns its id when its first words are said and on disk.

        Raises InvalidTask, InvalidMessage, MessageTooLarge, SecurityError; ResourceError when too many are under way.
        """
        if self._closing or len(self._under_way) >= UNDER_WAY_MAX:
            why = "the daemon stops" if self._closing else f"{UNDER_WAY_MAX} tasks are under way"
            raise ResourceError(f"no task is begun now: {why}", hint="see: caxton task list")
        now_us = max(self._clock.now_us(), self._last_us + 1)
        order = read_task_request(
            wish,
            self._library,
            platform=self._bus.platform,
            receivers=self._limits.receivers,
            now_us=now_us,
        )
        self._bus.check_client(order.initiator)
        self._check_content(order)
        self._last_us = now_us
        id = f"t-{now_us:x}"
        self._tell(id, order, {"what": "begun"})
        task = _UnderWay(id, self._bus.last_seq, Ledger(order, self._library, id), now_us)
        self._save(task)
        self._start(task, again=False)
        await task.began.wait()
        await self._journal.committed_upto(self._bus.last_seq)
        return id

    async def ended(self, id: str, patience_s: float) -> None:
        """Return when that task has ended, or after so many seconds."""
        task = self._under_way.get(id)
        if task is not None and patience_s > 0:
            try:
                async with asyncio.timeout(patience_s):
                    await task.done.wait()
            except TimeoutError:
                pass

    async def cancel(self, id: str) -> None:
        """Make now the deadline of a task: what is open is cancelled, the answers to that are waited for.

        Returns when that is on disk, not when the task has ended. Raises TaskNotFound; InvalidState for one that has
        ended.
        """
        task = self._under_way.get(id)
        if task is None:
            row = await self._reader.task(id)
            if row is None:
                raise _no_such_task(id)
            raise InvalidState(f"the task {row.id} has ended", hint=f"see: caxton task show {row.id}")
        order = task.ledger.order
        if not order.cancelled:
            deadline_us = min(order.deadline_us, self._clock.now_us() - 1)
            task.ledger.order = msgspec.structs.replace(order, deadline_us=deadline_us, cancelled=True)
            self._save(task)
            self._tell(id, order, {"what": "cancelled"})
            if task.inbox is not None:
                task.inbox.wake()
        await self._everything_committed()

    def live(self, id: str) -> TaskView | None:
        """One task as it stands now; None where it is not under way."""
        task = self._under_way.get(id)
        return view_of(task.ledger, self._summary(task)) if task is not None else None

    async def view(self, id: str) -> TaskView:
        """One task, under way or ended.

        Raises TaskNotFound.
        """
        live = self.live(id)
        if live is not None:
            await self._everything_committed()
            return live
        row = await self._reader.task(id)
        if row is None:
            raise _no_such_task(id)
        order = _order_of(row)
        ledger = self._ledger(order, row.id)
        if ledger is None:
            raise TaskNotFound(
                f"the protocol {order.protocol} of {row.id} is not known here any more",
                hint=f"see: caxton conv show {row.id}",
            )
        ledger.stops = await self._stops(row.id)
        replayed(order, ledger, [message for _, message in await self._messages(row.id, row.upto)])
        ledger.pass_time(row.updated_us)
        return view_of(ledger, _summary_of(row, order))

    async def summaries(self, *, before: int | None, limit: int) -> tuple[list[TaskSummary], int | None]:
        """Tasks, the newest first, and where the next page begins."""
        rows = await self._reader.tasks(before_seq=before, limit=limit)
        found = [
            self._summary(task) if (task := self._under_way.get(row.id)) else _summary_of(row, _order_of(row))
            for row in rows
        ]
        return found, rows[-1].seq if len(rows) == limit else None

    async def resume(self) -> None:
        """After a start of the daemon: go on with the tasks that its last end interrupted."""
        for row in await self._reader.tasks(under_way=True, limit=UNDER_WAY_MAX):
            order = _order_of(row)
            ledger = self._ledger(order, row.id)
            if ledger is None:
                log.error("a task's protocol is not known any more", id=row.id, protocol=order.protocol)
                continue
            log.info("a task goes on", id=row.id, protocol=order.protocol)
            self._start(_UnderWay(row.id, row.seq, ledger, row.created_us), again=True)

    def went_on(self, id: str, stop: Stop) -> None:
        """The clock of a conversation stood still and goes again."""
        task = self._under_way.get(id)
        if task is not None:
            task.stops.append(stop)
            for insider in self._bus.clients.insiders.get(id, ()):
                insider.wake()

    async def close(self) -> None:
        """Stop every task where it is; the next start goes on with it."""
        self._closing = True
        workers = [task.worker for task in self._under_way.values() if task.worker is not None]
        for worker in workers:
            worker.cancel()
        if workers:
            await asyncio.wait(workers)

    # ------------------------------------------------------------------ one task

    def _check_content(self, order: Order) -> None:
        """What the bus would refuse is refused before there is a task."""
        size = len(bytes(order.content)) + ENVELOPE_BYTES
        if size > self._limits.message_bytes:
            raise MessageTooLarge(
                f"the content has {size - ENVELOPE_BYTES} bytes, the limit of a message is"
                f" {self._limits.message_bytes}",
                hint="raise limits.message_bytes in caxton.toml, or send a reference",
            )
        first = {"performative": order.act, "receiver": order.participants, "content": order.content}
        others = {"language": order.language, "ontology": order.ontology}
        read_draft(msgspec.json.encode({**first, **others}))

    def _start(self, task: _UnderWay, *, again: bool) -> None:
        self._under_way[task.id] = task
        task.worker = self._spawn(self._run(task, again))

    async def _run(self, task: _UnderWay, again: bool) -> None:
        """From the first word to the last."""
        ending: tuple[Ending, str | None] | None = None
        try:
            with self._bus.clients.expect_inside(task.id) as inbox:
                task.inbox = inbox
                if again:
                    await self._catch_up(task)
                while not await self._step(task, inbox):
                    pass
            ending = ending_of(task.ledger)
        except CaxtonError as error:
            log.error("a task failed", id=task.id, reason=error.message)
            ending = Ending.FAILED, error.message
        except Exception:
            # one task must not end the daemon, and the next one as soon as it is taken up again
            log.exception("a task met a defect", id=task.id)
            ending = Ending.FAILED, "the task met a defect: the daemon's log has it"
        finally:
            try:
                if ending is not None:
                    await self._end(task, *ending)
            finally:
                del self._under_way[task.id]
                task.began.set()
                task.done.set()

    async def _catch_up(self, task: _UnderWay) -> None:
        """Hear again what was said before the daemon's end, and since its start."""
        await self._everything_committed()
        rows = await self._messages(task.id, 0)
        initiator = task.ledger.order.initiator
        # what it has said and is held has been said all the same
        mine = [
            message
            for held in await self._reader.held_now()
            if held.conversation_id == task.id and (message := read_message(held.body)).sender == initiator
        ]
        task.stops = [stop for stop in await self._stops(task.id) if stop[1] < NEVER]
        self._stand(task)
        replayed(task.ledger.order, task.ledger, [*(message for _, message in rows), *mine])
        task.heard_upto = rows[-1][0] if rows else 0

    def _stand(self, task: _UnderWay) -> None:
        since_us = self._bus.referee_service.standing.get(task.id)
        task.ledger.stops = task.stops if since_us is None else [*task.stops, (since_us, NEVER)]

    async def _step(self, task: _UnderWay, inbox: Waiter) -> bool:
        """Hear, let time pass, speak; True when there is nothing left to do."""
        ledger = task.ledger
        self._stand(task)
        self._hear(task, inbox)
        now_us = self._clock.now_us()
        ledger.pass_time(now_us)
        order = ledger.order
        words = next_messages(ledger, now_us, rejects_late=not self._platform_rejects_late(order.protocol))
        if words:
            # one at a time: the answer to the first, as a failure at once, may change what is to be said next
            self._say(task, words[0])
            if ledger.broken is not None:
                raise CaxtonError(f"the task itself broke its protocol: {ledger.broken}")
            # there may be hundreds of words to say, and others wait
            await asyncio.sleep(0)
            return False
        task.began.set()
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

    def _hear(self, task: _UnderWay, inbox: Waiter) -> None:
        while (body := inbox.take()) is not None:
            if body.seq > task.heard_upto:
                task.heard_upto = body.seq
                message = read_message(body.body)
                initiator = task.ledger.order.initiator
                if message.sender != initiator and initiator in message.receiver:
                    task.ledger.hear(message)

    def _say(self, task: _UnderWay, words: OutgoingMessage) -> None:
        order = task.ledger.order
        said: dict[str, object] = {
            "performative": words.act,
            "receiver": list(words.receivers),
            "conversation_id": task.id,
            "protocol": order.protocol,
            "reply_with": f"{task.id}-{task.ledger.words + 1}",
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
        task.ledger.hear(
            Message(
                admitted.id,
                words.act,
                order.initiator,
                list(words.receivers),
                task.id,
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

    async def _end(self, task: _UnderWay, ending: Ending, reason: str | None) -> None:
        state, outcome = state_of(task.ledger)
        order = task.ledger.order
        self._tell(
            task.id,
            order,
            {"what": "ended", "state": state, "outcome": outcome, "ending": ending, "reason": reason},
        )
        self._save(task, ending, reason, upto=self._bus.last_seq)
        await self._everything_committed()

    def _save(
        self, task: _UnderWay, ending: Ending | None = None, reason: str | None = None, *, upto: int = 0
    ) -> None:
        state, outcome = state_of(task.ledger)
        order = task.ledger.order
        self._journal.batch.records.append(
            TaskRow(
                task.seq,
                task.id,
                order.protocol,
                state,
                outcome,
                ending.value if ending is not None else None,
                reason,
                msgspec.json.encode(order).decode(),
                task.created_us,
                self._clock.now_us(),
                upto,
            )
        )

    def _tell(self, id: str, order: Order, body: dict[str, object]) -> None:
        """An event for viewers."""
        self._bus.event("task", conversation=id, body={"id": id, "protocol": order.protocol, **body})

    async def _everything_committed(self) -> None:
        self._bus.settle()
        await self._journal.committed_upto(self._bus.last_seq)

    def _platform_rejects_late(self, protocol: str) -> bool:
        """Whether the `ams` answers late proposals of that protocol by itself."""
        return self._bus.referee_mode(protocol) == "enforce"

    # ------------------------------------------------------------------ what is read

    def _ledger(self, order: Order, id: str) -> Ledger | None:
        """A fresh one; None where the protocol is not there any more."""
        known = order.protocol in self._library.protocols
        return Ledger(order, self._library, id) if known else None

    async def _stops(self, conversation: str) -> list[Stop]:
        """When that conversation's clock stood still."""
        return joined((await self._reader.stops(conversation=conversation)).get(conversation, []))

    async def _messages(self, conversation: str, upto: int) -> list[tuple[int, Message]]:
        """Everything that was said in a task's conversation, up to that number (0: everything)."""
        found: list[tuple[int, Message]] = []
        after = 0
        while True:
            rows = await self._reader.messages(
                conversation=conversation,
                after_seq=after,
                before_seq=upto + 1 if upto else None,
                limit=_PAGE,
            )
            found += [(row.seq, read_message(row.body)) for row in rows]
            if len(rows) < _PAGE:
                return found
            after = rows[-1].seq

    def _summary(self, task: _UnderWay) -> TaskSummary:
        state, outcome = state_of(task.ledger)
        order = task.ledger.order
        return TaskSummary(
            id=task.id,
            conversation_id=task.id,
            protocol=order.protocol,
            initiator=order.initiator,
            participants=list(order.participants),
            state=state,
            outcome=outcome,
            ending=None,
            reason=None,
            created_us=task.created_us,
            ended_us=None,
        )


def _no_such_task(id: str) -> TaskNotFound:
    return TaskNotFound(f"there is no task {id[:80]!r}", hint="see: caxton task list")


def _order_of(row: TaskRow) -> Order:
    return msgspec.json.decode(row.wanted, type=Order)


def _summary_of(row: TaskRow, order: Order) -> TaskSummary:
    return TaskSummary(
        id=row.id,
        conversation_id=row.id,
        protocol=order.protocol,
        initiator=order.initiator,
        participants=list(order.participants),
        state=row.state,
        outcome=row.outcome,
        ending=Ending(row.ending) if row.ending is not None else None,
        reason=row.reason,
        created_us=row.created_us,
        ended_us=row.updated_us if row.upto else None,
    )
