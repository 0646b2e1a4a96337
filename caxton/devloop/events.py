"""What happens in a development loop, as values: printed as lines, shown in a viewer, or written as JSON.

In: nothing. Out: one frozen struct for each thing that can happen. As JSON each is an object whose `event` says which
it is. Times are wall time in microseconds since 1970, durations milliseconds, revisions whole sha256.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import msgspec

from caxton.schemas.deployments import GateBody


class Diagnostic(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first thing that a compiler complained about; the place is left out where it named none."""

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """As compilers write it: `counter.c:12:5: error: expected ';'`."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: error: {self.message}" if place else self.message


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """One thing that happened; `at_us` is set when it is published."""

    failure: ClassVar[bool] = False
    """Whether it says that something did not work."""
    at_us: int = 0


class Began(Event, frozen=True, kw_only=True, tag="began"):
    """The loop looks after this project; `implied` when the configuration was made for a folder without one."""

    project: str
    folder: str
    agents: list[str]
    implied: bool


class DaemonUp(Event, frozen=True, kw_only=True, tag="daemon_up"):
    """A daemon answers; `started` when it was started for this loop."""

    started: bool


class Watching(Event, frozen=True, kw_only=True, tag="watching"):
    """Everything is in place; what is saved from now on is taken in."""

    folders: int


class BuildStarted(Event, frozen=True, kw_only=True, tag="build_started"):
    """A module is being built, for the agents that run it. `builder` is command, wat, c, c++, zig, make, cargo, …"""

    agents: list[str]
    builder: str
    source: str


class Preparing(Event, frozen=True, kw_only=True, tag="preparing"):
    """What agents need is being made, once for this machine; `begins` where this is the first word of a step. `part` of
    it is done, 0 to 1."""

    agents: list[str]
    what: str
    begins: bool
    part: float
    left_s: float


class BuildFailed(Event, frozen=True, kw_only=True, tag="build_failed"):
    """It was not built; every agent keeps what it runs."""

    failure = True
    agents: list[str]
    error: Diagnostic
    output: str
    """All that the builder said, at most 256 KiB of it."""
    hint: str | None
    build_ms: float
    keeps: dict[str, str | None]
    """The revision that each agent goes on with; None for one that does not run."""


class Built(Event, frozen=True, kw_only=True, tag="built"):
    """The module stands in its place. Warnings are in `output`."""

    agents: list[str]
    revision: str
    size: int
    build_ms: float
    output: str


class Running(Event, frozen=True, kw_only=True, tag="running"):
    """The agent runs what its source says: at the start, or again.

    `build_ms` is None for a module that is not built here, or was built before.
    """

    agent: str
    revision: str
    build_ms: float | None


class Kept(Event, frozen=True, kw_only=True, tag="kept"):
    """At the start: what the source makes was refused before, so the agent keeps what was accepted last. `why` is how
    it was refused, as the API says it."""

    failure = True
    agent: str
    revision: str
    keeps: str | None
    why: str
    reason: str
    deployment: str
    hint: str


class Deployed(Event, frozen=True, kw_only=True, tag="deployed"):
    """The agent runs another revision, or other settings."""

    agent: str
    previous: str | None
    revision: str
    build_ms: float | None
    compile_ms: float
    cached: bool
    """Whether the daemon had compiled these bytes before."""
    load_ms: float
    pause_ms: float
    """How long the agent took no turn."""
    state: str | None
    """What became of its state: carried or fresh; None for an agent that had none."""
    state_reason: str | None
    settings_changed: bool
    deployment: str
    gate: GateBody | None = None
    """What the agent's conversations were answered by this build (`GateBody`), where it was tried on them."""


class AwaitingDecision(Event, frozen=True, kw_only=True, tag="held"):
    """The gate stopped a build: it waits until somebody accepts or drops it, or saves another one."""

    failure = True
    agent: str
    revision: str
    keeps: str | None
    build_ms: float | None
    deployment: str
    reason: str
    gate: GateBody


class Dropped(Event, frozen=True, kw_only=True, tag="dropped"):
    """A build that waited was dropped; the agent keeps what it runs."""

    agent: str
    revision: str
    keeps: str | None


class DeployedElsewhere(Event, frozen=True, kw_only=True, tag="elsewhere"):
    """A deployment of the agent that is not this loop's was accepted or taken back: by an operator, or by itself."""

    agent: str
    deployment: str
    strategy: str
    state: str
    """running or rolled_back."""
    revision: str
    previous: str | None
    keeps: str | None
    """What the agent runs now."""
    undoes: str | None
    """The deployment that an operator undid by it."""
    reason: str | None


class DeployFailed(Event, frozen=True, kw_only=True, tag="deploy_failed"):
    """The daemon did not take it; the agent keeps what it runs."""

    failure = True
    agent: str
    revision: str
    code: str
    reason: str
    hint: str | None
    keeps: str | None


class Unchanged(Event, frozen=True, kw_only=True, tag="unchanged"):
    """What was built is what runs, byte for byte: nothing was swapped."""

    agent: str
    revision: str
    build_ms: float | None


class ConfigurationFailed(Event, frozen=True, kw_only=True, tag="configuration_failed"):
    """The configuration cannot be used; the one before stays in force."""

    failure = True
    reason: str
    hint: str | None


class ConfigurationRead(Event, frozen=True, kw_only=True, tag="configuration_read"):
    """The configuration was read anew. `later` names what only the daemon's next start takes up."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    later: list[str]


class DaemonGone(Event, frozen=True, kw_only=True, tag="daemon_gone"):
    """No daemon answers and none could be started; what was built is brought to it at the next save."""

    failure = True
    reason: str
    hint: str | None


class Ended(Event, frozen=True, kw_only=True, tag="ended"):
    """The loop has ended; nothing follows."""


Sink = Callable[[Event], None]
"""Whoever is told: must return at once."""
