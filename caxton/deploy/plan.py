"""What a deployment would change, before anything is done.

In: an agent as it is, or none, and what it is to be. Out: one line for each thing that would be another. Pure.
"""

from __future__ import annotations

from typing import Any

import msgspec

from caxton.agents import AgentConfig, AgentRecord, Running, Suspended
from caxton.agents.life import state_name
from caxton.deploy.request import DeploymentRequest


class PlannedChange(msgspec.Struct, frozen=True):
    """One thing that would change; None is for what is not there."""

    what: str
    before: Any
    after: Any


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What `agent deploy` would do."""

    agent: str
    new: bool
    """Whether there is no such agent yet."""
    state: str | None
    """What the agent is now."""
    strategy: str
    revision: str
    previous: str | None
    unchanged: bool
    """Whether it would do nothing."""
    changes: list[PlannedChange]
    options: dict[str, Any] = msgspec.field(name="terms")
    """How the strategy would go."""


def changes(
    old: AgentConfig | None, new: AgentConfig, previous: str | None, revision: str
) -> list[PlannedChange]:
    """Everything that would be another, in the order of importance."""
    lines: list[PlannedChange] = []
    if previous != revision:
        lines.append(PlannedChange("revision", previous, revision))
    before = msgspec.structs.asdict(old) if old is not None else {}
    for name, after in msgspec.structs.asdict(new).items():
        was = before.get(name)
        if name == "limits":
            lines += _fields(
                "limits", msgspec.to_builtins(was) if was is not None else {}, msgspec.to_builtins(after)
            )
        elif name == "settings":
            lines += _fields("settings", was or {}, after)
        elif name != "desired" and was != after:
            lines.append(PlannedChange(name, was, after))
    return lines


def _fields(prefix: str, old: dict[str, Any], new: dict[str, Any]) -> list[PlannedChange]:
    return [
        PlannedChange(f"{prefix}.{key}", old.get(key), new.get(key))
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def plan_of(
    request: DeploymentRequest, agent: AgentRecord | None, config: AgentConfig, revision: str
) -> Plan:
    """What that request would do: it leads to that configuration and to the revision with that sha256."""
    old = agent.config if agent is not None else None
    previous = agent.revision.sha256 if agent is not None and agent.revision is not None else None
    lines = changes(old, config, previous, revision)
    runs = agent is not None and isinstance(agent.life, Running | Suspended)
    return Plan(
        agent=request.agent,
        new=agent is None,
        state=state_name(agent.life) if agent is not None else None,
        strategy=request.strategy if runs else "direct",
        revision=revision,
        previous=previous,
        unchanged=runs and not lines,
        changes=lines,
        options=msgspec.to_builtins(request.options),
    )
