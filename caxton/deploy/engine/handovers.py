"""Which handover, with which policy, a strategy is. A new strategy is a policy in `strategies/` and a line here."""

from __future__ import annotations

from caxton.deploy.context import DeployContext
from caxton.deploy.handover.drain import Drain
from caxton.deploy.handover.handover import Handover
from caxton.deploy.handover.probation import SwapOnProbation
from caxton.deploy.handover.side_by_side import SideBySide
from caxton.deploy.handover.swap import Swap
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.saved import SavedProgress
from caxton.deploy.strategies.blue_green import BlueGreen
from caxton.deploy.strategies.canary import Canary
from caxton.deploy.strategies.shadow import Shadow


def handover_of(
    context: DeployContext, deployment: DeploymentRecord, saved: SavedProgress | None
) -> Handover:
    """How a running agent goes over. `saved`: how far that was before the daemon ended."""
    options, endpoint = deployment.options, deployment.agent.endpoint
    before = saved.progress if saved is not None else {}
    match deployment.request.strategy:
        case "canary":
            return SideBySide(context, deployment, Canary(options, before), saved)
        case "shadow":
            policy = Shadow(options, endpoint.name, endpoint.limits, before)
            return SideBySide(context, deployment, policy, saved)
        case "blue-green" if options.drain:
            return Drain(context, deployment, BlueGreen(options.probation))
        case "blue-green":
            return SwapOnProbation(context, deployment, BlueGreen(options.probation))
        case _:
            return Swap(context, deployment)
