"""The start of an agent that is new or does not run."""

from __future__ import annotations

from caxton.agents import Build, Failed, RecoveryPlan
from caxton.agents.registry import REMOVED
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.handover import Handover
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import ChangedOver, Checked, Happening
from caxton.errors import CaxtonError


class Start(Handover):
    """Nothing is handed over: there is no old instance."""

    def __init__(self, context: DeployContext, deployment: DeploymentRecord) -> None:
        super().__init__(context, deployment)
        self._is_new = deployment.agent.revision is None
        self._plan: RecoveryPlan | None = None
        self._stays = deployment.agent.endpoint.name in context.bus.endpoints
        """Whether it is there without a build that works, too."""

    async def check(self) -> Happening:
        """It comes up as it is started."""
        return Checked()

    async def change_over(self) -> Happening:
        """Start it with what it remembers."""
        agent, target = self.agent, self.target
        before, life = agent.build, agent.life
        agent.stage(Build(target.revision, target.config, self.deployment.id))
        agents = self.context.agents
        try:
            plan = self._plan = await agents.recovery.bring(
                agent,
                agents.recovery.place(),
                fresh=self._is_new or target.fresh_state,
                given=self.deployment.request.memory,
            )
        except CaxtonError:
            agent.stage(before)
            if isinstance(life, Failed):
                agent.fail(life.reason)
            raise
        if not self._is_new or plan.restored:
            self._tell_memory(plan)
        agent.endpoint.accept()
        self.context.bus.endpoints[agent.endpoint.name] = agent.endpoint
        return ChangedOver()

    def tell_life(self) -> None:
        """It is new, another, or the same as when it was stopped, here or elsewhere."""
        if self._plan is not None and (self.is_same or (self._is_new and self._plan.restored)):
            self.context.agents.lives.restarted(self.agent, self._plan.remembered)
        else:
            super().tell_life()

    async def drop_new(self) -> None:
        """Take a new agent away again."""
        if self._is_new and not self._stays:
            registry = self.context.agents.registry
            self.context.bus.endpoints.pop(self.agent.endpoint.name, None)
            registry.drop(self.agent)
            registry.save(self.agent, self.context.clock.now_us(), state=REMOVED)

    def _tell_memory(self, plan: RecoveryPlan) -> None:
        deployment = self.deployment
        if plan.restored:
            deployment.remembers("carried", plan.reason)
        elif plan.turns:
            deployment.remembers("rebuilt")
        elif self.target.fresh_state:
            deployment.remembers("fresh", "a fresh state was asked for")
        elif self.target.config.recover == "fresh":
            deployment.remembers("fresh", 'recover is "fresh"')
        else:
            deployment.remembers("fresh", plan.reason or "there was nothing to remember")
