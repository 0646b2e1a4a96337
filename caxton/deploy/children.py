"""Agents that agents make: who may, how many, like what, and what becomes of them when they or their makers fail.

In: what a maker wants, breakdowns, ends. Out: deployments by the one engine, and agents that end with their makers.
Who made whom is in the agents' own rows, so it holds over a restart. Rights and bounds are those of `caxton.toml`, of
the agent at the root of a tree of makers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import structlog

from caxton.acl import Draft, Performative
from caxton.agents import AgentRecord, Failed, Running, Supervisor
from caxton.agents.record import STOPPED, AgentConfig, Made, Revision
from caxton.bus import Bus
from caxton.bus.new_agent import NewAgent, OnFailure
from caxton.bus.vocabulary import failed, refused, unauthorised
from caxton.clock import Clock
from caxton.config import AgentTable, alike, check_agent_name, limits_from
from caxton.deploy.engine.engine import Engine
from caxton.deploy.request import DeploymentRequest
from caxton.errors import CaxtonError, ConfigurationError
from caxton.journal import DirectoryRow
from caxton.limits import MIB, Limits
from caxton.sandbox.compile.compiler import Compiler

ONTOLOGY: Final = "caxton-children"
"""Of what a maker is told of a child that broke down."""
SHORTEST: Final = 8
"""So many digits of a sha256 name a revision."""

_ENDS: Final = "end"
"""The kind of the rows that say which agents are to be ended."""

log = structlog.get_logger("caxton.agents")


class Children:
    """Makes agents for others, and watches over them."""

    def __init__(
        self,
        *,
        bus: Bus,
        agents: Supervisor,
        engine: Engine,
        compiler: Compiler,
        clock: Clock,
        tables: Mapping[str, AgentTable],
    ) -> None:
        self._bus = bus
        self._agents = agents
        self._registry = agents.registry
        self._engine = engine
        self._compiler = compiler
        self._clock = clock
        self._tables = tables
        self._coming: dict[str, NewAgent] = {}
        """Agents that are being made, by local name."""
        self._recent: dict[str, deque[float]] = {}
        """When agents were made for a tree, by its root: those of the last second."""
        self._ending: set[str] = set()
        """Agents that are to be ended, by local name."""
        self._begun = asyncio.Event()
        self._fallen: dict[str, deque[float]] = {}
        """When a child broke down."""

    # ------------------------------------------------------------------ who made whom

    def maker(self, name: str) -> str | None:
        """The full name of whoever made that agent."""
        made = self._made(name)
        return None if made is None else made.maker

    def made(self, maker: str, asked: int) -> str | None:
        """The agent that was made for that message."""
        for record in self._registry.agents.values():
            made = record.config.made
            if (
                made is not None
                and (made.maker, made.asked) == (maker, asked)
                and record.revision is not None
            ):
                return record.endpoint.name
        return None

    def rules(self, agent: str, name: str) -> bool:
        """Whether an agent made the other one, or its maker, and so on."""
        return agent in self._makers(name)

    def may(self, agent: str, right: str) -> bool:
        """Whether an agent has a right: by caxton.toml, or from its maker."""
        made = self._made(agent)
        if made is not None:
            return right in made.may
        table = self._tables.get(self._local(agent))
        return table is not None and right in table.may

    def of(self, maker: str, *, linked: bool = False) -> list[AgentRecord]:
        """The agents that it made itself; `linked`: those that end with it."""
        return [
            record
            for record in self._registry.agents.values()
            if (made := record.config.made) is not None
            and made.maker == maker
            and (made.linked or not linked)
        ]

    # ------------------------------------------------------------------ making

    def check(self, wanted: NewAgent) -> None:
        """Whether that agent may be made now; raises Declined."""
        maker = wanted.maker
        if not self._by_client(maker):
            self._check_rights(wanted)
            self._check_room(wanted)
        name = self._name_of(wanted)
        try:
            check_agent_name(name)
        except ConfigurationError as error:
            raise refused(
                "unrecognised-parameter-value", "name", name[:80], reason=error.message, hint=error.hint
            ) from None
        if name in self._registry.agents or name in self._coming or name in self._tables:
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
            await self._begun.wait()
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
        if wanted.linked and wanted.maker not in self._bus.endpoints and not self._by_client(wanted.maker):
            # it went while this was made
            await self._end(self._registry.find(name))
        return self._bus.full_name(name)

    def _check_rights(self, wanted: NewAgent) -> None:
        maker = wanted.maker
        if not self.may(maker, "create"):
            raise unauthorised(
                f"{maker} may not create agents",
                f'in caxton.toml: [agents.{self._local(maker)}] may = ["create"]',
            )
        for right in wanted.may:
            if not self.may(maker, right):
                raise unauthorised(
                    f"{maker} has not the right {right!r} itself", "may: some of its own rights"
                )

    def _check_room(self, wanted: NewAgent) -> None:
        root = self._root(wanted.maker)
        table = self._tables.get(self._local(root))
        if table is None:
            return
        living = [one for one in self._registry.agents.values() if root in self._makers(one.endpoint.name)]
        coming = [one for one in self._coming.values() if self._root(one.maker) == root]
        key = f"[agents.{self._local(root)}]"
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
            return self._local(wanted.name)
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
        record = self._registry.agents.get(self._local(said))
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
        table = self._tables.get(self._local(self._root(maker)))
        return OnFailure.RESTART if table is None else table.on_failure

    def _ceiling(self, maker: str) -> Limits | None:
        endpoint = self._bus.endpoints.get(maker)
        return None if endpoint is None else endpoint.limits

    # ------------------------------------------------------------------ what becomes of them

    def broke_down(self, record: AgentRecord, reason: str) -> None:
        """A turn cost an agent its instance, or it does not come up."""
        made = record.config.made
        if made is None:
            return
        match made.on_failure:
            case OnFailure.RESTART:
                if self._too_often(record, made):
                    often = (
                        f"it broke down {made.restarts + 1} times within {made.within_s} s; last: {reason}"
                    )
                    self._give_up(record, made, often)
            case OnFailure.END_ALL:
                self._tell(record, made, reason, "ended-all")
                ended = [one for one in self.of(made.maker, linked=True) if one is not record]
                for one in (record, *ended):
                    self._is_to_end(one.name, is_so=True)
                    self._agents.spawn(self._end(one))
            case _:
                self._give_up(record, made, reason)

    def ended(self, name: str) -> None:
        """An agent was stopped or removed: those that are linked to it end with it."""
        self._is_to_end(self._local(name), is_so=False)
        for record in self.of(name, linked=True):
            self._agents.spawn(self._end(record))

    def changed(self, name: str, what: str, more: Mapping[str, object]) -> None:
        """An agent's life has changed."""
        if what == "stopped" and more.get("reason") != "restarted":
            self.ended(name)

    async def begin(self) -> None:
        """After a start: end what was to end, by itself or with a maker that is gone."""
        for row in await self._bus.journal.reader.directory(_ENDS):
            self._ending.add(row.key)
        for record in list(self._registry.agents.values()):
            made = record.config.made
            if record.name in self._ending:
                await self._end(record)
                continue
            if made is None or not made.linked or self._by_client(made.maker):
                continue
            maker = self._registry.agents.get(self._local(made.maker))
            if maker is None or maker.config.desired == STOPPED:
                await self._end(record)
        self._begun.set()

    def _is_to_end(self, name: str, *, is_so: bool) -> None:
        """Write down that an agent is to be ended, so that it is over a crash; or that it was."""
        if is_so is (name in self._ending):
            return
        self._ending ^= {name}
        now_us, body = self._clock.now_us(), "{}" if is_so else None
        self._bus.journal.batch.records.append(DirectoryRow(_ENDS, name, now_us, None, body))

    def _too_often(self, record: AgentRecord, made: Made) -> bool:
        now = self._clock.monotonic()
        fallen = self._fallen.setdefault(record.name, deque(maxlen=made.restarts + 1))
        fallen.append(now)
        return len(fallen) > made.restarts and now - fallen[0] <= made.within_s

    def _give_up(self, record: AgentRecord, made: Made, reason: str) -> None:
        """A child waits for what its maker decides: to resume it, or to destroy it."""
        self._fallen.pop(record.name, None)
        if isinstance(record.life, Running) and not record.busy:
            # at once, so that it is in the batch of the turn that broke it
            record.endpoint.suspend()
            record.suspend()
            self._agents.events.note(record, "suspended", reason=reason)
            self._tell(record, made, reason, "suspended")
        elif isinstance(record.life, Failed):
            self._agents.repair.forget(record)
            self._tell(record, made, reason, "failed")
        else:
            self._agents.spawn(self._suspend(record, made, reason))

    def _tell(self, record: AgentRecord, made: Made, reason: str, done: str) -> None:
        """Tell its maker, in a causal tree of its own."""
        if self._by_client(made.maker) or made.maker not in self._bus.endpoints:
            return
        content: dict[str, Any] = {
            "what": "failed",
            "name": record.endpoint.name,
            "reason": reason,
            "done": done,
        }
        draft = Draft(
            Performative.INFORM,
            [made.maker],
            msgspec.Raw(msgspec.json.encode(content)),
            ontology=ONTOLOGY,
        )
        ams = self._bus.full_name("ams")
        self._bus.admit(draft, ams, trace_id=self._bus.ids.trace(), cause=0, hops=0)

    async def _suspend(self, record: AgentRecord, made: Made, reason: str) -> None:
        try:
            await self._agents.suspend(record.name, reason)
            self._tell(record, made, reason, "suspended")
        except CaxtonError as error:
            log.warning("a child could not be suspended", agent=record.name, reason=error.message)

    async def _end(self, record: AgentRecord) -> None:
        if self._registry.agents.get(record.name) is not record:
            return
        try:
            await self._agents.remove(record.name)
        except CaxtonError as error:
            log.warning("a child could not be ended", agent=record.name, reason=error.message)

    # ------------------------------------------------------------------ names

    def _made(self, name: str) -> Made | None:
        record = self._registry.agents.get(self._local(name))
        return None if record is None else record.config.made

    def _makers(self, name: str) -> Iterator[str]:
        """Its maker, that one's maker, and so on."""
        seen = {name}
        while (maker := self.maker(name)) is not None and maker not in seen:
            yield maker
            seen.add(maker)
            name = maker

    def _root(self, name: str) -> str:
        *_, root = (name, *self._makers(name))
        return root

    def _by_client(self, maker: str) -> bool:
        return self._bus.clients.is_client(maker)

    def _local(self, name: str) -> str:
        return name.removesuffix(f"@{self._bus.platform}")


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
