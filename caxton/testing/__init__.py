"""Agents under test: on the real machine, or in one process on virtual time with an order that a seed decides.

`running` builds agents and runs them in a daemon of their own, as they will run. `runtime` runs the same runtime in
the test's own process, where time costs nothing, a seed repeats a run, and disk, cells and the power fail on command.
"""

from caxton.journal.memory import DiskError, MemoryDisk
from caxton.testing.builds import Agent, NotReady, built
from caxton.testing.life import Crashed
from caxton.testing.running import Running, running
from caxton.testing.schedule import Pace
from caxton.testing.system import System, runtime

__all__ = [
    "Agent",
    "Crashed",
    "DiskError",
    "MemoryDisk",
    "NotReady",
    "Pace",
    "Running",
    "System",
    "built",
    "running",
    "runtime",
]
