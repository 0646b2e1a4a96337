"""An agent's life: typed states, the registry of agents and revisions, and the supervisor that brings them to cells.

In: wishes (start, stop, remove), and the news that a turn cost an instance or a cell died.
Out: agents that run, or a clear word why they do not. The registry is rows in the journal, so it survives a restart.
"""

from caxton.agents.events import AgentEvents
from caxton.agents.instances import Instances
from caxton.agents.life import Draining, Failed, Life, Loaded, Running, Suspended, Unloaded
from caxton.agents.life_messages import LifeMessages
from caxton.agents.record import AgentConfig, AgentRecord, Build, KeptOut, Revision
from caxton.agents.recovery import Recovery
from caxton.agents.recovery_plan import RecoveryPlan
from caxton.agents.registry import Registry
from caxton.agents.repair import Repair
from caxton.agents.spared_memory import SparedMemory
from caxton.agents.supervisor import Supervisor
from caxton.agents.views import AgentView

__all__ = [
    "AgentConfig",
    "AgentEvents",
    "AgentRecord",
    "AgentView",
    "Build",
    "Draining",
    "Failed",
    "Instances",
    "KeptOut",
    "Life",
    "LifeMessages",
    "Loaded",
    "Recovery",
    "RecoveryPlan",
    "Registry",
    "Repair",
    "Revision",
    "Running",
    "SparedMemory",
    "Supervisor",
    "Suspended",
    "Unloaded",
]
