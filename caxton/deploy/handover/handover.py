"""What the engine asks of a change from one revision to the next, and what is alike for every one.

In: a deployment. Out: what happened at each step. A step that fails raises, and then the agent is as it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from caxton.deploy.context import DeployContext
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import Drained, Happening, ProbationFailed, state_name
from caxton.errors import InvalidState


class Handover(ABC):
    """One way to a revision."""

    lasting = False
    """Whether both revisions live for long, so that nobody waits for its end."""

    def __init__(self, context: DeployContext, deployment: DeploymentRecord) -> None:
        self.context = context
        self.deployment = deployment
        self.agent = deployment.agent
        self.target = deployment.target
        self._before = self.agent.revision
        self.is_same = self._before == self.target.revision
        """Whether the agent was this revision before."""

    @abstractmethod
    async def check(self) -> Happening:
        """Bring the new revision up, beside the old one."""

    @abstractmethod
    async def change_over(self) -> Happening:
        """Let the new revision have the next message."""

    async def watch(self) -> Happening | None:
        """Wait until it is decided whether the new revision stays; None where that is for after the next start."""
        return ProbationFailed("this strategy has no probation")

    def promote(self) -> None:
        """An operator says that the new revision is to stay."""
        raise self.undecidable("promoted")

    def abort(self) -> None:
        """An operator says that the old revision is to go on."""
        raise self.undecidable("aborted")

    def stop(self) -> None:
        """The daemon stops: come to an end soon; what is not watched does so anyway."""
        return

    def commit(self) -> None:
        """The new revision is the agent's own from now on, also after a restart."""
        self.agent.keep_out(None)
        self.say_deployed()

    def say_deployed(self) -> None:
        """The agent is that revision: write it down, and tell itself, if its build asks, and everybody else."""
        self.tell_life()
        before = {"before": self._before.sha256} if self._before is not None else {}
        self.context.agents.events.changed(self.agent, "deployed", **before)

    def tell_life(self) -> None:
        """Tell the agent what it is now."""
        lives, before = self.context.agents.lives, self._before
        if before is None:
            lives.born(self.agent)
        else:
            lives.swapped(self.agent, before.sha256, self.deployment.memory)

    async def bring_back(self) -> None:
        """Let the old revision go on where the new one failed."""
        raise self.undecidable("taken back")

    @abstractmethod
    async def drop_new(self) -> None:
        """Take the new revision's instance away."""

    async def retire_old(self) -> Happening:
        """Shut the old revision down."""
        return Drained()

    def undecidable(self, how: str) -> InvalidState:
        """The refusal of a decision that there is not to make."""
        return InvalidState(
            f"{self.deployment.id} cannot be {how}: it is {state_name(self.deployment.state)} and ends by itself",
            hint=f"see: caxton deploy status {self.deployment.id}",
        )
