"""A deployment as people see it.

In: nothing. Out: plain values, for the API, for events and for whoever asked for the deployment.
"""

from __future__ import annotations

from typing import Any

import msgspec

from caxton.deploy.checks import Check
from caxton.deploy.replay_gate import GateVerdict


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a deployment went."""

    compile_ms: float
    cached: bool
    """Whether the module had been compiled before."""
    load_ms: float
    """Until the new revision was ready to take over; the old one worked on."""
    pause_us: int
    """How long the agent took no turn, in microseconds; 0 for a new agent."""


class DeploymentView(msgspec.Struct, frozen=True, kw_only=True):
    """The move of one agent to a revision. States are the architecture document's."""

    id: str
    agent: str
    revision: str
    previous: str | None
    strategy: str
    state: str
    reason: str | None
    created_us: int
    updated_us: int
    timings: Timings | None = None
    memory: str | None = None
    """What became of the agent's state: "carried" by its hooks, "rebuilt" by running its past again, or "fresh"; None
    for a new agent."""
    memory_reason: str | None = None
    """Why the new revision began without the old one's state, or how much of the past was run."""
    unchanged: bool = False
    """Whether the agent ran exactly this already, so that nothing was done."""
    validation: list[Check] = []
    """The steps that the new revision had to pass before any message went to it."""
    progress: dict[str, Any] | None = None
    """How far it is while both revisions live: stage, times, what was measured."""
    gate: GateVerdict | None = None
    """What the agent's conversations were answered by the new revision, where that was asked for."""
    waits: bool = False
    """Whether it waits for an operator to promote or abort it."""
    configured: bool = False
    """Whether caxton.toml named that revision."""
    takes_back: str | None = None
    """The deployment that it undoes."""
