"""What one deployment does to one agent: the steps that the engine asks for, and the two changes that are alike for
every strategy.

In: an agent, a revision, what the agent is to be told. Out: what happened at each step. A step that fails raises, and
then the agent is as it was.
"""

from __future__ import annotations

import msgspec

from caxton.agents import AgentConfig, Loaded, RecoveryPlan, Revision, Running, Suspended
from caxton.agents.registry import REMOVED
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.rebuild import Rebuild
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import ChangedOver, Checked, Drained, Happening, ProbationFailed, state_name
from caxton.errors import CaxtonError, DeploymentError, InvalidState
from caxton.journal import CARRIED
from caxton.sandbox.frames import Fault, Kind, Swapped, split_payload
from caxton.turn_status import Status


class Change:
    """One way to a revision; this one is for an agent that is new or does not run: it is started."""

    lasting = False
    """Whether both revisions live for long, so that nobody waits for its end."""

    def __init__(self, context: DeployContext, deployment: DeploymentRecord) -> None:
        self.context = context
        self.deployment = deployment
        self.record = record = deployment.agent
        self.target = deployment.target
        self.new = record.revision is None

    async def check(self) -> Happening:
        """Bring the new revision up, beside the old one."""
        return Checked()

    async def change_over(self) -> Happening:
        """Let the new revision have the next message."""
        record, target = self.record, self.target
        old = (record.revision, record.config, record.life, record.brought_by)
        record.revision, record.config = target.revision, target.config
        record.brought_by = self.deployment.id
        record.life = Loaded(target.revision.sha256)
        record.endpoint.limits = target.config.limits
        agents = self.context.agents
        try:
            way = await agents.recovery.bring(
                record, agents.instances.place(), fresh=self.new or target.fresh_state
            )
        except CaxtonError:
            record.revision, record.config, record.life, record.brought_by = old
            record.endpoint.limits = old[1].limits
            raise
        if not self.new:
            self._tell_memory(way)
        record.endpoint.refusal = None
        self.context.bus.endpoints[record.endpoint.name] = record.endpoint
        return ChangedOver()

    async def watch(self) -> Happening | None:
        """Wait until it is decided whether the new revision stays; None where that is for after the next start."""
        return ProbationFailed("this strategy has no probation")

    def promote(self) -> None:
        """An operator says that the new revision is to stay."""
        raise self._undecidable("promoted")

    def abort(self) -> None:
        """An operator says that the old revision is to go on."""
        raise self._undecidable("aborted")

    def stop(self) -> None:
        """The daemon stops: come to an end soon."""

    def _undecidable(self, how: str) -> InvalidState:
        return InvalidState(
            f"{self.deployment.id} cannot be {how}: it is {state_name(self.deployment.state)} and ends by itself",
            hint=f"see: caxton deploy status {self.deployment.id}",
        )

    def commit(self) -> None:
        """The new revision is the agent's own from now on, also after a restart."""
        self.record.kept_out = None
        self.context.agents.changed(self.record, "deployed")

    async def bring_back(self) -> None:
        """Let the old revision go on where the new one failed."""

    async def drop_new(self) -> None:
        """Take the new revision's instance away."""
        if self.new:
            agents = self.context.agents
            self.context.bus.endpoints.pop(self.record.endpoint.name, None)
            agents.registry.drop(self.record)
            agents.registry.save(self.record, self.context.clock.now_us(), state=REMOVED)

    async def retire_old(self) -> Happening:
        """Shut the old revision down."""
        return Drained()

    def _tell_memory(self, way: RecoveryPlan) -> None:
        deployment = self.deployment
        if way.restored:
            deployment.remembers("carried", way.reason)
        elif way.turns:
            deployment.remembers("rebuilt")
        elif self.target.fresh_state:
            deployment.remembers("fresh", "a fresh state was asked for")
        elif self.target.config.recover == "fresh":
            deployment.remembers("fresh", 'recover is "fresh"')
        else:
            deployment.remembers("fresh", way.reason or "there was nothing to remember")


class Handover(Change):
    """A change of an agent that runs; the new instance is made in the old one's cell, in a slot of its own."""

    on_probation = False
    """Whether the old instance stands by after the swap; else it is shut down as soon as the new one is at work."""

    def __init__(self, context: DeployContext, deployment: DeploymentRecord) -> None:
        super().__init__(context, deployment)
        record = self.record
        assert record.cell is not None
        assert record.revision is not None
        if record.cell.link is None:
            raise DeploymentError("the agent's cell is being started again", hint="try again in a moment")
        self.cell = record.cell
        self.link = record.cell.link
        self.slot = self.cell.slot()
        self.old_slot = record.endpoint.slot
        self.hooks: tuple[str, ...] = ()
        self.carry = False
        self.state = b""
        """What the old instance gave the new one, where the state was carried."""
        self.rebuild: Rebuild | None = None
        """Set where the new revision is told the agent's past instead."""
        self.swap_seq = 0
        """The last message that the old revision handled before the swap."""

    async def check(self) -> Happening:
        """Load the new revision while the old one works on."""
        loaded = await self.context.agents.instances.load(
            self.record, self.cell, self.slot, self.target.revision, self.target.config, state=None
        )
        self.hooks = tuple(loaded.hooks)
        why = self._why_not_carried()
        self.carry = why is None
        self.deployment.remembers("carried" if self.carry else "fresh", why)
        if self._is_told():
            await self._tell_past()
        return Checked()

    async def change_over(self) -> Happening:
        """Between two turns: the state goes over, and the next message goes to the new revision."""
        record, endpoint = self.record, self.record.endpoint
        async with record.changing:
            began = self.context.clock.monotonic()
            endpoint.open = False
            self.old_slot = endpoint.slot
            mended = False
            try:
                if not self._lives():
                    raise DeploymentError("the agent broke down while it was changed over", hint="try again")
                if self.rebuild is not None:
                    await self.rebuild.finish()
                # the frame stands behind the messages that the cell has, so its answer comes when they are answered
                fault, status = await self._swap()
                if fault is not None:
                    # where the old instance is gone, its repair opens the mailbox again
                    mended = status == Status.UNHANDLED or endpoint.slot in fault.lost
                    if endpoint.slot in fault.lost:
                        self.lost_old("snapshot", fault)
                    raise DeploymentError(
                        f"the new revision did not take over the state: {fault.reason}",
                        hint=fault.hint or "the old revision goes on; --fresh-state begins without its state",
                    )
                self.take_over()
            finally:
                if self.rebuild is not None:
                    self.rebuild.end()
                if self._lives() and not mended:
                    self.context.bus.open(endpoint)
            if self.rebuild is not None:
                self._say_rebuilt(self.rebuild.turns)
            self.deployment.paused(self.context.clock.monotonic() - began)
        return ChangedOver(on_probation=self.on_probation)

    def take_over(self) -> None:
        """The swap is done, and no message has gone to the new instance yet."""
        self.swap_seq = self.record.endpoint.last_seq
        self.put(self.slot, self.target.revision, self.target.config)

    def put(self, slot: int, revision: Revision, config: AgentConfig) -> None:
        """Let the agent's messages go to that slot from now on."""
        endpoint, life = self.record.endpoint, self.record.life
        assert isinstance(life, Running | Suspended)
        self.link.slots.pop(endpoint.slot, None)
        self.link.slots[slot] = endpoint
        endpoint.slot = slot
        endpoint.revision_no = revision.no
        endpoint.limits = config.limits
        self.record.life = life.swap(revision.sha256, slot)

    def adopt(self) -> None:
        """The new revision is the agent's own from now on."""
        record, target = self.record, self.target
        record.revision, record.config, record.hooks = target.revision, target.config, self.hooks
        record.brought_by, record.heir_no = self.deployment.id, None
        record.endpoint.limits = target.config.limits
        if isinstance(record.life, Running | Suspended):
            record.life = record.life.swap(target.revision.sha256, record.endpoint.slot)
        self.context.agents.instances.plan_snapshot(record)

    def mark(self) -> None:
        """Put down from where on the new revision remembers; one that was told its past remembers as the old one."""
        if self.deployment.memory == "rebuilt":
            return
        instances, revision_no = self.context.agents.instances, self.target.revision.no
        if self.carry:
            instances.keep(self.record, self.state, self.swap_seq, CARRIED, revision_no)
        else:
            instances.forget(self.record, self.swap_seq, revision_no)

    def commit(self) -> None:
        """The new revision is the agent's own from now on, also after a restart."""
        self.adopt()
        self.mark()
        super().commit()

    async def drop_new(self) -> None:
        """Take the new revision's instance away, if it is still there."""
        if self.rebuild is not None:
            self.rebuild.end()
        if self.cell.link is self.link:
            await self.context.agents.instances.drop(self.cell, self.slot)

    async def retire_old(self) -> Happening:
        """Shut the old instance down; not in the swap itself, where the agent would wait for it."""
        if self.cell.link is self.link:
            await self.context.agents.instances.drop(self.cell, self.old_slot)
        return Drained()

    def lost_old(self, what: str, fault: Fault) -> None:
        """Its own hook cost the old revision its instance: it is started again as after any trap."""
        self.context.agents.broken(self.record, f"{what}: {fault.code}: {fault.reason}")

    async def _swap(self) -> tuple[Fault | None, int]:
        swap = {"from": self.record.endpoint.slot, "carry": self.carry, "keep": True, "tell": True}
        answer = await self.link.request(Kind.SWAP, self.slot, msgspec.json.encode(swap))
        if answer.status == Status.OK:
            _, self.state = split_payload(answer.payload, Swapped)
            return None, answer.status
        return msgspec.json.decode(answer.payload, type=Fault), answer.status

    def _is_told(self) -> bool:
        """Whether the new revision, which cannot take the old one's state over, is to be told what it did."""
        target = self.target
        return not (self.carry or target.fresh_state) and target.config.recover == "replay"

    async def _tell_past(self) -> None:
        """Run the agent's past on the new revision, beside the old one."""
        context = self.context
        self.rebuild = Rebuild(context.bus, context.agents, self.record, self.cell, self.link, self.slot)
        why = await self._start(self.rebuild)
        if why is not None:
            self.rebuild = None
            self.deployment.remembers("fresh", why)
            return
        self._say_rebuilt(self.rebuild.turns)

    async def _start(self, rebuild: Rebuild) -> str | None:
        """Tell what is past; why it cannot be told, where that is so."""
        return await rebuild.start(self.target, self.deployment.id)

    def _say_rebuilt(self, turns: int) -> None:
        self.deployment.remembers("rebuilt", f"{turns:,} turn{'' if turns == 1 else 's'} run again")

    def _lives(self) -> bool:
        return isinstance(self.record.life, Running | Suspended) and self.cell.link is self.link

    def _why_not_carried(self) -> str | None:
        if self.target.fresh_state:
            return "a fresh state was asked for"
        if self.target.config.recover == "fresh":
            return 'recover is "fresh"'
        if "snapshot" not in self.record.hooks:
            return "the old revision has no caxton_snapshot"
        if "restore" not in self.hooks:
            return "the new revision has no caxton_restore"
        return None
