"""What is asked for: one deployment.

In: a module and whatever was said of it, as the API, caxton.toml or a rollback says it. Out: one value that goes
through plan, engine and journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from caxton.agents import AgentConfig
from caxton.agents.record import RUNNING, SUSPENDED, Made
from caxton.deploy.options import DeploymentOptions
from caxton.deploy.replay_gate import ReplayGate
from caxton.errors import DeploymentError
from caxton.limits import Limits

STRATEGIES: Final = ("direct", "blue-green", "canary", "shadow")
SIDE_BY_SIDE: Final = frozenset({"canary", "shadow"})
"""Strategies that need the old revision at work, and go on after a restart of the daemon."""


@dataclass(frozen=True, slots=True)
class DeploymentRequest:
    """A module and what the agent is to be told. Raises DeploymentError for a strategy that does not exist."""

    agent: str
    """Its local name; it is made where it does not exist."""
    wasm: bytes
    """The module, or text in the WAT format where `wat` is set."""
    wat: bool = False
    settings: dict[str, Any] | None = None
    """Given to `caxton_init`; None: as they are. So with `limits`."""
    limits: Limits | None = None
    profile: str = "standard"
    recover: str = "replay"
    strategy: str = "direct"
    fresh_state: bool = False
    """Whether the new revision begins without the old one's state."""
    options: DeploymentOptions | None = None
    """How the strategy is to go; None: as `[deploy]` in caxton.toml says."""
    gate: ReplayGate | None = None
    """What the agent's conversations must be answered by the build before it goes in."""
    configured: bool = False
    """Whether it is what caxton.toml says, which a start of the daemon does not say twice."""
    takes_back: str | None = None
    """The deployment that it undoes."""
    tried: bool = False
    """Whether its build is at work here already, so that it need not be tried in an instance of its own."""
    made: Made | None = None
    """Who makes the agent, where no operator does."""
    is_new: bool = False
    """Whether there must be no agent of that name."""
    instead_of: frozenset[str] | None = None
    """The revisions one of which the agent must have; None: any, or none yet."""
    memory: bytes | None = None
    """The state that a new agent begins with; the request is refused where its build does not take it."""
    wait: bool = True
    """Whether to answer when it has ended; else as soon as both revisions live, where they do for long."""

    def __post_init__(self) -> None:
        """Refuse what nobody can do."""
        if self.strategy not in STRATEGIES:
            raise DeploymentError(
                f"there is no strategy {self.strategy!r}", hint=f"there are: {', '.join(STRATEGIES)}"
            )

    def config(self, old: AgentConfig) -> AgentConfig:
        """What the agent is to be told; what was not said stays as it is."""
        return AgentConfig(
            made=self.made or old.made,
            limits=self.limits or old.limits,
            settings=old.settings if self.settings is None else self.settings,
            profile=self.profile,
            recover=self.recover,
            # a suspended agent gets its revision and goes on waiting; a stopped one is started by it
            desired=SUSPENDED if old.desired == SUSPENDED else RUNNING,
        )
