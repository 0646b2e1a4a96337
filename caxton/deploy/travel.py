"""The way of one deployment, from its first step to its last: what happens makes effects, effects make things happen.

In: an agent, where it is to be, by which strategy. Out: the deployment as it ended, or the error that kept the new
revision out. What happens next is said by the pure machine in `states`; here it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from caxton.agents import AgentRecord, Running, Suspended
from caxton.cells import Cell, CellLost
from caxton.deploy.blue_green import BlueGreen
from caxton.deploy.canary import Canary
from caxton.deploy.change import Change, Rooms
from caxton.deploy.checks import STATIC, validate
from caxton.deploy.direct import Direct
from caxton.deploy.drained import BlueGreenDrained
from caxton.deploy.gate import DROPPED, SUPERSEDED, Gate, judge
from caxton.deploy.joining import Resumed
from caxton.deploy.journey import DeploymentView, Journey
from caxton.deploy.shadow import Shadow
from caxton.deploy.states import DAEMON_STOPPED, Effect, Faltered, Happening, Refused, Unchanged
from caxton.deploy.target import Target
from caxton.deploy.terms import Terms
from caxton.errors import CaxtonError, DeploymentError


@dataclass(frozen=True, slots=True)
class Way:
    """What a deployment is to do, and by which rules."""

    record: AgentRecord
    target: Target
    journey: Journey
    terms: Terms
    static: str
    """What the static check found."""
    compile_ms: float = 0.0
    gate: Gate | None = None
    resumed: Resumed | None = None


class Travel:
    """One deployment under way. `on_live` is told when both revisions live for longer than anybody waits, `on_held`
    when the gate has stopped it."""

    def __init__(
        self,
        rooms: Rooms,
        way: Way,
        on_live: Callable[[DeploymentView], None] | None,
        on_held: Callable[[DeploymentView], None] | None = None,
    ) -> None:
        self.journey = way.journey
        self.change = Change(rooms, way.record, way.target, way.journey)
        self._rooms = rooms
        self._way = way
        self._on_live = on_live
        self._on_held = on_held
        self._decision: asyncio.Future[str | None] | None = None
        """While the gate holds it: why it is dropped, or None to let it go on."""
        self._stopping = False
        self._refused: CaxtonError | None = None
        self.over = asyncio.Event()
        """Set when it has ended, or goes on after the next start."""

    async def ended(self) -> DeploymentView:
        """It as it ended."""
        await self.over.wait()
        return self.journey.view()

    @property
    def held(self) -> bool:
        """Whether the gate has stopped it and nothing was decided yet."""
        return self._decision is not None and not self._decision.done()

    def promote(self) -> None:
        """An operator says that the new revision is to stay, or to go in."""
        if not self._decide(None):
            self.change.promote()

    def abort(self) -> None:
        """An operator says that the old revision is to go on."""
        if not self._decide(DROPPED):
            self.change.abort()

    def supersede(self) -> None:
        """A newer build came while this one waited."""
        self._decide(SUPERSEDED)

    def stop(self) -> None:
        """The daemon stops: come to an end soon."""
        self._stopping = True
        if not self._decide(DAEMON_STOPPED):
            self.change.stop()

    async def go(self) -> DeploymentView:
        """From the first step to the last."""
        way, clock = self._way, self._rooms.clock
        happening: Happening | None
        try:
            began = clock.monotonic()
            if isinstance(way.record.life, Running | Suspended):
                if _is_so(way.record, way.target):
                    way.journey.unchanged = True
                else:
                    self.change = self._handover()
            happening = Unchanged() if way.journey.unchanged else await self._checked()
            way.journey.load_ms = (clock.monotonic() - began) * 1000
        except CaxtonError as error:
            happening = self._refuse(error)
        return await self._follow(happening)

    async def go_on(self) -> DeploymentView:
        """After a restart of the daemon: put the new revision beside the old one again, and go on."""
        journey = self.journey
        happening: Happening | None
        try:
            change = self.change = self._handover()
            await change.check()
            await change.change_over()
        except CaxtonError as error:
            happening = Faltered(f"it could not go on after the daemon's restart: {readable(error).message}")
        else:
            journey.save()
            happening = await self._watched()
        return await self._follow(happening)

    # ------------------------------------------------------------------ steps

    async def _checked(self) -> Happening:
        """The four steps of the validation, the gate, and then the instance itself."""
        way = self._way
        way.journey.checks.passed(STATIC, way.static, way.compile_ms)
        await validate(
            way.journey.checks,
            self._rooms.agents.instances,
            way.record,
            self._cell(),
            way.target,
            probe=way.terms.probe,
        )
        await self._through_the_gate()
        return await self.change.check()

    async def _through_the_gate(self) -> None:
        """See what the agent's conversations are answered now; wait for an operator where that is not good enough."""
        way, rooms = self._way, self._rooms
        record, gate = way.record, way.gate
        if gate is None or record.revision is None or record.revision == way.target.revision:
            return
        verdict = self.journey.gate = await judge(
            gate, rooms.replayer, rooms.bus.journal.reader, record, way.target
        )
        if not verdict.stopped:
            return
        if self._stopping:
            raise DeploymentError(DAEMON_STOPPED)
        self._decision = asyncio.get_running_loop().create_future()
        self.journey.waits = True
        self.journey.save()
        self.tell()
        # nobody is kept from the agent while this one waits
        self.journey.released = True
        record.busy = False
        if self._on_held is not None:
            self._on_held(self.journey.view())
        why = await self._decision
        self.journey.waits = False
        if why is not None:
            raise DeploymentError(f"{why}: {verdict.reason}")
        if rooms.agents.registry.agents.get(record.name) is not record:
            raise DeploymentError(f"{record.name} was removed while this waited")
        rooms.agents.claim(record, "deployed")
        self.journey.released = False
        runs = isinstance(record.life, Running | Suspended)
        self.change = self._handover() if runs else Change(rooms, record, way.target, self.journey)

    def _decide(self, why: str | None) -> bool:
        """End the waiting, if it waits."""
        decision = self._decision
        if decision is None or decision.done():
            return False
        decision.set_result(why)
        return True

    def _cell(self) -> Cell:
        record = self._way.record
        runs = isinstance(record.life, Running | Suspended)
        return record.cell if runs and record.cell is not None else self._rooms.agents.instances.place()

    def _handover(self) -> Change:
        way, rooms = self._way, self._rooms
        record, target, journey, terms = way.record, way.target, way.journey, way.terms
        match journey.strategy:
            case "canary":
                return Canary(rooms, record, target, journey, terms, way.resumed)
            case "shadow":
                return Shadow(rooms, record, target, journey, terms, way.resumed)
            case "blue-green" if terms.drain:
                return BlueGreenDrained(rooms, record, target, journey, terms)
            case "blue-green":
                return BlueGreen(rooms, record, target, journey, terms.probation)
            case _:
                return Direct(rooms, record, target, journey)

    async def _follow(self, happening: Happening | None) -> DeploymentView:
        while happening is not None:
            effects, happening = self.journey.step(happening), None
            for effect in effects:
                try:
                    happening = await self._perform(effect) or happening
                except CaxtonError as error:
                    happening = self._refuse(error)
        if self._refused is not None:
            raise self._refused
        return self.journey.view()

    async def _perform(self, effect: Effect) -> Happening | None:
        """Do what a step asks for; what came of it, where that makes the next step."""
        change, bus = self.change, self._rooms.bus
        match effect:
            case Effect.SAVE:
                self.journey.save()
            case Effect.TELL:
                self.tell()
            case Effect.CHANGE_OVER:
                bus.settle()
                return await change.change_over()
            case Effect.WATCH:
                return await self._watched()
            case Effect.COMMIT:
                change.commit()
            case Effect.BRING_BACK:
                await change.bring_back()
            case Effect.DROP_NEW:
                await change.drop_new()
            case Effect.RETIRE_OLD:
                return await change.retire_old()
        return None

    async def _watched(self) -> Happening | None:
        if self._stopping:
            self.change.stop()
        if self._on_live is not None and self.change.lasting:
            self._on_live(self.journey.view())
        return await self.change.watch()

    def tell(self) -> None:
        """Tell the viewers where it stands."""
        bus = self._rooms.bus
        bus.event(
            "deployment",
            agent=self.change.record.endpoint.name,
            body=msgspec.to_builtins(self.journey.view()),
        )
        bus.settle()

    def _refuse(self, error: CaxtonError) -> Refused:
        self._refused = readable(error)
        return Refused(self._refused.message)


def _is_so(record: AgentRecord, target: Target) -> bool:
    """Whether an agent that runs is what is asked for already."""
    wanted = msgspec.structs.replace(target.config, desired=record.config.desired)
    return record.revision == target.revision and record.config == wanted and not target.fresh_state


def readable(error: CaxtonError) -> CaxtonError:
    """The error in words that say what to do."""
    if isinstance(error, CellLost):
        return DeploymentError("the cell died while the revision was brought to it", hint="try again")
    return error
