"""Agents that agents make: who may, how many, and like what.

In: what a maker wants. Out: a deployment by the one engine, of an agent within its maker's rights and bounds, which are
those of `caxton.toml` for the agent at the root of a tree of makers.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from caxton.agents import Registry
from caxton.agents.record import AgentConfig, Made, Revision
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.config import alike, check_agent_name, limits_from
from caxton.deploy.children.lineage import Lineage
from caxton.deploy.children.supervision import ChildSupervision
from caxton.deploy.engine.engine import Engine
from caxton.deploy.request import DeploymentRequest
from caxton.errors import ConfigurationError
from caxton.limits import MIB, Limits
from caxton.platform_agents.new_agent import NewAgent, OnFailure
from caxton.platform_agents.vocabulary import failed, refused, unauthorised
from caxton.sandbox.compile.compiler import Compiler

SHORTEST: Final = 8
"""So many digits of a sha256 name a revision."""


class AgentMaker:
    """Makes agents for others."""

    def __init__(
        self,
        *,
        bus: Bus,
        registry: Registry,
        engine: Engine,
        compiler: Compiler,
        clock: Clock,
        lineage: Lineage,
        supervision: ChildSupervision,
    ) -> None:
        self.lineage = lineage
        self._bus = bus
        self._registry = registry
        self._supervision = supervision
        self._engine = engine
        self._compiler = compiler
        self._clock = clock
        self._coming: dict[str, NewAgent] = {}
        """Agents that are being made, by local name."""
        self._recent: dict[str, deque[float]] = {}
        """When agents were made for a tree, by its root: those of the last second."""

    def check(self, wanted: NewAgent) -> None:
        """Whether that agent may be made now; raises Declined."""
        maker = wanted.maker
        if not self.lineage.by_client(maker):
            self._check_rights(wanted)
            self._check_room(wanted)
        name = self._name_of(wanted)
        try:
            check_agent_name(name)
        except ConfigurationError as error:
            raise refused(
                "unrecognised-parameter-value", "name", name[:80], reason=error.message, hint=error.hint
            ) from None
        if name in self._registry.agents or name in self._coming or self.lineage.table(name) is not None:
            raise failed("already-registered", reason=f"there is an agent {name} already, or in caxton.toml")
        other = next((one for one in self._registry.agents if one.casefold() == name.casefold()), None)
        if other is not None:
            raise failed("already-registered", reason=alike(name, other).message)
        self._config_of(wanted)
        self._coming[name] = wanted

    async def create(self, wanted: NewAgent) -> str:
        """Make what was checked."""
        name = next(name for name, one in self._coming.items() if one is wanted)
        try:
            # what was asked for before the daemon's end is asked for again before there are cells
            await self._supervision.begun()
            revision, config = self._config_of(wanted)
            await self._engine.deploy(
                DeploymentRequest(
                    name,
                    await self._compiler.wasm(revision.sha256),
                    settings=config.settings,
                    limits=config.limits,
                    profile=config.profile,
                    recover=config.recover,
                    tried=True,
                    made=config.made,
                )
            )
        finally:
            del self._coming[name]
        if (
            wanted.linked
            and wanted.maker not in self._bus.endpoints
            and not self.lineage.by_client(wanted.maker)
        ):
            # it went while this was made
            await self._supervision.end(self._registry.find(name))
        return self._bus.full_name(name)

    def _check_rights(self, wanted: NewAgent) -> None:
        maker = wanted.maker
        if not self.lineage.may(maker, "create"):
            raise unauthorised(
                f"{maker} may not create agents",
                f'in caxton.toml: [agents.{self.lineage.local(maker)}] may = ["create"]',
            )
        for right in wanted.may:
            if not self.lineage.may(maker, right):
                raise unauthorised(
                    f"{maker} has not the right {right!r} itself", "may: some of its own rights"
                )

    def _check_room(self, wanted: NewAgent) -> None:
        root = self.lineage.root(wanted.maker)
        table = self.lineage.table(root)
        if table is None:
            return
        living = self.lineage.below(root)
        # one that takes its first turn already is among the living
        agents = self._registry.agents
        coming = [
            one
            for name, one in self._coming.items()
            if name not in agents and self.lineage.root(one.maker) == root
        ]
        key = f"[agents.{self.lineage.local(root)}]"
        if len(living) + len(coming) >= table.children:
            raise failed(
                "internal-error",
                "full",
                reason=f"{root} and its children have made {table.children:,} agents that live",
                hint=f"end some, or raise {key} children",
            )
        now, recent = self._clock.monotonic(), self._recent.setdefault(root, deque())
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= table.children_per_s:
            raise failed(
                "internal-error",
                "rate",
                reason=f"{table.children_per_s:,} agents were made for {root} in the last second",
                hint=f"wait, or raise {key} children_per_s",
            )
        if table.children_mib:
            taken = sum(one.config.limits.memory_bytes for one in living)
            taken += sum(self._config_of(one)[1].limits.memory_bytes for one in (*coming, wanted))
            if taken > table.children_mib * MIB:
                raise failed(
                    "internal-error",
                    "memory",
                    reason=f"the children of {root} may have {table.children_mib:,} MiB together, by their limits",
                    hint=f"give them less (limits.memory_bytes), or raise {key} children_mib",
                )
        recent.append(now)

    def _name_of(self, wanted: NewAgent) -> str:
        if wanted.name is not None:
            return self.lineage.local(wanted.name)
        return self._registry.unused(wanted.prefix, self._coming)

    def _config_of(self, wanted: NewAgent) -> tuple[Revision, AgentConfig]:
        """The build, and what the agent is to be told; raises Declined."""
        revision, like = self._like(wanted.like)
        ceiling = self._ceiling(wanted.maker)
        limits = like.limits if ceiling is None else _within(like.limits, ceiling)
        try:
            limits = limits_from(wanted.limits, limits)
        except ValueError as error:
            raise refused(
                "unrecognised-parameter-value", "limits", str(wanted.limits)[:80], reason=str(error)
            ) from None
        if ceiling is not None and (over := _over(limits, ceiling)):
            raise refused(
                "unrecognised-parameter-value",
                "limits",
                over,
                reason=f"{over} is more than {wanted.maker} has itself ({getattr(ceiling, over):,})",
            )
        made = Made(
            maker=wanted.maker,
            asked=wanted.asked,
            linked=wanted.linked,
            may=wanted.may,
            on_failure=wanted.on_failure or self._on_failure(wanted.maker),
            restarts=wanted.restarts,
            within_s=wanted.within_s,
        )
        settings = like.settings if wanted.settings is None else wanted.settings
        return revision, msgspec.structs.replace(like, limits=limits, settings=settings, made=made)

    def _like(self, said: str) -> tuple[Revision, AgentConfig]:
        record = self._registry.agents.get(self.lineage.local(said))
        if record is not None and record.revision is not None:
            return record.revision, record.config
        found = self._registry.beginning(said) if len(said) >= SHORTEST else []
        if len(found) != 1:
            raise refused(
                "unrecognised-parameter-value",
                "like",
                said[:80],
                reason=f"{said[:80]!r} is no agent and no revision that is known here",
                hint=f"an agent's name, or the first {SHORTEST} digits or more of a revision's sha256",
            )
        return found[0], AgentConfig(profile=found[0].profile)

    def _on_failure(self, maker: str) -> str:
        table = self.lineage.table(self.lineage.root(maker))
        return OnFailure.RESTART if table is None else table.on_failure

    def _ceiling(self, maker: str) -> Limits | None:
        endpoint = self._bus.endpoints.get(maker)
        return None if endpoint is None else endpoint.limits


def _within(limits: Limits, ceiling: Limits) -> Limits:
    """Each of the limits, but no more than there."""
    table = {key: min(getattr(limits, key), getattr(ceiling, key)) for key in Limits.__struct_fields__}
    if not limits.turns_per_s or not ceiling.turns_per_s:
        table["turns_per_s"] = max(limits.turns_per_s, ceiling.turns_per_s)
    return Limits(**table)


def _over(limits: Limits, ceiling: Limits) -> str:
    """The first of the limits that is more than there; none is empty."""
    fits = _within(limits, ceiling)
    return next((key for key in Limits.__struct_fields__ if getattr(fits, key) != getattr(limits, key)), "")
