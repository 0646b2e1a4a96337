"""Agents and deployments as people see them: plain values, made on demand."""

from __future__ import annotations

from typing import Any

import msgspec

from caxton.limits import Limits


class AgentView(msgspec.Struct, frozen=True, kw_only=True):
    """One agent now. Times are microseconds since 1970."""

    name: str
    state: str
    desired: str
    """running or stopped: what its operator wants."""
    revision: str | None
    """sha256 of its module."""
    profile: str
    limits: Limits
    settings: dict[str, Any]
    cell: int | None
    mailbox: int
    """Messages that wait, those in its cell included."""
    in_flight: int
    turns: int
    failed_turns: int
    sent: int
    fuel: int
    turn_us: int
    memory_kib: int
    restarts: int
    hooks: list[str]
    last_error: str | None
    snapshot_seq: int | None
    """The message after whose turn the last snapshot was taken."""
    created_us: int
    updated_us: int


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a deployment went."""

    compile_ms: float
    cached: bool
    """Whether the module had been compiled before."""
    load_ms: float
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
    """What became of the agent's state: "carried" by its hooks, or "fresh"; None for a new agent."""
