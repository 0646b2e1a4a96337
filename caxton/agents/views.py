"""Agents as people see them: plain values, made on demand."""

from __future__ import annotations

from typing import Any

import msgspec

from caxton.agents.life import Draining, Failed, Running, Suspended, Unloaded
from caxton.agents.record import AgentRecord, KeptOut, RecoveryProgress
from caxton.limits import Limits


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
    maker: str | None
    """Who had it made; None where an operator deployed it."""
    linked: bool
    """Whether it ends with its maker."""
    last_error: str | None
    reason: str | None
    """Why it has failed."""
    retry_us: int | None
    """When it is started again by itself, where it has failed."""
    snapshot_seq: int | None
    """The message after whose turn the last snapshot was taken."""
    recovery: RecoveryProgress | None
    """How far it is, while its memory comes back."""
    snapshot_error: str | None
    """Why its state could not be kept the last time, and the key to raise; it works all the same."""
    kept_out: KeptOut | None
    """The build at its `wasm` that the start of the daemon did not take in."""
    created_us: int
    updated_us: int


def view_of(record: AgentRecord) -> AgentView:
    """That agent as it is now."""
    endpoint, cell, config = record.endpoint, record.cell, record.config
    made, platform = config.made, endpoint.name.removeprefix(record.name)
    runs = isinstance(record.life, Running | Suspended | Draining)
    memory = cell.meters.slot_kib.get(endpoint.slot) if cell and cell.meters else None
    return AgentView(
        name=record.name,
        state=record.state,
        desired=config.desired,
        revision=None if isinstance(record.life, Unloaded) else record.life.revision or None,
        profile=config.profile,
        limits=config.limits,
        settings=config.settings,
        cell=cell.no if cell and runs else None,
        mailbox=endpoint.depth,
        in_flight=len(endpoint.in_flight),
        turns=endpoint.turns,
        failed_turns=endpoint.failed_turns,
        sent=endpoint.sent,
        fuel=endpoint.fuel,
        turn_us=endpoint.turn_us,
        memory_kib=memory if runs else 0,
        restarts=record.restarts,
        hooks=list(record.hooks),
        maker=None if made is None else made.maker.removesuffix(platform),
        linked=made is not None and made.linked,
        last_error=endpoint.last_error,
        reason=record.life.reason if isinstance(record.life, Failed) else None,
        retry_us=record.retry_us,
        snapshot_seq=record.snapshot_seq,
        recovery=record.recovery,
        snapshot_error=record.snapshot_error,
        kept_out=record.kept_out,
        created_us=record.created_us,
        updated_us=record.updated_us,
    )
