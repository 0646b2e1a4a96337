"""Agents that leave this project and agents that come to it.

In: the name of an agent that runs, or a bundle. Out: a bundle of one moment, after a turn; an agent that is stopped
here once somebody has the bundle; an agent at work here, with all that it had, or a refusal that names what would be
lost.

Leaving has two steps, so that nothing is lost between them: `export` suspends the agent and gives the bundle, and only
`leave`, once that is written somewhere, ends its conversations. Coming has one: the agent, its memory, its timers and
its registrations are there with the same commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import msgspec

from caxton import __version__, exact_numbers
from caxton.agents import AgentRecord, AgentView, Running, Supervisor, Suspended
from caxton.agents.record import SUSPENDED
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.config import Config, check_agent_name
from caxton.deploy import DeploymentRequest, DeploymentView, Engine, Lineage
from caxton.errors import AgentExists, InvalidState, WouldLose
from caxton.journal import FRESH
from caxton.limits import Limits
from caxton.sandbox.compile.compiler import Compiler
from caxton.transfer.belongings import Arriving, Registrations
from caxton.transfer.bundle import Bundle, Manifest, Profile, Recover, read_bundle, write_bundle

RIGHTS: Final = ("create", "destroy", "suspend", "resume")
WHY: Final = "exported"


class Exported(msgspec.Struct, frozen=True):
    """A bundle, and how its agent was before."""

    manifest: Manifest
    data: bytes
    ran: bool
    """Whether the agent took turns; else it was suspended already."""


class Imported(msgspec.Struct, frozen=True):
    """How an agent came, and what of it did not."""

    deployment: DeploymentView
    manifest: Manifest
    lost: list[str]


class Transfer:
    """Takes agents out and in."""

    def __init__(
        self,
        *,
        bus: Bus,
        agents: Supervisor,
        engine: Engine,
        compiler: Compiler,
        clock: Clock,
        lineage: Lineage,
        registrations: Registrations,
        config: Config,
    ) -> None:
        self._bus = bus
        self._agents = agents
        self._engine = engine
        self._compiler = compiler
        self._clock = clock
        self._lineage = lineage
        self._registrations = registrations
        self._config = config
        self._exported: dict[str, int] = {}
        """By full name, the moment of an agent that rests since."""
        self._leaving: set[str] = set()
        """Full names."""
        self._coming: dict[str, Arriving] = {}
        """By full name."""
        agents.events.watch(self._changed)

    # ------------------------------------------------------------------ out

    async def export(self, name: str, *, keep: bool = False, force: bool = False) -> Exported:
        """A bundle of an agent as it is after its present turn; it is suspended then, or goes on with `keep`.

        Raises InvalidState for one that does not run, WouldLose where something stays behind, unless `force`d; then
        the bundle says what. Nothing has ended yet: see `leave`.
        """
        record = self._agents.registry.find(name)
        ran = isinstance(record.life, Running)
        if not ran and not isinstance(record.life, Suspended):
            raise InvalidState(
                f"{record.name} is {record.state}; only an agent that runs or is suspended can be exported",
                hint=f"start it: caxton agent start {record.name}",
            )
        async with self._agents.resting(record, WHY):
            memory, lost = await self._memory(record)
            lost += self._stays_behind(record)
            if lost and not force:
                raise _would_lose(f"{record.name} would lose", lost)
            assert record.revision is not None
            module = await self._compiler.wasm(record.revision.sha256)
            manifest = self._manifest(record, len(module), memory, lost)
            if ran and not keep:
                record.suspend()
                self._agents.events.changed(record, "suspended", reason=WHY)
            self._exported[record.endpoint.name] = manifest.moment
        return Exported(manifest, write_bundle(Bundle(manifest, module, memory)), ran)

    async def leave(self, name: str, moment: int) -> AgentView:
        """The bundle of that moment is kept somewhere: stop the agent here, end its conversations and tell its peers.

        What waits for it becomes dead letters; its timers, registrations and subscriptions are gone. Its memory stays
        until it is removed. Raises InvalidState where it, or the daemon, has not rested since.
        """
        record = self._agents.registry.find(name)
        if self._exported.get(record.endpoint.name) != moment or record.config.desired != SUSPENDED:
            raise InvalidState(
                f"{record.name} may not be as it was exported: it or the daemon has been started since",
                hint=f"export it again: caxton agent export {record.name} FILE",
            )
        self._leaving.add(record.endpoint.name)
        try:
            return await self._agents.stop(record.name, drain=False)
        finally:
            self._leaving.discard(record.endpoint.name)

    async def _memory(self, record: AgentRecord) -> tuple[bytes | None, list[str]]:
        """Its state; or why it has none that could be taken along."""
        if self._agents.instances.keeps(record):
            return await self._agents.repair.snapshots.state(record), []
        if record.config.recover == "fresh":
            return None, []
        await self._bus.journal.written()
        began = await self._bus.journal.reader.snapshot(record.number)
        if began is not None and began.kind == FRESH and began.seq == record.endpoint.last_seq:
            # it has had no turn
            return None, []
        return None, ["its memory: its build has no caxton_snapshot and caxton_restore"]

    def _stays_behind(self, record: AgentRecord) -> list[str]:
        children = [one.name for one in self._lineage.of(record.endpoint.name)]
        if not children:
            return []
        more = f" and {len(children) - 3:,} more" if len(children) > 3 else ""
        return [f"its children, which stay here: {', '.join(children[:3])}{more}"]

    def _manifest(
        self, record: AgentRecord, module_bytes: int, memory: bytes | None, lost: list[str]
    ) -> Manifest:
        full, config = record.endpoint.name, record.config
        has = self._registrations.of(full)
        assert record.revision is not None
        return Manifest(
            name=record.name,
            platform=self._bus.platform,
            caxton=__version__,
            exported_us=self._clock.now_us(),
            moment=record.endpoint.last_seq,
            revision=record.revision.sha256,
            module_bytes=module_bytes,
            memory_bytes=None if memory is None else len(memory),
            profile=cast("Profile", config.profile),
            recover=cast("Recover", config.recover),
            limits=config.limits,
            settings=msgspec.Raw(exact_numbers.encode(config.settings)),
            may=[right for right in RIGHTS if self._lineage.may(full, right)],
            maker=self._lineage.maker(full),
            ownership=has.ownership,
            services=has.services,
            timers=has.timers,
            subscriptions=has.subscriptions,
            lost=lost,
        )

    # ------------------------------------------------------------------ in

    async def take_in(self, data: bytes, *, force: bool = False) -> Imported:
        """Bring the agent of a bundle to work here, as it was where it comes from.

        Raises BundleError for bytes that are no sound bundle; AgentExists; WouldLose where something of it would be
        lost, unless `force`d; and what keeps a deployment from coming up. Then nothing of it is here.
        """
        bundle = read_bundle(data)
        manifest = bundle.manifest
        name = check_agent_name(manifest.name)
        full = self._bus.full_name(name)
        record = self._agents.registry.agents.get(name)
        if full in self._coming or (record is not None and record.revision is not None):
            raise AgentExists(
                f"there is an agent {name} here already", hint=f"caxton agent remove {name}, if it may go"
            )
        arriving = self._registrations.judged(manifest, name)
        limits = self._config.limits_of(name)
        fits = bundle.memory is None or len(bundle.memory) <= limits.snapshot_bytes
        lost = [*self._less(manifest, name, limits, fits=fits), *arriving.lost]
        if lost and not force:
            raise _would_lose(f"{name} would lose here", lost)
        self._coming[full] = arriving
        try:
            deployment = await self._engine.deploy(
                DeploymentRequest(
                    name,
                    bundle.module,
                    settings=bundle.settings,
                    limits=limits,
                    profile=manifest.profile,
                    recover=manifest.recover,
                    is_new=True,
                    memory=bundle.memory if fits else None,
                )
            )
        finally:
            self._coming.pop(full, None)
        return Imported(deployment, manifest, lost)

    def _less(self, manifest: Manifest, name: str, limits: Limits, *, fits: bool) -> Iterator[str]:
        """What an agent has where it comes from and would not have here, beside its registrations."""
        if manifest.platform != self._bus.platform:
            yield (
                f"its name: it is {name}@{manifest.platform} there and {self._bus.full_name(name)} here, "
                "and names that it remembers stay as they are"
            )
        if not fits:
            yield f"its memory: {manifest.memory_bytes:,} bytes, limits.snapshot_bytes is {limits.snapshot_bytes:,}"
        for key in Limits.__struct_fields__:
            here, there = getattr(limits, key), getattr(manifest.limits, key)
            # for turns_per_s, 0 is the most
            if here < there if key != "turns_per_s" else 0 < here < (there or here + 1):
                yield f"limits.{key}: {there:,} there, {here:,} here"
        for right in manifest.may:
            if not self._lineage.granted(name, right):
                yield f"its right {right!r}: give it in caxton.toml, [agents.{name}] may"
        if manifest.maker is not None:
            yield f"its maker: {manifest.maker[:128]!r} has nothing to say to it here"

    def _changed(self, name: str, what: str, more: Mapping[str, Any]) -> None:
        """An agent's life has changed, and the row that says so is in the batch at hand."""
        if what != "suspended":
            self._exported.pop(name, None)
        if what == "stopped" and name in self._leaving:
            self._registrations.give_up(name)
        elif what == "deployed" and name in self._coming:
            self._registrations.take_up(name, self._coming.pop(name))


def _would_lose(what: str, lost: list[str]) -> WouldLose:
    return WouldLose(f"{what}: {'; '.join(lost)}", hint="to take it along without that: --force", lost=lost)
