"""Which builds an agent does not run because they were refused, as its deployments say.

In: the rows of an agent's deployments. Out: of each build how it was refused last; an operator dropped it or took it
back, it came back by itself, or it waits at a gate. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from caxton import exact_numbers
from caxton.deploy.replay_gate import DROPPED
from caxton.deploy.saved import Origin
from caxton.deploy.states import ABORTED
from caxton.journal import DeploymentRow
from caxton.schemas.deployments import DAEMON_STOPPED

_ACCEPTED: Final = ("running", "draining")


class Why(StrEnum):
    """How a build was refused."""

    WAITED = "waited"
    """A gate or a trial had not decided when something else came, or the daemon's end."""
    DROPPED = "dropped"
    """An operator dropped it at the gate."""
    ABORTED = "aborted"
    """An operator took it back while both revisions lived."""
    FALTERED = "faltered"
    """It was taken back by itself."""
    SHADOW = "shadow"
    """It ran as a shadow, and nobody promoted it."""
    ROLLED_BACK = "rolled_back"
    """An operator undid its deployment."""


_WORDS: Final = {
    Why.WAITED: "was not let in yet",
    Why.DROPPED: "was dropped at the gate",
    Why.ABORTED: "was taken back",
    Why.FALTERED: "was taken back by itself",
    Why.SHADOW: "ran as a shadow",
    Why.ROLLED_BACK: "was rolled back",
}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One build that the agent does not run because it was refused. `at_us`: microseconds since 1970."""

    revision: str
    why: Why
    reason: str
    """What the deployment ended with, in words."""
    deployment: str
    at_us: int

    def __str__(self) -> str:
        """What a person is told after the build's name."""
        return f"{_WORDS[self.why]} ({self.deployment}: {self.reason})"


class _GateVerdict(msgspec.Struct, frozen=True):
    stopped: bool = False


class Detail(Origin, frozen=True, kw_only=True):
    """What a row says besides its columns."""

    gate: _GateVerdict | None = None


_read_detail = exact_numbers.decoder(Detail).decode


def refusals(rows: Sequence[DeploymentRow], builds: dict[int, str]) -> list[Refusal]:
    """Every build of an agent that was refused last, the newest first. `rows`: its deployments, the newest first;
    `builds`: the sha256 of revisions by number."""
    seen = dict.fromkeys(builds[row.revision_no] for row in rows if row.revision_no in builds)
    return [found for sha256 in seen if (found := refusal(rows, builds, sha256)) is not None]


def refusal(rows: Sequence[DeploymentRow], builds: dict[int, str], sha256: str) -> Refusal | None:
    """How that build was refused, where it was, and was not accepted since."""
    for row in rows:
        if builds.get(row.revision_no) == sha256:
            if row.state in _ACCEPTED:
                return None
            why = refused_how(row, detail_of(row))
            if why is not None:
                return Refusal(
                    revision=sha256,
                    why=why,
                    reason=row.reason or row.state,
                    deployment=row.id,
                    at_us=row.updated_us,
                )
        elif row.previous_no is not None and builds.get(row.previous_no) == sha256:
            undone = detail_of(row).takes_back
            if undone is not None and row.state in _ACCEPTED:
                return Refusal(
                    revision=sha256,
                    why=Why.ROLLED_BACK,
                    reason=f"by {row.id}",
                    deployment=undone,
                    at_us=row.updated_us,
                )
    return None


def refused_how(row: DeploymentRow, detail: Detail) -> Why | None:
    """How a deployment that did not end well refused its build; None where that says nothing about the build."""
    reason = row.reason or ""
    interrupted = reason.startswith(DAEMON_STOPPED)
    match row.state:
        case "rolled_back":
            if interrupted:
                return Why.WAITED
            if reason == ABORTED:
                return Why.ABORTED
            return Why.SHADOW if row.strategy == "shadow" else Why.FALTERED
        case "failed":
            if reason.startswith(DROPPED):
                return Why.DROPPED
            stopped = detail.gate is not None and detail.gate.stopped
            return Why.WAITED if stopped or (interrupted and detail.gated) else None
        case _:
            return Why.WAITED


def detail_of(row: DeploymentRow) -> Detail:
    """What the row says besides its columns, as far as it matters here."""
    return _read_detail(row.detail or "{}")
