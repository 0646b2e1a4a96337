"""A whole system in one process, on virtual time, in an order that a seed decides.

    from caxton.testing import runtime

    with runtime("market", seed=7) as system:
        system.send({"action": "buy", "item": "book"}, to="buyer", protocol="fipa-request")
        system.until_quiet()
        assert system.messages(sender="buyer@local", performative="inform")

In: agents, a seed. Out: `System`, which sends, lets time pass, breaks what is to break, and shows every row. It is the
daemon's own runtime, with guests in the sandbox; what is simulated is the machine under it (`virtual_machine`). The
same seed gives the same rows, with the same times, in every process.

It owns its loop, so a test that uses it is a plain function. No real time limits a turn here, only its fuel.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from caxton import exact_numbers
from caxton.bus.submission import Submitted
from caxton.config import Config, Project, load
from caxton.deploy import DeploymentRequest, DeploymentView
from caxton.errors import InvalidState, TimedOut
from caxton.journal.memory import DiskError, MemoryDisk
from caxton.journal.records.query import Row
from caxton.runtime import Runtime
from caxton.simulation.agents import Agent, as_they_stand
from caxton.simulation.effects import Effect
from caxton.simulation.life import Crashed, Life
from caxton.simulation.losses import Rule
from caxton.simulation.orders import Orders
from caxton.simulation.schedule import Delay, Pace, Schedule
from caxton.simulation.virtual_loop import START_US

LIMIT_S: Final = 3_600.0
"""Virtual seconds that anything may take unless another bound is given."""

Json = dict[str, Any]
T = TypeVar("T")


@contextmanager
def runtime(
    of: Path | str | Project | Mapping[str, Agent | bytes],
    *,
    seed: int = 0,
    cells: int = 1,
    config: Mapping[str, Any] | None = None,
    pace: Pace | None = None,
    choices: Sequence[int] = (),
    disk: MemoryDisk | None = None,
    processes: int = 0,
    effects: Mapping[str, Effect] | None = None,
    start_us: int = START_US,
    orders: Orders | None = None,
) -> Generator[System]:
    """Run agents until this is left: those of a project, with the modules that are there, or these modules by name.

    `seed` decides everything that is left to chance; `choices`, from an earlier run, are made first. `config` is what
    caxton.toml would say beside the agents, `pace` how long things take, `disk` what an earlier life has left,
    `start_us` when it begins, in microseconds since 1970. With `processes` guests are in so many cell processes of this
    machine instead of in this one; the rows are the same. `effects` are functions in the place of the processes of
    `[effects.NAME]`, and `orders` looks for orders that chance would seldom come to.
    Raises ConfigurationError, NotReady where a module is missing, and what keeps the system from starting.
    """
    project, agents = _wanted(of, cells, config or {})
    schedule = Schedule(seed, pace or Pace(), choices, orders)
    system = System(project, agents, schedule, disk or MemoryDisk(), seed, processes, effects, start_us)
    try:
        system.start()
        yield system
        if system.alive:
            system.stop()
    finally:
        system.crash()
        if disk is None:
            system.disk.close()


class System:
    """A runtime's lives over one disk; `runtime` makes it. Times are virtual seconds."""

    def __init__(
        self,
        project: Project,
        agents: Mapping[str, Agent],
        schedule: Schedule,
        disk: MemoryDisk,
        seed: int,
        processes: int = 0,
        effects: Mapping[str, Effect] | None = None,
        start_us: int = START_US,
    ) -> None:
        self.project = project
        self.disk = disk
        self.lives = 0
        """How often it was started."""
        self.agents = agents
        """What each start brings."""
        self._schedule = schedule
        self._seed = seed
        self._processes = processes
        self._effects = effects
        self._life: Life | None = None
        self._now_us = start_us
        self._set_s = 0.0

    # ------------------------------------------------------------------ lives

    def start(self) -> None:
        """Start over what the disk has, and bring the agents that are not there yet.

        Raises InvalidState where it runs, Crashed where a planned crash comes first, and what keeps a runtime from
        starting.
        """
        if self.alive:
            raise InvalidState("the system runs already")
        self.lives += 1
        chance = f"{self._seed} {self.lives}"
        self._life = Life(
            self.project,
            self._schedule,
            self.disk,
            self._now_us,
            chance,
            self._processes,
            self._effects,
        )
        self._life.loop.set_by(self._set_s)
        self._in_life(self._life.started(), LIMIT_S)
        self.run(self._bring())

    def stop(self) -> None:
        """End in order, as a daemon does that is told to; raises JournalError where rows could not be written."""
        self._in_life(self._living().ended(), LIMIT_S)
        self._bury()

    def crash(self) -> None:
        """Take the power away: what is not committed was never there. Nothing happens where it does not run."""
        if self._life is not None:
            self._life.power.cut()
            self._bury()

    def crash_after(self, steps: int | None) -> None:
        """Crash before the last of so many more steps; whatever waits then raises Crashed. None: not any more.

        A step is the beginning of a turn, its end, a commit before it is on disk, and the moment after that, before
        anybody is told of it.
        """
        self._schedule.crash_after(steps)

    def restart(self) -> None:
        """Start again over what is committed, after a crash if it still runs."""
        self.crash()
        self.start()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._life is not None

    @property
    def runtime(self) -> Runtime:
        """The runtime itself, for whatever is not here; `run` is how its coroutines are run."""
        return self._living().runtime

    # ------------------------------------------------------------------ messages

    def submit(
        self,
        content: object = None,
        *,
        to: str | Sequence[str],
        performative: str = "request",
        sender: str | None = None,
        **parameters: Any,
    ) -> Submitted:
        """Say something as the operator, or as the client `sender`, without waiting for the disk: not acknowledged.

        `parameters` are the message's other members. Raises InvalidMessage, MessageTooLarge, SecurityError.
        """
        return self.run(self._submit(_message(content, to, performative, parameters), sender))

    def send(
        self,
        content: object = None,
        *,
        to: str | Sequence[str],
        performative: str = "request",
        sender: str | None = None,
        limit_s: float = LIMIT_S,
        **parameters: Any,
    ) -> Submitted:
        """The same, acknowledged: what this returns for is on disk. Raises TimedOut where the disk does not take it."""
        message = _message(content, to, performative, parameters)
        return self.run(self._send(message, sender), limit_s=limit_s)

    def ask(
        self,
        content: object = None,
        *,
        to: str,
        performative: str = "request",
        limit_s: float = 60.0,
        **parameters: Any,
    ) -> Json:
        """Send, and return the first answer in that conversation, once it is committed. Raises TimedOut without one."""
        message = _message(content, to, performative, parameters)
        message.setdefault("conversation_id", f"ask-{self.runtime.bus.last_seq}")
        return self.run(self._ask(message), limit_s=limit_s)

    def deploy(self, name: str, agent: Agent | bytes, **how: Any) -> DeploymentView:
        """Bring another build to an agent; `how` is what else a `DeploymentRequest` may say, such as `strategy`."""
        return self.run(self._deploy(name, _agent(agent), how))

    def bring(self, name: str, module: bytes, **how: Any) -> DeploymentView:
        """Bring an agent another module with the settings and limits that it has."""
        return self.deploy(name, replace(self.agents[name], module=module), **how)

    # ------------------------------------------------------------------ time

    @property
    def now_us(self) -> int:
        """The time, in microseconds since 1970."""
        return self._now_us if self._life is None else self._life.loop.now_us()

    def set_clock_by(self, seconds: float) -> None:
        """Set the wall clock forward or back, of this life and those to come; no time passes."""
        self._set_s += seconds
        if self._life is not None:
            self._life.loop.set_by(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that happens meanwhile."""
        self.run(asyncio.sleep(seconds), limit_s=seconds + 1)

    def until_quiet(self, silence_s: float = 1.0, *, limit_s: float = LIMIT_S) -> None:
        """Let time pass until nothing is in hand and nothing was said for `silence_s`. Raises TimedOut."""
        self.run(self._quiet(silence_s), limit_s=limit_s)

    def is_quiet(self, silence_s: float, limit_s: float) -> bool:
        """The same for `limit_s` at the most; whether it came to be quiet."""
        try:
            self.until_quiet(silence_s, limit_s=limit_s)
        except TimedOut:
            return False
        return True

    def run(self, work: Coroutine[Any, Any, T], *, limit_s: float = LIMIT_S) -> T:
        """Run a coroutine beside everything else, until it is done.

        Raises what it raises, TimedOut after `limit_s`, Crashed where the machine stops meanwhile, and InvalidState
        where the system does not run.
        """
        try:
            life = self._living()
        except InvalidState:
            work.close()
            raise
        return self._in_life(life.doing(work), limit_s)

    # ------------------------------------------------------------------ what breaks

    def kill_cell(self, no: int = 1) -> None:
        """Kill a cell, with the turn that it is in; the pool starts another."""
        self._living().machine.cells[no].kill()

    def delay(self, delay: Delay) -> None:
        """From now on agents wait for messages, as many seconds as this says. What comes behind one of them in a
        mailbox waits, too; clients and the platform's own agents do not."""
        self._schedule.delays.append(delay)

    def lose(self, rule: Rule) -> None:
        """Let messages be lost, come twice, or behind the next: outside what one machine promises."""
        self._schedule.losses.add(rule)

    def fail_next_write(
        self, error: DiskError = DiskError.FULL, *, after: int = 0, times: int = 1, landed: bool = False
    ) -> None:
        """Let commits fail: `times` in a row, once `after` more went well. `landed`: the first is on disk all the
        same."""
        self.disk.fail(error, after=after, times=times, landed=landed)

    # ------------------------------------------------------------------ what there is to see

    @property
    def steps(self) -> int:
        """How many steps there were, over all lives."""
        return self._schedule.steps

    @property
    def choices(self) -> list[int]:
        """What was chosen so far; `runtime(choices=…)` chooses it again."""
        return list(self._schedule.choices)

    @property
    def busy(self) -> bool:
        """Whether a turn or a commit is waited for."""
        return self._living().machine.busy

    def cell_of(self, name: str) -> int:
        """The number of the cell in which an agent lives; raises AgentNotFound, InvalidState where it is in none."""
        cell = self.runtime.agents.registry.find(name).cell
        if cell is None:
            raise InvalidState(f"{name} does not run", hint="start it first")
        return cell.no

    def memory_bytes(self, name: str) -> int | None:
        """The memory of an agent now; None where nobody can see it."""
        slot = self.runtime.agents.registry.find(name).endpoint.slot
        return self._living().machine.cells[self.cell_of(name)].memory_bytes(slot)

    @property
    def orders(self) -> Orders | None:
        """What decides about the order, beside the seed."""
        return self._schedule.orders

    def messages(self, **members: Any) -> list[Json]:
        """Committed messages with these members, in order; `receiver` is one of them."""
        bodies = self.disk.db.execute("select body from message order by seq")
        found: list[Json] = [exact_numbers.decode(body) for (body,) in bodies]
        return [one for one in found if all(_has(one, name, value) for name, value in members.items())]

    def rows(self) -> dict[str, list[Row]]:
        """Every committed row, by table. No time in it was measured: all of it is virtual."""
        return self.disk.rows()

    def digest(self) -> str:
        """A hash of `rows`: two runs with the same digest did the same."""
        return hashlib.sha256(repr(self.rows()).encode()).hexdigest()

    # ------------------------------------------------------------------ inside

    def _living(self) -> Life:
        if self._life is None:
            raise InvalidState("the system does not run", hint="start it: system.start()")
        return self._life

    def _in_life(self, task: asyncio.Task[T], limit_s: float) -> T:
        life = self._living()
        try:
            return life.until(task, limit_s)
        except (TimedOut, Crashed):
            if not life.power.on:
                self._bury()
            raise
        except BaseException:
            if life.is_over:
                self._bury()
            raise

    def _bury(self) -> None:
        life, self._life = self._living(), None
        self._now_us = life.loop.elapsed_us()
        life.abandon()

    async def _bring(self) -> None:
        there = self.runtime.agents.registry.agents
        for name, agent in self.agents.items():
            if name not in there:
                await self._deploy(name, agent, {})
                if not agent.start:
                    await self.runtime.agents.stop(name)

    async def _deploy(self, name: str, agent: Agent, how: Mapping[str, Any]) -> DeploymentView:
        request = DeploymentRequest(
            name,
            agent.module,
            wat=agent.wat,
            settings=dict(agent.settings),
            limits=agent.limits,
            profile=agent.profile,
            recover=agent.recover,
            **how,
        )
        return await self.runtime.engine.deploy(request)

    async def _submit(self, message: Json, sender: str | None) -> Submitted:
        return self.runtime.bus.submit(message, sender=sender)

    async def _send(self, message: Json, sender: str | None) -> Submitted:
        submitted = self.runtime.bus.submit(message, sender=sender)
        await self.runtime.journal.committed_upto(submitted.seq)
        return submitted

    async def _ask(self, message: Json) -> Json:
        with self.runtime.bus.clients.expect(message["conversation_id"]) as waiter:
            self.runtime.bus.submit(message)
            await waiter.wait()
            answer = waiter.take()
        assert answer is not None
        if answer.ended is not None:
            raise TimedOut(f"no answer will come: {answer.ended}")
        body: Json = exact_numbers.decode(answer.body)
        return body

    async def _quiet(self, silence_s: float) -> None:
        life, bus = self._living(), self.runtime.bus
        since_us = life.loop.now_us()
        while True:
            quiet_s = (life.loop.now_us() - max(since_us, bus.last_us)) / 1e6
            if quiet_s >= silence_s and not life.machine.busy:
                return
            await asyncio.sleep(max(silence_s - quiet_s, 0.001))


def _wanted(
    of: Path | str | Project | Mapping[str, Agent | bytes], cells: int, more: Mapping[str, Any]
) -> tuple[Project, dict[str, Agent]]:
    if isinstance(of, Mapping):
        project, agents = Project(Path("virtual"), Config()), {name: _agent(one) for name, one in of.items()}
    else:
        project = of if isinstance(of, Project) else load(Path(of), {})
        agents = as_they_stand(project)
    said = {**project.config.model_dump(exclude_unset=True), **more, "cells": cells}
    return Project(project.folder, Config.model_validate(said), project.sources), agents


def _agent(agent: Agent | bytes) -> Agent:
    return agent if isinstance(agent, Agent) else Agent(agent)


def _message(
    content: object, to: str | Sequence[str], performative: str, parameters: Mapping[str, Any]
) -> Json:
    receiver = to if isinstance(to, str) else list(to)
    return {"receiver": receiver, "performative": performative, "content": content, **parameters}


def _has(message: Json, member: str, value: Any) -> bool:
    found = message.get(member)
    return value in found if member == "receiver" and isinstance(found, list) else bool(found == value)
