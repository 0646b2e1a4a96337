"""What the registry writes down: agents, their builds, deployments and states, tasks, entries of the directories.

In: what became of an agent, a task or an entry. Out: records for a `Batch`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from caxton.journal.records.record import MAX_AGENT_NO, Record, Scalar, insert

KEPT, CARRIED, FRESH, RESTORED = "kept", "carried", "fresh", "restored"
"""What a row of `snapshot` is (SnapshotRow)."""


@dataclass(frozen=True, slots=True)
class AgentRow(Record):
    """An agent as the registry last knew it; a number belongs to one name for ever. `config` is a JSON
    object."""

    sql: ClassVar[str] = insert("agent", 7)
    no: int
    name: str
    state: str
    revision_no: int | None
    config: str
    created_us: int
    updated_us: int

    def __post_init__(self) -> None:
        if not 0 <= self.no <= MAX_AGENT_NO:
            raise ValueError(f"agent number {self.no} is outside 0..{MAX_AGENT_NO}")

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.no,
            self.name,
            self.state,
            self.revision_no,
            self.config,
            self.created_us,
            self.updated_us,
        )


@dataclass(frozen=True, slots=True)
class RevisionRow(Record):
    """One build of an agent: its sha256 and profile, and where the module lies (`path`)."""

    sql: ClassVar[str] = insert("revision", 6)
    no: int
    sha256: str
    profile: str
    size: int
    path: str
    created_us: int

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.no, self.sha256, self.profile, self.size, self.path, self.created_us)


@dataclass(frozen=True, slots=True)
class DeploymentRow(Record):
    """The move of an agent to another revision, as it stands. `detail` is a JSON object."""

    sql: ClassVar[str] = insert("deployment", 10)
    id: str
    agent_no: int
    revision_no: int
    previous_no: int | None
    strategy: str
    state: str
    reason: str | None
    created_us: int
    updated_us: int
    detail: str = "{}"

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.id,
            self.agent_no,
            self.revision_no,
            self.previous_no,
            self.strategy,
            self.state,
            self.reason,
            self.created_us,
            self.updated_us,
            self.detail,
        )


@dataclass(frozen=True, slots=True)
class SnapshotRow(Record):
    """A moment from which an agent's memory can be had again: that of its turn on message `seq`, or just after.

    `kind` says what was at that moment: "kept", its state was taken and it went on; "carried", the revision took over
    that state; "fresh", it began with nothing (and `data` is empty); "restored", it came back with an earlier state, so
    what it did in between is forgotten. Each but "kept" cuts its past: turns before are not to be run again after it.
    """

    sql: ClassVar[str] = insert(
        "snapshot(agent_no, seq, at_us, revision_no, kind, number, data)", 6, blob=True
    )
    takes_blob: ClassVar[bool] = True
    agent_no: int
    seq: int
    at_us: int
    revision_no: int
    data: bytes
    kind: str = KEPT
    number: int | None = None
    """That of the agent's latest turn by then; None where an earlier version wrote it down."""

    @property
    def blob(self) -> bytes:
        """The guest's state."""
        return self.data

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.agent_no, self.seq, self.at_us, self.revision_no, self.kind, self.number)


@dataclass(frozen=True, slots=True)
class TaskRow(Record):
    """A task as it stands; `seq` is the number at which it began, `upto` the one at which it ended (0: it has not).

    `wanted` is its order as a JSON object.
    """

    sql: ClassVar[str] = insert("task", 11)
    seq: int
    id: str
    protocol: str
    state: str
    outcome: str | None
    ending: str | None
    reason: str | None
    wanted: str
    created_us: int
    updated_us: int
    upto: int = 0

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.seq,
            self.id,
            self.protocol,
            self.state,
            self.outcome,
            self.ending,
            self.reason,
            self.wanted,
            self.created_us,
            self.updated_us,
            self.upto,
        )


@dataclass(frozen=True, slots=True)
class DirectoryRow(Record):
    """One registration with `ams` or `df`, or a subscription; a row without a body takes it out again.

    `expires_us` is when a lease ends, None for none; `body` a JSON object.
    """

    sql: ClassVar[str] = insert("directory", 5)
    kind: str
    key: str
    at_us: int
    expires_us: int | None
    body: str | None

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.kind, self.key, self.at_us, self.expires_us, self.body)
