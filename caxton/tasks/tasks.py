"""Every task of this daemon: begun, carried on after a restart, looked at.

In: wishes of clients. Out: views. A task is a coroutine of its own that ends by itself (`run`); only what is told to a
client waits for the commit. Its order and how it ended are a row of the journal, everything else is in the messages of
its conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec
import structlog

from caxton import exact_numbers
from caxton.acl import read_draft
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.errors import CaxtonError, InvalidState, MessageTooLarge, ResourceError, TaskNotFound
from caxton.journal import Reader, TaskRow
from caxton.limits import Limits
from caxton.protocols import Library
from caxton.protocols.clock_pause import Stop
from caxton.tasks.ledger import Ledger
from caxton.tasks.order import Order, TaskRequest, read_task_request
from caxton.tasks.run import TaskRun, everything_committed, messages_of, stops_of
from caxton.tasks.view import Ending, TaskSummary, TaskView, ending_of, replayed, state_of, view_of

UNDER_WAY_MAX: Final = 256
ENVELOPE_BYTES: Final = 2048
"""What a message has beside its content, at the most."""
_PAGE: Final = 1000
_LONGEST_SLEEP_S: Final = 3600.0

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

log = structlog.get_logger("caxton.tasks")


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
        self._under_way: dict[str, TaskRun] = {}
        self._last_us = 0
        self._closing = False

    @property
    def under_way(self) -> int:
        """How many have not ended."""
        return len(self._under_way)

    async def begin(self, wish: TaskRequest, *, client_key: str | None = None) -> str:
        """Begin a task; returns its id when its first words are said and on disk. `client_key` is the request's
        idempotency key, which the journal keeps with it.

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
        id = task_id(now_us)
        self._tell(id, order, {"what": "begun"})
        task = self._made(id, self._bus.last_seq, Ledger(order, self._library, id), now_us)
        self._save(task)
        if client_key is not None:
            self._journal.batch.client_key(client_key, task.seq, now_us)
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
        if task.cancel():
            self._save(task)
            self._tell(id, task.ledger.order, {"what": "cancelled"})
        await everything_committed(self._bus)

    def live(self, id: str) -> TaskView | None:
        """One task as it stands now; None where it is not under way."""
        task = self._under_way.get(id)
        return view_of(task.ledger, task.summary()) if task is not None else None

    async def view(self, id: str) -> TaskView:
        """One task, under way or ended.

        Raises TaskNotFound.
        """
        live = self.live(id)
        if live is not None:
            await everything_committed(self._bus)
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
        ledger.stood(await stops_of(self._reader, row.id))
        replayed(order, ledger, [message for _, message in await messages_of(self._reader, row.id, row.upto)])
        ledger.pass_time(row.updated_us)
        return view_of(ledger, _summary_of(row, order))

    async def summaries(self, *, before: int | None, limit: int) -> tuple[list[TaskSummary], int | None]:
        """Tasks, the newest first, and where the next page begins."""
        rows = await self._reader.tasks(before_seq=before, limit=limit)
        found = [
            task.summary() if (task := self._under_way.get(row.id)) else _summary_of(row, _order_of(row))
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
            self._start(self._made(row.id, row.seq, ledger, row.created_us), again=True)

    def went_on(self, id: str, stop: Stop) -> None:
        """The clock of a conversation stood still and goes again."""
        task = self._under_way.get(id)
        if task is not None:
            task.went_on(stop)

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

    def _made(self, id: str, seq: int, ledger: Ledger, created_us: int) -> TaskRun:
        return TaskRun(self._bus, self._clock, id, seq, ledger, created_us)

    def _start(self, task: TaskRun, *, again: bool) -> None:
        self._under_way[task.id] = task
        task.works_in(self._spawn(self._run(task, again)))

    async def _run(self, task: TaskRun, again: bool) -> None:
        """From the first word to the last."""
        ending: tuple[Ending, str | None] | None = None
        try:
            await task.run(again=again)
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
                task.ended()

    async def _end(self, task: TaskRun, ending: Ending, reason: str | None) -> None:
        state, outcome = state_of(task.ledger)
        order = task.ledger.order
        self._tell(
            task.id,
            order,
            {"what": "ended", "state": state, "outcome": outcome, "ending": ending, "reason": reason},
        )
        self._save(task, ending, reason, upto=self._bus.last_seq)
        await everything_committed(self._bus)

    def _save(
        self, task: TaskRun, ending: Ending | None = None, reason: str | None = None, *, upto: int = 0
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
                exact_numbers.encode(order).decode(),
                task.created_us,
                self._clock.now_us(),
                upto,
            )
        )

    def _tell(self, id: str, order: Order, body: dict[str, object]) -> None:
        """An event for viewers."""
        self._bus.event("task", conversation=id, body={"id": id, "protocol": order.protocol, **body})

    # ------------------------------------------------------------------ what is read

    def _ledger(self, order: Order, id: str) -> Ledger | None:
        """A fresh one; None where the protocol is not there any more."""
        known = order.protocol in self._library.protocols
        return Ledger(order, self._library, id) if known else None


def task_id(begun_us: int) -> str:
    """The id of the task that began then; no two begin at the same time."""
    return f"t-{begun_us:x}"


def _no_such_task(id: str) -> TaskNotFound:
    return TaskNotFound(f"there is no task {id[:80]!r}", hint="see: caxton task list")


_read_order = exact_numbers.decoder(Order).decode


def _order_of(row: TaskRow) -> Order:
    return _read_order(row.wanted)


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
