"""The engine: one way for every change of a revision, whoever asks for it (the API, caxton.toml, `caxton dev`).

In: a module's bytes and what the agent is to be told. Out: the deployment as it ended, or the error that kept the new
revision out; then the old one goes on. What happens next is said by the pure machine in `states`; here it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from caxton.agents import AgentConfig, AgentRecord, Running, Supervisor, Suspended
from caxton.agents.registry import RUNNING, SUSPENDED
from caxton.bus import Bus
from caxton.cells import CellLost
from caxton.clock import Clock
from caxton.deploy.blue_green import BlueGreen, Probation
from caxton.deploy.change import Change, Rooms, Target
from caxton.deploy.direct import Direct
from caxton.deploy.journey import Before, DeploymentView, Journey, Journeys
from caxton.deploy.states import DAEMON_STOPPED, Effect, Happening, Refused, Unchanged
from caxton.errors import CaxtonError, DeploymentError, InvalidState
from caxton.journal import DeploymentRow, Reader
from caxton.limits import Limits
from caxton.sandbox.compiler import Compiled, Compiler
from caxton.sandbox.profiles import Profile

STRATEGIES: Final = ("direct", "blue-green")

log = structlog.get_logger("caxton.deploy")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, as `Engine.deploy` takes it."""

    name: str
    wasm: bytes
    wat: bool
    settings: dict[str, Any] | None
    limits: Limits | None
    profile: str
    strategy: str
    recover: str
    fresh_state: bool
    probation: Probation | None


class Engine:
    """What brings revisions to agents. `limits` are those of an agent that has none of its own."""

    def __init__(
        self,
        *,
        bus: Bus,
        agents: Supervisor,
        compiler: Compiler,
        clock: Clock,
        limits: Limits,
        probation: Probation | None = None,
    ) -> None:
        self._rooms = Rooms(bus, agents, clock)
        self._bus = bus
        self._agents = agents
        self._registry = agents.registry
        self._compiler = compiler
        self._clock = clock
        self._limits = limits
        self._probation = probation or Probation()
        self._journeys = Journeys(bus.journal, clock)
        self._under_way: set[Change] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

    async def deploy(
        self,
        name: str,
        wasm: bytes,
        *,
        wat: bool = False,
        settings: dict[str, Any] | None = None,
        limits: Limits | None = None,
        profile: str = "standard",
        strategy: str = "direct",
        recover: str = "replay",
        fresh_state: bool = False,
        probation: Probation | None = None,
    ) -> DeploymentView:
        """Bring a revision to an agent, new or running; it is journalled from its first step to its last.

        Returns the deployment when it has ended: running, or rolled_back where the new revision failed in its
        probation. Raises DeploymentError (or InvalidModule, ResourceError) where the module does not work; then a new
        agent is not made, and an old one goes on with its old revision. The state of a running agent is carried over
        where the old revision has the snapshot hook and the new one the restore hook, unless `fresh_state`. Settings
        and limits that are None stay as they are. An agent that runs exactly this already is left alone.
        """
        if strategy not in STRATEGIES:
            raise DeploymentError(
                f"there is no strategy {strategy!r}", hint=f"there are: {', '.join(STRATEGIES)}"
            )
        if self._closing:
            raise _stops()
        wanted = Wanted(name, wasm, wat, settings, limits, profile, strategy, recover, fresh_state, probation)
        claimed = self._claimed(name)
        told: asyncio.Future[DeploymentView] = asyncio.get_running_loop().create_future()
        # beside whoever asked: a change is not left half way because its asker went away
        self._agents.spawn(_tell(self._work(wanted, claimed), told))
        return await told

    def probation(self, turns: int | None, warm_up_s: float | None) -> Probation:
        """The project's probation, with what is not None of these instead."""
        usual = self._probation
        return Probation(
            turns=usual.turns if turns is None else turns,
            warm_up_s=usual.warm_up_s if warm_up_s is None else warm_up_s,
        )

    async def rollback(self, row: DeploymentRow) -> DeploymentView:
        """Undo a deployment: the revision before it, with the settings and limits of then, by the same engine.

        Raises InvalidState where the agent has moved on since, or where there was nothing before.
        """
        record = next((one for one in self._registry.agents.values() if one.number == row.agent_no), None)
        if row.state != "running":
            raise InvalidState(f"{row.id} is {row.state}: there is nothing to take back")
        if record is None or record.revision is None:
            raise InvalidState(f"the agent of {row.id} is not there any more")
        before = self._registry.numbered(row.previous_no) if row.previous_no is not None else None
        config = msgspec.json.decode(row.detail, type=Before).before
        if before is None or config is None:
            raise InvalidState(
                f"{row.id} was the first revision of {record.name}",
                hint="to take it away: caxton agent remove",
            )
        if record.revision.no != row.revision_no:
            raise InvalidState(
                f"{record.name} has moved on since {row.id}",
                hint=f"see: caxton deploy list; its latest: caxton deploy rollback {record.name}",
            )
        return await self.deploy(
            record.name,
            await self._compiler.wasm(before.sha256),
            settings=config.settings,
            limits=config.limits,
            profile=config.profile,
            recover=config.recover,
        )

    async def is_current(
        self,
        record: AgentRecord,
        wasm: bytes,
        *,
        wat: bool,
        settings: dict[str, Any],
        limits: Limits,
        profile: str,
    ) -> bool:
        """Whether an agent is what these bytes and this configuration would make of it."""
        config = record.config
        if record.revision is None or (config.settings, config.limits, config.profile) != (
            settings,
            limits,
            profile,
        ):
            return False
        compiled = await self._compiler.compile(wasm, Profile(profile), wat=wat)
        return compiled.sha256 == record.revision.sha256

    async def resume(self, reader: Reader) -> None:
        """After a start of the daemon: end the deployments that its last end interrupted."""
        for row in await self._journeys.interrupted(reader):
            log.warning("a deployment was interrupted", id=row.id, state=row.state, reason=row.reason)

    async def close(self) -> None:
        """Take no more, and bring every deployment under way to its end: what is on probation is taken back."""
        self._closing = True
        for change in self._under_way:
            if isinstance(change, BlueGreen):
                change.stop(DAEMON_STOPPED)
        await self._idle.wait()

    # ------------------------------------------------------------------ one deployment

    def _claimed(self, name: str) -> AgentRecord | None:
        record = self._registry.agents.get(name)
        if record is not None:
            self._agents.claim(record, "deployed")
        return record

    async def _work(self, wanted: Wanted, claimed: AgentRecord | None) -> DeploymentView:
        try:
            began = self._clock.monotonic()
            compiled = await self._compiler.compile(wanted.wasm, Profile(wanted.profile), wat=wanted.wat)
            compile_ms = (self._clock.monotonic() - began) * 1000
            if self._closing:
                raise _stops()
            # another deployment of the same new name may have come first while this one compiled
            claimed = record = claimed or self._claimed(wanted.name)
            old = record.config if record is not None else AgentConfig(limits=self._limits)
            config = AgentConfig(
                limits=wanted.limits or old.limits,
                settings=old.settings if wanted.settings is None else wanted.settings,
                profile=wanted.profile,
                recover=wanted.recover,
                # a suspended agent gets its revision and goes on waiting; a stopped one is started by it
                desired=SUSPENDED if old.desired == SUSPENDED else RUNNING,
            )
            target = self._target(compiled, config, len(wanted.wasm), fresh_state=wanted.fresh_state)
            if record is None:
                claimed = record = self._registry.add(wanted.name, config, self._clock.now_us())
                record.busy = True
            journey = self._journeys.begin(
                record, target.revision, wanted.strategy, compile_ms, cached=compiled.cached
            )
            return await self._travel(record, target, journey, wanted.probation or self._probation)
        finally:
            if claimed is not None:
                claimed.busy = False

    def _target(self, compiled: Compiled, config: AgentConfig, size: int, *, fresh_state: bool) -> Target:
        revision = self._registry.revision(
            compiled.sha256, config.profile, size, compiled.module_path.name, self._clock.now_us()
        )
        return Target(revision, config, fresh_state)

    async def _travel(
        self, record: AgentRecord, target: Target, journey: Journey, probation: Probation
    ) -> DeploymentView:
        """From the first step to the last: what happens makes effects, effects make things happen."""
        change = Change(self._rooms, record, target, journey)
        self._registry.save(record, self._clock.now_us())
        self._under_way.add(change)
        self._idle.clear()
        refused: CaxtonError | None = None
        happening: Happening | None
        try:
            try:
                if isinstance(record.life, Running | Suspended):
                    if _is_so(record, target):
                        journey.unchanged = True
                    else:
                        self._under_way.discard(change)
                        change = self._handover(record, target, journey, probation)
                        self._under_way.add(change)
                began = self._clock.monotonic()
                happening = Unchanged() if journey.unchanged else await change.check()
                journey.load_ms = (self._clock.monotonic() - began) * 1000
            except CaxtonError as error:
                refused = _readable(error)
                happening = Refused(refused.message)
            while happening is not None:
                effects, happening = journey.step(happening), None
                for effect in effects:
                    try:
                        happening = await self._perform(effect, change, journey) or happening
                    except CaxtonError as error:
                        refused = _readable(error)
                        happening = Refused(refused.message)
        finally:
            self._under_way.discard(change)
            if not self._under_way:
                self._idle.set()
        if refused is not None:
            raise refused
        return journey.view()

    def _handover(
        self, record: AgentRecord, target: Target, journey: Journey, probation: Probation
    ) -> Change:
        if journey.strategy == "direct":
            return Direct(self._rooms, record, target, journey)
        return BlueGreen(self._rooms, record, target, journey, probation)

    async def _perform(self, effect: Effect, change: Change, journey: Journey) -> Happening | None:
        """Do what a step asks for; what came of it, where that makes the next step."""
        match effect:
            case Effect.SAVE:
                journey.save()
            case Effect.TELL:
                self._bus.event(
                    "deployment",
                    agent=change.record.endpoint.name,
                    body=msgspec.to_builtins(journey.view()),
                )
                self._bus.settle()
            case Effect.CHANGE_OVER:
                self._bus.settle()
                return await change.change_over()
            case Effect.WATCH:
                if self._closing and isinstance(change, BlueGreen):
                    change.stop(DAEMON_STOPPED)
                return await change.watch()
            case Effect.COMMIT:
                change.commit()
            case Effect.BRING_BACK:
                await change.bring_back()
            case Effect.DROP_NEW:
                await change.drop_new()
            case Effect.RETIRE_OLD:
                return await change.retire_old()
        return None


def _stops() -> InvalidState:
    return InvalidState("nothing is deployed any more: the daemon stops")


def _is_so(record: AgentRecord, target: Target) -> bool:
    """Whether an agent that runs is what is asked for already."""
    wanted = msgspec.structs.replace(target.config, desired=record.config.desired)
    return record.revision == target.revision and record.config == wanted and not target.fresh_state


def _readable(error: CaxtonError) -> CaxtonError:
    if isinstance(error, CellLost):
        return DeploymentError("the cell died while the revision was brought to it", hint="try again")
    return error


async def _tell(work: Coroutine[Any, Any, DeploymentView], told: asyncio.Future[DeploymentView]) -> None:
    """Do the work, and tell whoever still waits for it how it ended."""
    try:
        view = await work
    except CaxtonError as error:
        if not told.done():
            told.set_exception(error)
    else:
        if not told.done():
            told.set_result(view)
    finally:
        if not told.done():
            told.set_exception(DeploymentError("the deployment met a defect", hint="the daemon's log has it"))
