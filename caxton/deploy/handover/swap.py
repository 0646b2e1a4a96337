"""A swap between two turns: the new instance takes the old one's place, with its state or with its past.

    loaded      old: works on     new: in a slot of its own, told the past where it cannot take the state over
    swap        the mailbox is closed; the state goes over behind the messages that the cell has
    then        old: shut down    new: is the agent

That is the strategy direct: there is no way back but another deployment.
"""

from __future__ import annotations

from caxton.deploy.context import DeployContext
from caxton.deploy.handover.handover import Handover
from caxton.deploy.handover.new_instance import NewInstance
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import ChangedOver, Checked, Drained, Happening
from caxton.errors import DeploymentError
from caxton.turn_status import Status


class Swap(Handover):
    """A change of an agent that runs."""

    on_probation = False
    """Whether the old instance stands by after the swap; else it is shut down as soon as the new one is at work."""

    def __init__(self, context: DeployContext, deployment: DeploymentRecord) -> None:
        super().__init__(context, deployment)
        self.instance = NewInstance(context, deployment)

    async def check(self) -> Happening:
        """Load the new revision while the old one works on."""
        await self.instance.load()
        return Checked()

    async def change_over(self) -> Happening:
        """Between two turns: the state goes over, and the next message goes to the new revision."""
        agent, endpoint, instance = self.agent, self.agent.endpoint, self.instance
        rebuild = instance.rebuild
        async with agent.changing:
            began = self.context.clock.monotonic()
            endpoint.shut()
            mended = closed = False
            try:
                if not instance.lives:
                    raise DeploymentError("the agent broke down while it was changed over", hint="try again")
                if rebuild is not None:
                    await rebuild.finish()
                # the answer comes when all that the cell has is answered
                asked = instance.ask_state()
                instance.link.settle()
                answer = await asked
                fault = instance.take_state(answer)
                if fault is not None:
                    # where the old instance is gone, its repair opens the mailbox again
                    mended = answer.status == Status.UNHANDLED or endpoint.slot in fault.lost
                    if endpoint.slot in fault.lost:
                        instance.lost_old("snapshot", fault)
                    raise not_taken_over(fault.reason, fault.hint)
                self.take_over()
                # what is told of the swap comes before all that waits, and is said as it is written down
                closed = not self.on_probation
            finally:
                if rebuild is not None:
                    rebuild.end()
                if instance.lives and not mended and not closed:
                    self.context.bus.open(endpoint)
            if rebuild is not None:
                instance.say_rebuilt()
            self.deployment.paused(self.context.clock.monotonic() - began)
        return ChangedOver(on_probation=self.on_probation)

    def take_over(self) -> None:
        """The state is there, and no message has gone to the new instance yet."""
        self.instance.begins_after(self.agent.endpoint.last_seq)
        self.instance.take_over()

    def commit(self) -> None:
        """The new revision is the agent's own from now on, also after a restart."""
        self.instance.adopt()
        self.instance.mark()
        super().commit()
        self.context.bus.open(self.agent.endpoint)

    async def drop_new(self) -> None:
        """Take the new revision's instance away, if it is still there."""
        await self.instance.drop()

    async def retire_old(self) -> Happening:
        """Shut the old instance down."""
        await self.instance.drop_old()
        return Drained()


def not_taken_over(reason: str, hint: str | None, **details: object) -> DeploymentError:
    """The refusal of a new revision that cannot have the old one's state."""
    return DeploymentError(
        f"the new revision did not take over the state: {reason}",
        hint=hint or "the old revision goes on; --fresh-state begins without its state",
        **details,
    )
