"""A running system without its HTTP server: every service, built in order and taken down in order.

In: a project. Out: a bus with agents on cells and a journal under them. The daemon puts the HTTP server before it;
the bench and the tests use it as it is.

The order is the way of a message turned round: journal, bus, cells, agents, what changes them; what waits in the
journal is put back into the mailboxes before any agent runs, so that nothing overtakes it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from caxton.agents import (
    AgentEvents,
    Instances,
    LifeMessages,
    Recovery,
    Registry,
    Repair,
    SparedMemory,
    Supervisor,
)
from caxton.agents.standstills import Standstills
from caxton.bus import Bus
from caxton.bus.platform_agent import TOPICS
from caxton.bus.referee_service import WRITE_S, RefereeService
from caxton.bus.seeds import KEY, Seeds
from caxton.cells import CellPool
from caxton.clock import Clock
from caxton.config import Project
from caxton.deploy import (
    AgentMaker,
    ChildSupervision,
    ConfiguredAgents,
    ConfiguredBuilds,
    Engine,
    Lineage,
    options_of,
)
from caxton.effects.effects import Effects
from caxton.hold.hold import Hold
from caxton.ids import Ids
from caxton.journal import Journal, JournalSettings
from caxton.machine import Machine, RealMachine
from caxton.platform_agents.ams import Ams
from caxton.platform_agents.df import Df
from caxton.platform_agents.timer import Timer
from caxton.platform_agents.topics import Topics
from caxton.protocols import library
from caxton.replay import Replayer
from caxton.sandbox.compile.compiler import Compiler
from caxton.tasks import Tasks
from caxton.transfer import Registrations, Transfer

MARK_S: Final = 1.0
"""How often the low-water mark is written: what a restart has to look through at the most."""

log = structlog.get_logger("caxton")


@dataclass(frozen=True, slots=True)
class Runtime:
    """The services of one running system."""

    project: Project
    clock: Clock
    journal: Journal
    bus: Bus
    cells: CellPool
    compiler: Compiler
    agents: Supervisor
    engine: Engine
    replayer: Replayer
    tasks: Tasks
    ams: Ams
    df: Df
    timer: Timer
    topics: Topics | None
    """None where an agent has that name."""
    effects: Effects
    hold: Hold
    transfer: Transfer
    standstills: Standstills
    returning: asyncio.Task[None]
    """Brings back the agents, and the deployments that the daemon's end interrupted."""


@asynccontextmanager
async def open_runtime(
    project: Project,
    *,
    machine: Machine | None = None,
    seed: int | None = None,
    snapshots: bool = True,
    wait: bool = True,
) -> AsyncGenerator[Runtime]:
    """Build every service, bring back what was there, and take everything down again at the end.

    `machine` is what it runs on, this one by default; `seed` makes the ids repeatable, else the project's does.
    Without `wait` the agents come back while the runtime is in use already; what is sent to them waits in their
    mailboxes. Raises JournalError where the journal cannot be used, and what else keeps the system from
    starting; an agent that cannot be started is Failed and keeps nothing else from starting.
    """
    machine = machine or RealMachine()
    clock, config = machine.clock, project.config
    settings = JournalSettings(
        keep_days=config.journal.keep_days,
        keep_mib=config.journal.keep_mib,
        keys_days=config.journal.keys_days,
    )
    compiler = machine.compiler(project.state, config.compile)
    # what cells and compiling are forked from loads while the journal is read
    await compiler.warm()
    async with (
        aclosing(machine),
        await machine.journal(project.state, settings) as journal,
        asyncio.TaskGroup() as group,
    ):
        referee = config.referee
        referee_service = RefereeService(
            clock, library(project.protocol_tables()), referee.mode, {**referee.protocols}
        )
        bus = Bus(
            platform=config.platform,
            # another beginning with each start, so that no id comes twice
            ids=Ids(
                f"{config.seed} {journal.committed}" if seed is None and config.seed is not None else seed
            ),
            journal=journal,
            next_seq=journal.committed + 1,
            limits=config.default_limits(),
            clock=clock,
            referee_service=referee_service,
            tree_waiting=config.bus.tree_waiting,
        )
        bus.seeded_by(await _seeds(journal, config.seed, seed))
        journal.on_relieved.append(bus.settle)
        timer = Timer(bus, clock)
        pool = CellPool(bus, config.cell_count(), machine.cell)
        registry = Registry(journal, config.platform)
        instances = Instances(
            bus=bus,
            pool=pool,
            compiler=compiler,
            clock=clock,
            snapshot_every=config.journal.snapshot_every if snapshots else 0,
        )
        lives = LifeMessages(bus, clock)
        recovery = Recovery(
            bus=bus, instances=instances, lives=lives, clock=clock, most=config.journal.replay_turns
        )
        events = AgentEvents(bus, registry, clock)
        repair = Repair(
            bus=bus,
            registry=registry,
            instances=instances,
            recovery=recovery,
            lives=lives,
            events=events,
            clock=clock,
            spawn=group.create_task,
        )
        agents = Supervisor(
            bus=bus,
            registry=registry,
            instances=instances,
            recovery=recovery,
            repair=repair,
            lives=lives,
            events=events,
            clock=clock,
        )
        replayer = Replayer(bus=bus, agents=agents, compiler=compiler, clock=clock)
        engine = Engine(
            bus=bus,
            agents=agents,
            compiler=compiler,
            replayer=replayer,
            clock=clock,
            limits=config.default_limits(),
            options=options_of(config.deploy),
        )
        tasks = Tasks(
            bus=bus,
            clock=clock,
            library=referee_service.library,
            limits=config.default_limits(),
            spawn=group.create_task,
        )
        hold = Hold(
            bus,
            clock,
            config.default_limits(),
            config.bus.held,
            on_went_on=tasks.went_on,
            approvals=config.approvals,
        )
        message_bytes = config.default_limits().message_bytes
        df = Df(bus, clock, message_bytes)
        ams = Ams(bus, clock, message_bytes, agents, df.directory)
        events.watch(ams.changed)
        bus.host(ams, df, timer)
        bus.turns.watch(broken=repair.broken, snapshot_due=repair.snapshot_due)
        pool.observe(repair)
        lineage = Lineage(bus, registry, config.agents)
        children = ChildSupervision(bus=bus, agents=agents, lineage=lineage, clock=clock)
        ams.has_made(
            AgentMaker(
                bus=bus,
                registry=registry,
                engine=engine,
                compiler=compiler,
                clock=clock,
                lineage=lineage,
                supervision=children,
            )
        )
        events.watch(children.changed)
        repair.tell_breakdowns(children.broke_down)
        agents.when_removed(ams.removed, df.removed, timer.removed, children.ended, hold.approvals.agent_gone)
        await registry.load(journal.reader, clock.now_us(), config.agents)
        topics = None
        if TOPICS not in registry.agents and TOPICS not in config.agents:
            topics = Topics(bus, registry.reserve(TOPICS, clock.now_us()), bus.delivery.offer)
            await topics.load(journal.reader)
            bus.host(topics)
            bus.delivery.publish_by(topics.publish)
            agents.when_removed(topics.removed)
        standstills = Standstills(
            bus, lambda name: timer.count(name) > 0 or any(name in one.message.receiver for one in hold)
        )
        effects = Effects(
            project,
            bus,
            clock,
            is_looping=standstills.loops.is_looping,
            start=machine.effect,
            reserve=lambda name: registry.reserve(name, clock.now_us()),
            spawn=group.create_task,
            publish=df.offer,
        )
        await effects.load(journal.reader, taken={*registry.agents, *config.agents})
        replayer.knows_world(effects)
        transfer = Transfer(
            bus=bus,
            agents=agents,
            engine=engine,
            compiler=compiler,
            clock=clock,
            lineage=lineage,
            registrations=Registrations(bus, ams, df, timer, topics),
            config=config,
        )
        await ams.load(journal.reader)
        await df.load(journal.reader)
        await timer.load(journal.reader)
        agents.attach()
        open_talks = await referee_service.restore(journal.reader, config.platform)
        held = await hold.load(journal.reader)
        if held or hold.points.on:
            log.warning("messages are held", held=held, break_points=len(hold.points.on))
        if open_talks:
            log.info("conversations go on where they were", count=open_talks)
        await engine.interrupted.read(journal.reader)
        again = 0
        for stored, receivers in journal.pending():
            bus.redeliver(stored.seq, stored.body, stored.hops, receivers)
            again += len(receivers)
        if again:
            log.info("messages without a finished turn are delivered again", count=again)
            bus.event("daemon", body={"what": "redelivered", "count": again})
        df.begin()
        timer.begin()
        referee_service.begin()
        group.create_task(pool.run(), name="cells")
        spared = SparedMemory(agents, journal, config.journal.memory_mib)
        marks = group.create_task(_every(MARK_S, _Marks(bus, spared).look), name="low water")
        watch = group.create_task(standstills.run(journal, clock), name="standstills")
        states = group.create_task(_every(WRITE_S, partial(_write_states, bus)), name="states")
        try:
            await pool.ready()
            await tasks.resume()
            # before: nobody is to change an agent that is not yet on its way back
            await children.begin()
            effects.begin()
            returning = group.create_task(_bring_back(agents, engine), name="agents come back")
            bus.settle()
            if wait:
                await returning
            try:
                yield Runtime(
                    project,
                    clock,
                    journal,
                    bus,
                    pool,
                    compiler,
                    agents,
                    engine,
                    replayer,
                    tasks,
                    ams,
                    df,
                    timer,
                    topics,
                    effects,
                    hold,
                    transfer,
                    standstills,
                    returning,
                )
            finally:
                returning.cancel()
        finally:
            await effects.close()
            timer.close()
            df.close()
            hold.close()
            await tasks.close()
            referee_service.close()
            await engine.close()
            await agents.close()
            marks.cancel()
            watch.cancel()
            states.cancel()
            pool.close()
            await compiler.close()
            bus.journal.batch.meta("low_water", bus.low_water())
            referee_service.write(bus.journal.batch, bus.last_seq, all_of_it=True)
            bus.settle()


async def _seeds(journal: Journal, wanted: int | None, chance: int | str | None) -> Seeds:
    """What agents' randomness is drawn from: the project's seed from here on, where it has one; else what it was."""
    stored = await journal.reader.meta(KEY)
    seeds = Seeds(str(stored) if stored else None)
    if wanted is not None or not stored:
        text = chance if wanted is None else wanted
        seeds.hold(secrets.token_hex(16) if text is None else f"{text}", journal.committed, journal.batch)
    return seeds


async def _bring_back(agents: Supervisor, engine: Engine) -> None:
    await agents.revive()
    await engine.interrupted.resume()


async def deploy_configured(runtime: Runtime, *, await_builds: bool = False) -> None:
    """Bring the agents of `caxton.toml` what stands there; `ConfiguredAgents.deploy` says more."""
    builds = ConfiguredBuilds(runtime.engine, runtime.agents, runtime.compiler, runtime.journal.reader)
    await ConfiguredAgents(runtime.project, runtime.agents, builds).deploy(await_builds=await_builds)


async def _every(seconds: float, do: Callable[[], None]) -> None:
    """Do something again and again until cancelled; while nothing happens this is all that a daemon does."""
    while True:
        await asyncio.sleep(seconds)
        do()


class _Marks:
    """Writes the low-water mark from time to time while there is something to mark, and looks what retention spares."""

    def __init__(self, bus: Bus, spared: SparedMemory) -> None:
        self._bus = bus
        self._spared = spared
        self._last = -1
        self._doubt: str | None = None

    def look(self) -> None:
        """Do it once."""
        bus = self._bus
        mark = bus.low_water()
        if mark > self._last:
            # a mark alone is no reason for a commit: it rides with the next rows
            bus.journal.batch.meta("low_water", mark)
            self._last = mark
        self._spared.look()
        before, self._doubt = self._doubt, bus.journal.kept.doubt
        if self._doubt is not None and before is None:
            log.warning("the clock is doubted: nothing is removed for its age", reason=self._doubt)
            bus.event("daemon", body={"what": "clock_doubted", "reason": self._doubt})
            bus.settle()


def _write_states(bus: Bus) -> None:
    """Write down what conversations have come to, a little at a time."""
    if bus.referee_service.unwritten:
        bus.referee_service.write(bus.journal.batch, bus.last_seq)
        bus.settle()
