"""The new revision's instance, in a slot of its own in the old one's cell, and what it remembers.

In: an agent that runs, a revision. Out: an instance that has the old one's state, or was told the agent's past, or
begins with nothing; and an agent that is the new revision, when it is to be.
"""

from __future__ import annotations

import asyncio

import msgspec

from caxton.agents import AgentConfig, Build, Revision
from caxton.cells import Answer
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.rebuild import Rebuild
from caxton.deploy.record import DeploymentRecord
from caxton.errors import DeploymentError
from caxton.journal import CARRIED
from caxton.sandbox.abi import PUT_BACK
from caxton.sandbox.frames import Fault, Kind, Swapped, split_payload
from caxton.turn_status import Status


class NewInstance:
    """One such instance; another one takes its place where it breaks down (`renew`)."""

    def __init__(self, context: DeployContext, deployment: DeploymentRecord) -> None:
        agent = deployment.agent
        assert agent.cell is not None
        if agent.cell.link is None:
            raise DeploymentError("the agent's cell is being started again", hint="try again in a moment")
        self.cell = agent.cell
        self.link = agent.cell.link
        self.slot = self.cell.slot()
        self.carry = False
        """Whether it takes the old one's state over."""
        self.rebuild: Rebuild | None = None
        """Set where it is told the agent's past instead."""
        self._swap_seq = 0
        self._context = context
        self._deployment = deployment
        self._agent = agent
        self._target = deployment.target
        self._instances = context.agents.instances
        self._old_slot = agent.endpoint.slot
        self._hooks: tuple[str, ...] = ()
        self._state = b""
        """What the old instance gave it, where the state was carried."""

    @property
    def swap_seq(self) -> int:
        """The last message that is in the memory which it began with."""
        return self._swap_seq

    @property
    def lives(self) -> bool:
        """Whether the agent runs, in the cell in which this was made."""
        return self._agent.is_hosted and self.cell.link is self.link

    # ------------------------------------------------------------------ coming up

    async def load(self, *, since: int | None = None, strict: bool = True) -> None:
        """Make it while the old one works on, and tell it the agent's past where it cannot take the state over.

        `since`, `strict`: as for `Rebuild.start`.
        """
        loaded = await self._instances.load(
            self._agent, self.cell, self.slot, self._target.revision, self._target.config, state=None
        )
        self._hooks = tuple(loaded.hooks)
        if PUT_BACK in self._hooks:
            self._agent.endpoint.asks_to_put_back(asks=True)
        why = self._why_not_carried()
        self.carry = why is None
        self._deployment.remembers("carried" if self.carry else "fresh", why)
        if self.is_told(since):
            self.rebuild = Rebuild(
                self._context.bus, self._context.agents, self._agent, self.cell, self.link, self.slot
            )
            why = await self.rebuild.start(self._target, self._deployment.id, since=since, strict=strict)
            if why is None:
                self.say_rebuilt()
            else:
                self.rebuild = None
                self._deployment.remembers("fresh", why)

    def is_told(self, since: int | None = None) -> bool:
        """Whether it is told what the agent did: it cannot take the old one's state over, or it began with nothing
        after message `since` and is told what came since."""
        if self._target.config.recover != "replay":
            return False
        return since is not None or not (self.carry or self._target.fresh_state)

    async def renew(self) -> None:
        """Another slot, for another instance."""
        gone, self.slot = self.slot, self.cell.slot()
        await self._instances.drop(self.cell, gone)

    def begins_after(self, seq: int) -> None:
        """Its memory goes up to that message; what comes later it handles itself."""
        self._swap_seq = seq

    def ask_state(self) -> asyncio.Future[Answer]:
        """Ask for the swap. The frame stands behind the messages that the cell has, so the state is the one after
        them."""
        swap = {"from": self._agent.endpoint.slot, "carry": self.carry, "keep": True, "tell": True}
        return self.link.ask(Kind.SWAP, self.slot, msgspec.json.encode(swap))

    def take_state(self, answer: Answer) -> Fault | None:
        """What came of the swap: it has the state now; or why it has not."""
        if answer.status != Status.OK:
            return msgspec.json.decode(answer.payload, type=Fault)
        _, self._state = split_payload(answer.payload, Swapped)
        return None

    def lost_old(self, what: str, fault: Fault) -> None:
        """Its own hook cost the old revision its instance: it is started again as after any trap."""
        self._context.agents.repair.mend(self._agent, f"{what}: {fault.code}: {fault.reason}")

    # ------------------------------------------------------------------ taking over

    def take_over(self) -> None:
        """Let the agent's messages come to this instance from now on."""
        self._old_slot = self._agent.endpoint.slot
        self._route(self.slot, self._target.revision, self._target.config)

    def give_back(self, revision: Revision, config: AgentConfig) -> None:
        """Let them go to the old one again, which is that revision."""
        self._route(self._old_slot, revision, config)

    def adopt(self) -> None:
        """The new revision is the agent's own from now on."""
        agent, target = self._agent, self._target
        agent.adopt(Build(target.revision, target.config, self._deployment.id), self._hooks)
        self._instances.plan_snapshot(agent)

    def mark(self) -> None:
        """Put down from where on the new revision remembers; one that was told its past remembers as the old one."""
        if self._deployment.memory == "rebuilt":
            return
        revision_no = self._target.revision.no
        if self.carry:
            self.keep_state(CARRIED, revision_no)
        else:
            self._instances.forget(self._agent, self._swap_seq, revision_no)

    def keep_state(self, kind: str, revision_no: int) -> None:
        """Put the state that it was given down as a moment of that revision."""
        self._instances.keep(self._agent, self._state, self._swap_seq, kind, revision_no)

    def say_rebuilt(self) -> None:
        """Say how much of the past it was told."""
        assert self.rebuild is not None
        turns = self.rebuild.turns
        self._deployment.remembers("rebuilt", f"{turns:,} turn{'' if turns == 1 else 's'} run again")

    # ------------------------------------------------------------------ going

    async def drop(self) -> None:
        """Take it away, if it is still there."""
        if self.rebuild is not None:
            self.rebuild.end()
        if self.cell.link is self.link:
            await self._instances.drop(self.cell, self.slot)
        self._agent.endpoint.asks_to_put_back(asks=PUT_BACK in self._agent.hooks)

    async def drop_old(self) -> None:
        """Shut the old instance down; not in the swap itself, where the agent would wait for it."""
        if self.cell.link is self.link:
            await self._instances.drop(self.cell, self._old_slot)

    def _route(self, slot: int, revision: Revision, config: AgentConfig) -> None:
        """Let the agent's messages go to that slot from now on."""
        self._agent.swap(self.link, slot, revision, config.limits)
        self._agent.endpoint.may_draw(draws=self._instances.draws(revision))

    def _why_not_carried(self) -> str | None:
        if self._target.fresh_state:
            return "a fresh state was asked for"
        if self._target.config.recover == "fresh":
            return 'recover is "fresh"'
        if "snapshot" not in self._agent.hooks:
            return "the old revision has no caxton_snapshot"
        if "restore" not in self._hooks:
            return "the new revision has no caxton_restore"
        return None
