"""What a deployment works on."""

from __future__ import annotations

from dataclasses import dataclass

from caxton.agents import Supervisor
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.replay import Replayer


@dataclass(frozen=True, slots=True)
class DeployContext:
    """The parts of the running system that a deployment reads and changes."""

    bus: Bus
    agents: Supervisor
    clock: Clock
    replayer: Replayer
