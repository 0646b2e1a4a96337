"""Where a deployment is to lead."""

from __future__ import annotations

from dataclasses import dataclass

from caxton.agents import AgentConfig, Revision


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be true of the agent. `fresh_state`: its memory is not to be carried over."""

    revision: Revision
    config: AgentConfig
    fresh_state: bool = False
