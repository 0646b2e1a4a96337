"""The supervisor: brings agents to cells, and takes them away.

In: what people want (start, stop, restart, suspend, remove), and the daemon's start and end. Out: agents that run and
remember (`recovery`), or that failed with a reason. An agent's mailbox stays while its instance changes.
What goes wrong is `repair`'s, what changes an agent's revision `caxton.deploy`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from caxton.agents.events import AgentEvents
from caxton.agents.instances import Instances
from caxton.agents.life import Draining, Failed, Loaded, Running, Suspended, Unloaded, state_name
from caxton.agents.life_messages import ENDING_S, LifeMessages
from caxton.agents.record import (
    RUNNING,
    STOPPED,
    SUSPENDED,
    UNBUILT,
    AgentConfig,
    AgentRecord,
    RecoveryProgress,
)
from caxton.agents.recovery import Recovery
from caxton.agents.registry import REMOVED, Registry
from caxton.agents.repair import Repair
from caxton.agents.views import AgentView, view_of
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.errors import InvalidState

log = structlog.get_logger("caxton.agents")


class Supervisor:
    """Every agent of the daemon."""

    def __init__(
        self,
        *,
        bus: Bus,
        registry: Registry,
        instances: Instances,
        recovery: Recovery,
        repair: Repair,
        lives: LifeMessages,
        events: AgentEvents,
        clock: Clock,
    ) -> None:
        self.registry = registry
        self.instances = instances
        self.recovery = recovery
        self.repair = repair
        self.lives = lives
        self.events = events
        self._bus = bus
        self._clock = clock
        self._told_of_removal: list[Callable[[str], None]] = []
        self._closing = False

    def when_removed(self, *tell: Callable[[str], None]) -> None:
        """Tell them the full name of an agent that is gone for good, in the burst that writes it down."""
        self._told_of_removal += tell

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside everything else; a defect in it goes to the log and no further."""
        self.repair.spawn(work)

    # ------------------------------------------------------------------ views

    def views(self, after: str = "", limit: int | None = None) -> list[AgentView]:
        """Agents whose names come after that one, by name; every one where nothing is said."""
        names = sorted(name for name in self.registry.agents if name > after)
        return [self.view(name) for name in names[:limit]]

    def view(self, name: str) -> AgentView:
        """One agent; raises AgentNotFound."""
        return view_of(self.registry.find(name))

    def states(self) -> list[tuple[str, str]]:
        """Full name and state of every agent, for the ams."""
        return [(record.endpoint.name, state_name(record.life)) for record in self.registry.agents.values()]

    def state(self, name: str) -> str | None:
        """The state of the agent of that full name, for the ams; None where there is none."""
        endpoint = self._bus.endpoints.get(name)
        record = None if endpoint is None else self.registry.by_endpoint.get(endpoint)
        return None if record is None else state_name(record.life)

    # ------------------------------------------------------------------ what people want

    async def start(self, name: str) -> AgentView:
        """Start an agent that is stopped or failed."""
        record = self.registry.find(name)
        if isinstance(record.life, Running) or record.recovery is not None:
            return view_of(record)
        if record.revision is None:
            if record.state == UNBUILT:
                raise InvalidState(
                    f"{record.name} is not built yet, and starts when it is",
                    hint="what is sent to it waits; how its build goes stands where caxton dev runs",
                )
            why = record.life.reason if isinstance(record.life, Failed) else "it was never deployed"
            raise InvalidState(
                f"{record.name} has no build that works: {why}",
                hint=f"correct it, then: caxton agent deploy {record.name} FILE",
            )
        if isinstance(record.life, Suspended):
            raise InvalidState(
                f"{record.name} is suspended", hint=f"let it go on: caxton agent resume {record.name}"
            )
        record.claim("started")
        try:
            self.repair.forget(record)
            record.reset()
            record.want(RUNNING)
            way = await self.recovery.bring(record, self.recovery.place())
            self.lives.restarted(record, way.remembered)
            # only now: to a start that fails, messages would come and wait for nobody
            record.endpoint.accept()
            self.events.changed(record, "started", **way.remembered)
        finally:
            record.release()
        return view_of(record)

    async def stop(self, name: str, drain: bool = True, *, for_good: bool = True) -> AgentView:
        """Stop an agent: with `drain` it handles what waits first, else that becomes dead letters.

        `for_good`: whoever waits for it in a conversation is told that it is gone.
        """
        record = self.registry.find(name)
        if isinstance(record.life, Suspended) and drain:
            raise InvalidState(
                f"{record.name} is suspended, so it cannot handle what waits before it is stopped",
                hint=f"first caxton agent resume {record.name}; or stop it at once: "
                f"caxton agent stop {record.name} --now",
            )
        if record.recovery is not None and not record.is_hosted:
            self._end_recovery(record)
            return view_of(record)
        if not record.is_hosted:
            if isinstance(record.life, Failed):
                self.repair.forget(record)
                record.reset()
                record.want(STOPPED)
                self.events.changed(record, "stopped")
            return view_of(record)
        record.claim("stopped")
        try:
            await self._halt(record, "stopped" if for_good else "restarted", drain=drain)
            if for_good:
                self._bus.agent_gone(record.endpoint.name, f"{record.name} was stopped")
            self.events.changed(record, "stopped", **({} if for_good else {"reason": "restarted"}))
        finally:
            record.release()
        return view_of(record)

    async def restart(self, name: str) -> AgentView:
        """Stop an agent after what waits, and start it again from the state it had."""
        await self.stop(name, for_good=False)
        return await self.start(name)

    async def suspend(self, name: str, why: str | None = None) -> AgentView:
        """Let an agent take no turn until `resume`; what comes waits in its mailbox, which stays bounded. `why` is for
        the event.

        Returns when the turns that its cell had already are over. It stays suspended over a restart of the daemon.
        Raises InvalidState for an agent that does not run.
        """
        record = self.registry.find(name)
        if isinstance(record.life, Suspended):
            return view_of(record)
        starts = isinstance(record.life, Loaded) and record.config.desired == RUNNING
        if not starts and not isinstance(record.life, Running):
            raise InvalidState(
                f"{record.name} is {state_name(record.life)}; only an agent that runs can be suspended",
                hint=f"start it: caxton agent start {record.name}",
            )
        async with self.resting(record, "suspended"):
            record.suspend()
            self.events.changed(record, "suspended", **({"reason": why} if why else {}))
        return view_of(record)

    @asynccontextmanager
    async def resting(self, record: AgentRecord, to_be: str) -> AsyncGenerator[None]:
        """Keep an agent between two turns as long as this lasts, and after it where it is suspended then.

        Raises InvalidState where something else is changing it, or where it breaks down meanwhile.
        """
        record.claim(to_be)
        endpoint = record.endpoint
        try:
            endpoint.suspend()
            await endpoint.idle()
            async with record.changing:
                if isinstance(record.life, Failed | Unloaded):
                    raise InvalidState(
                        f"{record.name} broke down before it was {to_be}", hint="see: caxton agent show"
                    )
                yield
        finally:
            record.release()
            if record.config.desired != SUSPENDED:
                endpoint.resume()
                if isinstance(record.life, Running) and endpoint.port is not None:
                    self._bus.open(endpoint)

    async def resume(self, name: str) -> AgentView:
        """Let a suspended agent go on, with what waited first; InvalidState for one that is not suspended."""
        record = self.registry.find(name)
        if isinstance(record.life, Running):
            return view_of(record)
        if record.config.desired != SUSPENDED:
            raise InvalidState(
                f"{record.name} is {state_name(record.life)}, not suspended",
                hint=f"start it: caxton agent start {record.name}",
            )
        record.claim("resumed")
        try:
            async with record.changing:
                record.resume()
                self.lives.resumed(record)
                self.events.changed(record, "resumed")
                if record.endpoint.port is not None and isinstance(record.life, Running):
                    self._bus.open(record.endpoint)
        finally:
            record.release()
        return view_of(record)

    async def remove(self, name: str) -> None:
        """Stop an agent at once and forget it; what the journal has of it stays."""
        record = self.registry.find(name)
        record.claim("removed")
        try:
            self.recovery.abandon(record)
            if record.is_hosted:
                await self._halt(record, "removed", drain=False)
            record.leave_cell()
            self.repair.discard_waiting(record, "agent_removed", f"{record.name} was removed")
            self._bus.endpoints.pop(record.endpoint.name, None)
            self._bus.agent_gone(record.endpoint.name, f"{record.name} was removed")
            self.repair.forget(record)
            record.unload()
            self.registry.save(record, self._clock.now_us(), state=REMOVED)
            for tell in self._told_of_removal:
                tell(record.endpoint.name)
            self.registry.drop(record)
            self.events.tell(record, "removed")
        finally:
            record.release()

    def expect(self, name: str, config: AgentConfig, *, unbuilt: bool = False) -> None:
        """An agent of caxton.toml is on its way: what is said to it waits for it. `unbuilt`: its module is still to be
        made, by somebody who then deploys it.

        Raises ConfigurationError for a name that it cannot have.
        """
        record = self.registry.add(name, config, self._clock.now_us())
        record.awaits_build(waits=unbuilt)
        self._bus.endpoints[record.endpoint.name] = record.endpoint

    def did_not_start(
        self,
        name: str,
        config: AgentConfig,
        reason: str,
        again: Callable[[], Coroutine[Any, Any, None]] | None,
    ) -> None:
        """An agent of caxton.toml has no build that works: it is there all the same, and has failed for that reason.

        One that has a build goes on with it. `again` brings it its build later, where that is no fault of the build.
        """
        record = self.registry.agents.get(name)
        if record is None:
            self.expect(name, config)
            record = self.registry.agents[name]
        if record.revision is None:
            record.reset()
            self.repair.fail(record, reason, again)

    def attach(self) -> None:
        """After a start of the daemon: give every known agent its mailbox on the bus."""
        for record in self.registry.agents.values():
            self._bus.endpoints[record.endpoint.name] = record.endpoint
            if record.config.desired == SUSPENDED:
                record.endpoint.suspend()
            if record.config.desired == STOPPED:
                record.endpoint.refuse("agent_stopped", f"{record.name} is stopped")
            else:
                # from now on: a deployment that is asked for before its cell is ready is not to start it, too
                record.recovers(RecoveryProgress())

    async def revive(self) -> None:
        """After a start of the daemon: bring back every agent that is wanted running, or suspended."""
        wanted = [one for one in self.registry.agents.values() if one.config.desired != STOPPED]
        for record in wanted:
            record.place(self.instances.place())
        # one that died already has its agents brought up by its return
        ways = [
            self.recovery.way(one, one.cell, why="daemon")
            for one in wanted
            if one.cell and one.cell.link is not None
        ]
        await self.recovery.bring_all(ways, self.repair.revived)

    async def close(self, drain_s: float = 5.0) -> None:
        """The daemon stops: let turns end, keep every state that can be kept, shut the guests down.

        What still waits stays in the journal and is delivered at the next start.
        """
        self._closing = True
        self.repair.close()
        running = [one for one in self.registry.agents.values() if one.is_hosted]
        for record in running:
            record.endpoint.shut()
        try:
            async with asyncio.timeout(drain_s):
                await asyncio.gather(*(self._rest(record) for record in running))
        except TimeoutError:
            log.warning("some agents did not end their turn in time", within_s=drain_s)

    # ------------------------------------------------------------------ steps

    async def _halt(self, record: AgentRecord, why: str, *, drain: bool) -> None:
        """Take a running agent out of its cell; it is told why, if it asked."""
        endpoint = record.endpoint
        endpoint.refuse("agent_stopped", f"{record.name} is stopped")
        record.want(STOPPED)
        if drain and isinstance(record.life, Running):
            record.drain()
            self.events.tell(record, "draining")
            await endpoint.empty()
        endpoint.shut()
        self.repair.discard_waiting(record, "agent_stopped", f"{record.name} was stopped")
        await endpoint.idle()
        # an instance or a cell that was lost meanwhile has given back what it had
        self.repair.discard_waiting(record, "agent_stopped", f"{record.name} was stopped")
        # a daemon that stops has shut every agent, and opens none again
        lives = isinstance(record.life, Running | Draining) and not self._closing
        if lives and self.lives.ending(record, why):
            await self._last_turn(record)
        await self.instances.keep_and_stop(record)
        record.leave_cell()
        record.lose_instance()

    async def _last_turn(self, record: AgentRecord) -> None:
        """Let an agent have the turn on its `ending`, within its time."""
        endpoint = record.endpoint
        self._bus.open(endpoint)
        try:
            async with asyncio.timeout(ENDING_S):
                await endpoint.empty()
        except TimeoutError:
            log.warning("an agent did not come to its last turn", agent=record.name, within_s=ENDING_S)
        endpoint.shut()
        self.repair.discard_waiting(record, "agent_stopped", f"{record.name} was stopped")
        await endpoint.idle()
        if record.mending is not None:
            await record.mending

    def _end_recovery(self, record: AgentRecord) -> None:
        """Stop an agent that is not back yet."""
        record.claim("stopped")
        self.recovery.abandon(record)
        record.want(STOPPED)
        record.endpoint.refuse("agent_stopped", f"{record.name} is stopped")
        record.leave_cell()
        self.repair.discard_waiting(record, "agent_stopped", f"{record.name} was stopped")
        self._bus.agent_gone(record.endpoint.name, f"{record.name} was stopped")
        self.events.changed(record, "stopped")
        record.release()

    async def _rest(self, record: AgentRecord) -> None:
        """The daemon stops: after its turn, keep the agent's state and shut it down."""
        await record.endpoint.idle()
        await self.instances.keep_and_stop(record)
