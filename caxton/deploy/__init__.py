"""The change engine: everything that moves an agent to another revision goes through here.

In: a module and what is to be true of the agent. Out: a deployment, journalled at each of its steps, and an agent that
runs the new revision, or the old one and a reason.
"""

from caxton.deploy.children import AgentMaker, ChildSupervision, Lineage
from caxton.deploy.engine.configured_agents import ConfiguredAgents
from caxton.deploy.engine.configured_builds import ConfiguredBuilds
from caxton.deploy.engine.engine import Engine
from caxton.deploy.engine.refusals import Refusal, refusals
from caxton.deploy.options import Condition, DeploymentOptions, Probation, Stage, options_of
from caxton.deploy.record import DeploymentView
from caxton.deploy.replay_gate import GateVerdict, ReplayGate
from caxton.deploy.request import STRATEGIES, DeploymentRequest
from caxton.deploy.saved import Timings

__all__ = [
    "STRATEGIES",
    "AgentMaker",
    "ChildSupervision",
    "Condition",
    "ConfiguredAgents",
    "ConfiguredBuilds",
    "DeploymentOptions",
    "DeploymentRequest",
    "DeploymentView",
    "Engine",
    "GateVerdict",
    "Lineage",
    "Probation",
    "Refusal",
    "ReplayGate",
    "Stage",
    "Timings",
    "options_of",
    "refusals",
]
