"""Agents that agents make.

In: what a maker wants, breakdowns, ends. Out: agents made by the one engine (`maker`), who made whom (`lineage`), and
what becomes of them (`supervision`).
"""

from caxton.deploy.children.lineage import Lineage
from caxton.deploy.children.maker import AgentMaker
from caxton.deploy.children.supervision import ChildSupervision

__all__ = ["AgentMaker", "ChildSupervision", "Lineage"]
