"""What a deployment's row says besides its columns, as far as it is read again.

In: a row. Out: what a rollback, the next start of the daemon, or a deployment that goes on needs to know.
"""

from __future__ import annotations

from typing import Any

import msgspec

from caxton import exact_numbers
from caxton.agents import AgentConfig
from caxton.deploy.checks import Check
from caxton.deploy.options import DeploymentOptions
from caxton.deploy.request import SIDE_BY_SIDE
from caxton.deploy.strategies.revision_metrics import ComparedMetrics
from caxton.journal import DeploymentRow


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a deployment went."""

    compile_ms: float
    cached: bool
    """Whether the module had been compiled before."""
    load_ms: float
    """Until the new revision was ready to take over; the old one worked on."""
    pause_us: int
    """How long the agent took no turn, in microseconds; 0 for a new agent."""


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent was told before; a rollback tells it so again."""

    before: AgentConfig | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What two live revisions need to go on after a restart, besides their progress."""

    metrics: ComparedMetrics = msgspec.field(name="sides")
    joined_seq: int = 0
    """The message after which both lived."""
    since: int | None = None
    """The message after which the new revision began with nothing, where it did."""


class SavedState(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment needs to go on after a restart of the daemon, as its row has it."""

    options: DeploymentOptions = msgspec.field(name="terms")
    config: AgentConfig
    kept: Kept
    progress: dict[str, Any]
    timings: Timings
    validation: list[Check]
    memory: str | None = None
    memory_reason: str | None = None
    fresh_state: bool = False
    before: AgentConfig | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a deployment came from, as far as the next start of the daemon has to know (`configured_builds`)."""

    offered: AgentConfig | None = None
    """What caxton.toml said besides, where the revision is the one that it names."""
    takes_back: str | None = None
    """The deployment that it undoes."""
    gated: bool = False
    """Whether a gate stood before it."""


class SavedProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a deployment was when the daemon ended."""

    progress: dict[str, Any]
    kept: Kept
    old_keys: list[int]
    """Conversations in which the old revision spoke last, by the journal's keys; and the new one's."""
    new_keys: list[int]


_read_state = exact_numbers.decoder(SavedState, strict=False).decode
read_before = exact_numbers.decoder(Before).decode
"""What the row of a deployment says of before it."""
read_origin = exact_numbers.decoder(Origin).decode
"""What it says of where it came from."""


def goes_on(row: DeploymentRow) -> SavedState | None:
    """What a deployment goes on with after a restart; None for one that ends with the daemon."""
    if row.state != "deploying" or row.strategy not in SIDE_BY_SIDE or row.previous_no is None:
        return None
    try:
        return _read_state(row.detail)
    except msgspec.MsgspecError:
        return None  # its instances did not stand side by side yet
