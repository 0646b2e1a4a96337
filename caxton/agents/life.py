"""The life of an agent as types: a step that the state does not allow is an error of the type checker.

                                         Suspended
                                          ▲     │
                                    suspend     resume
                                          │     ▼
    Unloaded ──load──▶ Loaded ──start──▶ Running ──drain──▶ Draining ──drained──▶ Loaded
        ▲                 │                 │                   │
        └────unload───────┘                 └──fail──▶ Failed ◀─┘   (as from every other state)
                                                          └──reset──▶ Loaded

The states are the architecture document's ("Domain Model") and FIPA's `suspended` (FIPA00023, 5.1). They are pure:
no step does anything, it only says what the agent is now; the supervisor does the work and keeps the value.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unloaded:
    """A name without an instance and without a module to make one from."""

    def load(self, revision: str) -> Loaded:
        """A revision (sha256 of the module) was checked and compiled."""
        return Loaded(revision)

    def fail(self, reason: str) -> Failed:
        """There is no module to make an instance from."""
        return Failed("", reason)


@dataclass(frozen=True, slots=True)
class Loaded:
    """There is a revision; nothing runs."""

    revision: str

    def start(self, cell: int, slot: int) -> Running:
        """An instance is in a cell."""
        return Running(self.revision, cell, slot)

    def unload(self) -> Unloaded:
        """The revision is taken away."""
        return Unloaded()

    def fail(self, reason: str) -> Failed:
        """No instance of it comes up."""
        return Failed(self.revision, reason)


@dataclass(frozen=True, slots=True)
class Running:
    """An instance handles messages."""

    revision: str
    cell: int
    slot: int

    def swap(self, revision: str, slot: int) -> Running:
        """Another revision has taken over between two turns."""
        return Running(revision, self.cell, slot)

    def suspend(self) -> Suspended:
        """It takes no turn until it is resumed; its mailbox fills."""
        return Suspended(self.revision, self.cell, self.slot)

    def drain(self) -> Draining:
        """Nothing new is taken; what waits is still handled."""
        return Draining(self.revision, self.cell, self.slot)

    def halt(self) -> Loaded:
        """The instance is gone, on purpose or with its cell; it may be started again."""
        return Loaded(self.revision)

    def fail(self, reason: str) -> Failed:
        """It was started again too often, or could not be."""
        return Failed(self.revision, reason)


@dataclass(frozen=True, slots=True)
class Suspended:
    """There is an instance, and it takes no turn; what comes waits in the mailbox."""

    revision: str
    cell: int
    slot: int

    def resume(self) -> Running:
        """It handles messages again, those that waited first."""
        return Running(self.revision, self.cell, self.slot)

    def swap(self, revision: str, slot: int) -> Suspended:
        """Another revision stands ready in its place."""
        return Suspended(revision, self.cell, slot)

    def halt(self) -> Loaded:
        """The instance is gone, on purpose or with its cell; it may be made again."""
        return Loaded(self.revision)

    def fail(self, reason: str) -> Failed:
        """Its instance could not be made again."""
        return Failed(self.revision, reason)


@dataclass(frozen=True, slots=True)
class Draining:
    """The instance handles what still waits."""

    revision: str
    cell: int
    slot: int

    def drained(self) -> Loaded:
        """Nothing waits any more and the instance is gone."""
        return Loaded(self.revision)

    def fail(self, reason: str) -> Failed:
        """It broke while draining."""
        return Failed(self.revision, reason)


@dataclass(frozen=True, slots=True)
class Failed:
    """It was given up; a person may start it again."""

    revision: str
    reason: str

    def reset(self) -> Loaded:
        """A person wants another try."""
        return Loaded(self.revision)


Life = Unloaded | Loaded | Running | Suspended | Draining | Failed


def state_name(life: Life) -> str:
    """The state's name as the API and the journal write it."""
    return type(life).__name__.lower()
