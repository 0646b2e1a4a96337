"""Agents under test: on the real machine, or in one process on virtual time with an order that a seed decides.

`running` builds agents and runs them in a daemon of their own, as they will run. `runtime` runs the same runtime in
the test's own process, where time costs nothing, a seed repeats a run, and disk, cells and the power fail on command.
"""

from caxton.journal.memory import DiskError, MemoryDisk
from caxton.simulation.agents import Agent, NotReady
from caxton.simulation.life import Crashed
from caxton.simulation.schedule import Pace
from caxton.simulation.system import System, runtime
from caxton.testing.builds import built
from caxton.testing.running import Running, running
from caxton.testing.script import AsyncScript, Script, Unexpected

__all__ = [
    "Agent",
    "AsyncScript",
    "Crashed",
    "DiskError",
    "MemoryDisk",
    "NotReady",
    "Pace",
    "Running",
    "Script",
    "System",
    "Unexpected",
    "built",
    "running",
    "runtime",
]
