"""The one task that talks to the daemon: its event stream, and its meters twice a second, into the store.

In: the project's socket. Out: a store that follows the daemon. A daemon that goes away is tried again, after a pause
that grows, for as long as the app runs; the log goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from caxton.client import AsyncClient, Remote
from caxton.clock import Clock
from caxton.errors import CaxtonError, TimedOut, Unreachable
from caxton.finding import Filter
from caxton.schemas.approvals import ApprovalBody
from caxton.schemas.daemon import UsageBody
from caxton.schemas.deployments import DeploymentBody
from caxton.schemas.held import APPROVAL, HeldBody
from caxton.schemas.messages import MessageBody, TurnRow
from caxton_tui.model.connection import Connection, Link
from caxton_tui.model.open_views import FINAL, Needs, OpenAgent, OpenConversation
from caxton_tui.model.store import Store

T = TypeVar("T")

LOOK_S: Final = 0.5
AGENTS_S: Final = 2.0
"""Seconds between two looks at the agents while no screen shows them: a thousand are half a megabyte."""
SHARE: Final = 10
"""A look may take one part in this many of the time; with thousands of agents looks are rarer."""
PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0, 5.0)
"""Before a lost daemon is tried again; the last one for ever."""
LISTED: Final = 200
"""Conversations and deployments that a list shows."""
DOUBT_S: Final = 5.0
"""Seconds between two looks at deployments that no screen shows, while rows are left out: one may wait."""
SAMPLED: Final = 500
"""Turns that percentiles are made of."""
PAGE: Final = 1000
SEARCHED: Final = 1000
"""Conversations that are asked for at once while all are looked through."""
BACK: Final = 500
"""Rows from before the app was attached that the log begins with."""


class Reader:
    """Follows one daemon; `run` never returns by itself."""

    def __init__(
        self,
        socket: Path | Remote,
        store: Store,
        clock: Clock,
        pauses_s: Sequence[float] = PAUSES_S,
        starting_s: float = 0.0,
    ) -> None:
        """`starting_s`: how long a daemon that never answered yet is starting, and not lost."""
        self._socket = socket
        self._store = store
        self._clock = clock
        self._pauses_s = pauses_s
        self._starts_until = clock.monotonic() + starting_s
        self._hurry = asyncio.Event()
        self._turned = asyncio.Event()
        self._sought = asyncio.Event()
        self._needs = Needs()
        self._client: AsyncClient | None = None
        self._deployments_at = float("-inf")
        self._agents_at = float("-inf")

    async def run(self) -> None:
        """Follow the daemon until cancelled."""
        failed, pause = 0, 0.0
        while True:
            try:
                await self._follow()
            except* CaxtonError as group:
                error = _first(group)
                if self._store.live:
                    failed = 0
                pause = self._pauses_s[min(failed, len(self._pauses_s) - 1)]
                failed += 1
                now = self._clock.monotonic()
                before = self._store.connection
                if before.link is Link.CONNECTING and now < self._starts_until:
                    failed, pause = 0, self._pauses_s[0]
                else:
                    since = before.since if before.link is Link.LOST else now
                    # that nobody answers is what lost means; anything else is worth saying
                    why = "" if isinstance(error, Unreachable) else error.message
                    self._store.connected(Connection(Link.LOST, since, now + pause, why))
            await self._pause(pause)

    def hurry(self) -> None:
        """Do at once what would be done after a pause: the next look, or the next try."""
        self._hurry.set()
        self._turned.set()

    def search(self, wanted: Filter | None) -> None:
        """Look all conversations through for that; None: for nothing."""
        self._store.look_for(wanted)
        self._sought.set()

    def show(self, needs: Needs) -> None:
        """Ask for these from now on; something new at once."""
        if needs != self._needs:
            if needs.search is not self._needs.search:
                self.search(needs.search)
            if self._client is not None and needs.agents and not self._needs.agents:
                self._hurry.set()
            self._needs = needs
            self._turned.set()

    async def ask(self, what: Callable[[AsyncClient], Awaitable[T]]) -> T:
        """Let the daemon do or say something; raises what it refuses with, Unreachable where it is away."""
        if self._client is None:
            raise Unreachable("the daemon is away", hint="nothing was done; try again when it is back")
        return await what(self._client)

    async def message(self, seq: int) -> MessageBody | None:
        """One message with its turns and dead letters; None where the daemon cannot be asked now."""
        if self._client is None:
            return None
        try:
            return await self._client.message(str(seq))
        except CaxtonError:
            return None

    async def _follow(self) -> None:
        """Read on until the daemon goes away; raises a group with Unreachable, TimedOut or what it refused with."""
        async with AsyncClient(self._socket) as client, asyncio.TaskGroup() as group:
            await self._look(client, whole=True)
            self._begin()
            self._client = client
            try:
                self._store.connected(Connection(Link.LIVE, self._clock.monotonic()))
                meters = group.create_task(self._meters(client), name="meters")
                wanted = group.create_task(self._wanted(client), name="wanted")
                search = group.create_task(self._search(client), name="search")
                await self._listen(client)
                for task in (meters, wanted, search):
                    task.cancel()
            finally:
                self._client = None

    def _begin(self) -> None:
        """The log goes on where it was, unless the journal is another one."""
        store = self._store
        assert store.status is not None
        if store.last_seq is not None and store.last_seq > int(store.status.journal.committed_seq):
            store.forget()

    async def _listen(self, client: AsyncClient) -> None:
        store = self._store
        # older rows than the log has room for would only keep the newest from coming
        back = BACK if store.last_seq is None else store.entries.room
        async for event in client.events(after=store.last_seq, back=back, patience_s=0.0):
            store.heard(event)

    async def _meters(self, client: AsyncClient) -> None:
        hurried = True
        while True:
            began = self._clock.monotonic()
            due = began - self._agents_at >= AGENTS_S or self._store.agents_due
            await self._look(client, whole=hurried or due or self._needs.agents)
            took = self._clock.monotonic() - began
            hurried = await self._pause(max(LOOK_S, took * SHARE))

    async def _look(self, client: AsyncClient, *, whole: bool) -> None:
        """Look at the status; `whole`: at every agent, too."""
        status = await client.status()
        agents = None
        if whole:
            self._store.asks_for_agents()
            agents = await client.agents()
            self._agents_at = self._clock.monotonic()
        self._store.looked(self._clock.monotonic(), status, agents)

    async def _wanted(self, client: AsyncClient) -> None:
        """What the screen shows beyond agents and rows, look after look."""
        while True:
            began = self._clock.monotonic()
            self._turned.clear()
            await self._ask_for(client, self._needs)
            took = self._clock.monotonic() - began
            await self._pause(max(LOOK_S, took * SHARE), self._turned)

    async def _search(self, client: AsyncClient) -> None:
        """Look all conversations through, page after page, as often as something else is looked for."""
        while True:
            self._sought.clear()
            search = self._store.search
            if search is None or search.done:
                await self._sought.wait()
            else:
                page = await client.conversation_page(before=search.before, limit=SEARCHED)
                self._store.searched(search, page)

    async def _ask_for(self, client: AsyncClient, needs: Needs) -> None:
        store = self._store
        if needs.conversations:
            store.asked(conversations=await client.conversations(limit=LISTED))
        now = self._clock.monotonic()
        doubted = store.deployments_doubted and now - self._deployments_at >= DOUBT_S
        if needs.deployments or store.deployments_due or doubted:
            store.asks_for_deployments()
            self._deployments_at = now
            store.asked(deployments=await client.deployments(limit=LISTED))
        if needs.deployment is not None:
            store.asked(deployment=await _deployment(client, needs.deployment, store.deployment))
        if needs.turns or needs.turns_of is not None:
            store.asked(turns=await _turns(client, needs.turns_of))
        if needs.conversation is not None:
            await self._read(client, store.open(needs.conversation))
        status = store.status
        held, waiting = (status.held, status.approvals.waiting) if status is not None else (None, 0)
        if (held and (held.messages or held.break_points)) or waiting or store.held or store.breaks:
            waits = map(_waiting, await client.approvals(limit=LISTED) if waiting else ())
            everything = sorted([*await client.held(limit=LISTED), *waits], key=lambda one: one.seq)
            store.asked(held=everything, breaks=await client.breaks())
        if needs.agent is not None:
            store.asked(agent=await _agent(client, needs.agent))

    async def _read(self, client: AsyncClient, conversation: OpenConversation) -> None:
        try:
            if conversation.head is None:
                detail = await client.conversation(conversation.id, limit=PAGE)
                if detail.messages > PAGE:
                    # of a long one the end is what people want to see
                    tail = await client.messages(conversation=conversation.id, limit=PAGE, newest=True)
                    detail = await client.conversation(conversation.id, after=tail[-1].seq - 1, limit=PAGE)
            else:
                detail = await client.conversation(conversation.id, after=conversation.after, limit=PAGE)
        except (Unreachable, TimedOut):
            raise
        except CaxtonError as error:
            self._store.unreadable(conversation, error.message)
        else:
            self._store.read(conversation, detail)

    async def _pause(self, seconds: float, hurry: asyncio.Event | None = None) -> bool:
        """Wait for that long; True where the wait was cut short."""
        hurry = hurry or self._hurry
        rung = False

        def ring() -> None:
            nonlocal rung
            rung = True
            hurry.set()

        alarm = self._clock.later(seconds, ring)
        try:
            await hurry.wait()
        finally:
            alarm.cancel()
        hurry.clear()
        return not rung


def _waiting(one: ApprovalBody) -> HeldBody:
    """What waits for a yes, as what is held is shown."""
    return HeldBody(
        seq=one.seq,
        at=one.at,
        state=one.state,
        break_id=f"{APPROVAL}{one.approval}",
        behind=one.behind,
        due_at=None,
        edited=one.edited,
        cause=one.cause,
        message=one.message,
    )


async def _turns(client: AsyncClient, agent: str | None) -> tuple[TurnRow, ...]:
    """The newest turns; none of an agent that is gone."""
    try:
        return tuple(await client.turns(agent=agent, limit=SAMPLED))
    except (Unreachable, TimedOut):
        raise
    except CaxtonError:
        return ()


async def _deployment(client: AsyncClient, id: str, known: DeploymentBody | None) -> DeploymentBody | None:
    """One deployment whole; one that has ended is asked for once. None: nothing new."""
    if known is not None and known.id == id and known.state in FINAL:
        return None
    try:
        return await client.deployment(id)
    except (Unreachable, TimedOut):
        raise
    except CaxtonError:
        return None


async def _agent(client: AsyncClient, name: str) -> OpenAgent:
    """What there is to know about one agent."""
    try:
        return OpenAgent(
            name,
            logs=tuple(await client.agent_logs(name, limit=LISTED, newest=True)),
            deployments=tuple(await client.deployments(agent=name, limit=LISTED)),
            conversations=tuple(await client.conversations(agent=name, limit=50)),
            messages=tuple(await client.messages(agent=name, limit=50, newest=True)),
            usage=await _usage(client, name),
        )
    except (Unreachable, TimedOut):
        raise
    except CaxtonError as error:
        return OpenAgent(name, error=error.message)


async def _usage(client: AsyncClient, name: str) -> UsageBody | None:
    """What an agent has spent on models; None where it spent nothing, or who looks on may not know."""
    try:
        return next((one for one in await client.usage("agent") if one.name == name.partition("@")[0]), None)
    except (Unreachable, TimedOut):
        raise
    except CaxtonError:
        return None


def _first(group: ExceptionGroup[CaxtonError]) -> CaxtonError:
    """The first error of a group, however deep."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
