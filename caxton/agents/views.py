"""Agents as people see them: plain values, made on demand."""

from __future__ import annotations

from typing import Any

import msgspec

from caxton.limits import Limits


class KeptOut(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at an agent's `wasm` and was not taken in when the daemon started, because of what was decided
    before."""

    revision: str
    why: str
    """How it was refused (`waited`, `dropped`, `aborted`, `faltered`, `shadow`, `rolled_back`), or `replaced`: the
    file says what it said before, and something else was deployed since."""
    reason: str
    deployment: str | None
    """The one that decided it."""


class AgentView(msgspec.Struct, frozen=True, kw_only=True):
    """One agent now. Times are microseconds since 1970."""

    name: str
    state: str
    desired: str
    """running, suspended or stopped: what its operator wants."""
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
    memory_kib: int | None
    """Linear memory of its instance; None where nobody can know (a component), or nobody has looked yet."""
    restarts: int
    hooks: list[str]
    last_error: str | None
    snapshot_seq: int | None
    """The message after whose turn the last snapshot was taken."""
    kept_out: KeptOut | None
    """The build at its `wasm` that the start of the daemon did not take in."""
    created_us: int
    updated_us: int
