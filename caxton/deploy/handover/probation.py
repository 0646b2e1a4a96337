"""Blue-green without a drain: the new revision proves itself, first in a rehearsal, then in its first turns.

    rehearsal   old: works on     new: loaded; another instance of it is given the old one's state, and dropped
    swap        old: stands by    new: takes the state as it is between two turns
    probation   old: stands by    new: handles messages, one at a time
    then        old: shut down    new: is the agent      or   old: runs what was answered once more, and goes on

What the new revision answered in its probation has been said and stays said. The old one, coming back, runs those
messages again with its output dropped, so that it knows of them: turns are deterministic.
"""

from __future__ import annotations

import msgspec

from caxton.cells import CellLost
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.countdown import Countdown
from caxton.deploy.handover.probation_port import ProbationPort
from caxton.deploy.handover.swap import Swap, not_taken_over
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import ABORTED, Happening, Passed, ProbationFailed
from caxton.deploy.strategies.blue_green import BlueGreen
from caxton.deploy.target import Target
from caxton.errors import DeploymentError
from caxton.sandbox.frames import Fault, Kind
from caxton.schemas.deployments import DAEMON_STOPPED
from caxton.turn_status import DISCARDED, Status


class SwapOnProbation(Swap):
    """The old instance stands by until the probation is over."""

    on_probation = True

    def __init__(self, context: DeployContext, deployment: DeploymentRecord, policy: BlueGreen) -> None:
        super().__init__(context, deployment)
        assert self.agent.revision is not None
        self._policy = policy
        self._old = Target(self.agent.revision, self.agent.config)
        self._old_seq = 0
        self._port: ProbationPort | None = None
        self._is_lost = False

    async def check(self) -> Happening:
        """Load the new revision, and see whether it takes the state that the old one has now."""
        checked = await super().check()
        if self.instance.carry:
            await self._rehearse()
        return checked

    def take_over(self) -> None:
        """The next messages are the new revision's probation."""
        endpoint, bus = self.agent.endpoint, self.context.bus
        self._old_seq = endpoint.last_seq
        super().take_over()
        # the kept state is the old revision's, and it is the old one that comes back from it
        endpoint.keep_state_after(None)
        self._port = ProbationPort(bus, self.instance.link, endpoint, self._policy, self._lost)
        endpoint.divert(self._port, self._port)
        bus.ports.append(self._port)

    async def watch(self) -> Happening:
        """Wait for the first turns, or the end of the warm-up."""
        port = self._port
        assert port is not None
        warm_up = Countdown(self.context.clock, lambda: port.end(Passed()), self._policy.countdown_s)
        warm_up.start()
        try:
            return await port.verdict
        finally:
            warm_up.stop()

    def stop(self) -> None:
        """End the probation, if it is under way, with the old revision back."""
        if self._port is not None:
            self._port.end(ProbationFailed(DAEMON_STOPPED))

    def promote(self) -> None:
        """The probation is over: the new revision stays."""
        self._under_way("promoted").end(Passed())

    def abort(self) -> None:
        """The probation is over: the old revision comes back."""
        self._under_way("aborted").end(ProbationFailed(ABORTED))

    def commit(self) -> None:
        """The new revision is the agent, and has as many messages in flight as any other."""
        self._end()
        super().commit()

    async def bring_back(self) -> None:
        """The old instance learns what was answered meanwhile, and gets the message that failed and all later ones."""
        if self._is_lost:
            return
        assert self._port is not None
        agent, endpoint, instances = self.agent, self.agent.endpoint, self.context.agents.instances
        handled = self._port.handled
        async with agent.changing:
            endpoint.shut()
            self._end()
            self.instance.give_back(self._old.revision, self._old.config)
            endpoint.took_up(self._port.handled_upto if handled else self._old_seq)
            try:
                learned = await instances.replay(
                    self.instance.link,
                    endpoint.slot,
                    [
                        instances.numbered(envelope.body, number, place, self._old.revision)
                        for envelope, place, number in handled
                    ],
                )
            except CellLost:
                return
            if learned.fault is not None:
                self.instance.lost_old("taken back", learned.fault)
                return
            instances.plan_snapshot(agent)
            self.context.bus.open(endpoint)

    async def _rehearse(self) -> None:
        agent, cell, instances = self.agent, self.instance.cell, self.context.agents.instances
        endpoint = agent.endpoint
        # the frame stands behind every message that the cell has now, so the state is the one after them
        seq = endpoint.given
        answer = await self.instance.link.request(Kind.SNAPSHOT, endpoint.slot)
        if answer.status != Status.OK:
            fault = msgspec.json.decode(answer.payload, type=Fault)
            if answer.status in DISCARDED:
                self.instance.lost_old("snapshot", fault)
            raise DeploymentError(
                f"the old revision did not give its state: {fault.reason}",
                hint="it goes on; a fresh state can be asked for",
                fault=fault.code,
            )
        instances.keep(agent, answer.payload, seq)
        # in an instance of its own: a guest need not be able to restore twice
        slot = cell.slot()
        try:
            await instances.load(
                agent, cell, slot, self.target.revision, self.target.config, state=answer.payload
            )
        except DeploymentError as error:
            raise not_taken_over(error.message, error.hint, **error.details) from None
        await instances.drop(cell, slot)

    def _under_way(self, how: str) -> ProbationPort:
        if self._port is None:
            raise self.undecidable(how)
        return self._port

    def _lost(self) -> None:
        self._is_lost = True
        self._end()
        self.instance.give_back(self._old.revision, self._old.config)

    def _end(self) -> None:
        port = self._port
        assert port is not None
        self.agent.endpoint.direct(self.instance.link)
        self.context.bus.ports.remove(port)
