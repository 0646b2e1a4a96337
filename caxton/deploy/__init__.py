"""The change engine: everything that moves an agent to another revision goes through here.

In: a module and what is to be true of the agent. Out: a deployment, journalled at each of its steps, and an agent that
runs the new revision, or the old one and a reason.
"""

from caxton.deploy.engine import STRATEGIES, Engine
from caxton.deploy.gate import Gate, Verdict
from caxton.deploy.journey import DeploymentView, Timings
from caxton.deploy.offers import Offers, Refusal, refusals
from caxton.deploy.terms import Condition, Probation, Stage, Terms, terms_of

__all__ = [
    "STRATEGIES",
    "Condition",
    "DeploymentView",
    "Engine",
    "Gate",
    "Offers",
    "Probation",
    "Refusal",
    "Stage",
    "Terms",
    "Timings",
    "Verdict",
    "refusals",
    "terms_of",
]
