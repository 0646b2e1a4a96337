"""A scenario's host in this process: a runtime on virtual time, with the faults of a simulated machine.

In: a scenario file, a seed. Out: a `Host`. Who looks on here takes no time and no chance from the run: what a scenario
expects of a run cannot change it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from caxton import exact_numbers
from caxton.api.routes.conversations import conversation_detail
from caxton.api.routes.tasks import task_detail, task_wish
from caxton.api.rows import with_outcome
from caxton.api.services import Services
from caxton.errors import ConfigurationError, ConversationNotFound, InvalidState, MailboxFull
from caxton.finding import Filter, MessageSubject
from caxton.journal import Reader
from caxton.journal.memory import DiskError, MemoryDisk
from caxton.scenario.answers import world
from caxton.scenario.format import Delay, Drop, Duplicate, FailDisk, Fill, KillDaemon, Reorder, Swap, Task
from caxton.scenario.host import Sent
from caxton.scenario.memory_file import begin_with
from caxton.scenario.read import ScenarioFile
from caxton.schemas.messages import ConversationDetail, MessageBody, TaskDetail
from caxton.schemas.shape import Message, decoder
from caxton.schemas.task_body import TaskBody
from caxton.simulation.agents import as_they_stand, edition
from caxton.simulation.life import Crashed
from caxton.simulation.losses import Loss, Rule
from caxton.simulation.orders import Decided, Orders
from caxton.simulation.system import System, runtime

MOST: Final = 1_000_000
"""Messages that are looked at."""
MOST_S: Final = 30 * 86_400.0
"""Virtual time that one step may take, whatever it says."""
SETTLED_S: Final = 0.1
"""After so long what was begun with agents is on disk."""
STEP_S: Final = 0.00005
STEPS: Final = 1_000
"""How often a client that waits for others looks, and so many times at the most."""
_ERRORS: Final = {"full": DiskError.FULL, "io": DiskError.IO}
_bodies = decoder(list[MessageBody])
T = TypeVar("T")


@contextmanager
def simulated_host(
    file: ScenarioFile, seed: int, *, cells: int = 0, orders: Orders | None = None
) -> Generator[SimulatedHost]:
    """Run the scenario's agents until this is left, in so many cell processes, or with 0 in this one.

    `orders` decides about the order, from when the agents are there.

    Raises ConfigurationError, NotReady where a module is missing, and what keeps the system from starting.
    """
    project = file.project()
    with ExitStack() as until_the_end:
        past: dict[str, Any] = {}
        if file.scenario.memory is not None:
            path = file.path.parent / file.scenario.memory
            disk, start_us = begin_with(path, as_they_stand(project), project.config.platform)
            until_the_end.callback(disk.close)
            past = {"disk": disk, "start_us": start_us}
        elif orders is not None and (begun := _begun(file)) is not None:
            disk = MemoryDisk(begun.image)
            until_the_end.callback(disk.close)
            past = {"disk": disk, "start_us": begun.now_us}
        system = until_the_end.enter_context(
            runtime(
                project,
                seed=seed,
                processes=cells,
                orders=orders,
                effects=world(file.scenario, project.config),
                **past,
            )
        )
        if orders is not None:
            # nobody looks at what it would do in the end
            until_the_end.callback(system.crash)
        there = {view.name: view.revision or "" for view in system.runtime.agents.views()}
        for name, agent in file.scenario.agents.items():
            if agent.sha256 is not None and not there[name].startswith(agent.sha256):
                raise ConfigurationError(
                    f"{name} is revision {there[name][:12]}, and {file.path} was written for {agent.sha256[:12]}",
                    hint=f"correct agents.{name}.sha256, or name the build that was meant",
                )
        yield SimulatedHost(system)


class _Begun(NamedTuple):
    """What the disk has when all agents are there, and when that is."""

    image: bytes
    now_us: int


_begun_already: dict[tuple[Path, str], _Begun | None] = {}


def _begun(file: ScenarioFile) -> _Begun | None:
    """Where all runs that look for orders begin: their agents are deployed once in this process, not once a run. None
    where an agent is told of its own beginning, for it would be told of a second one."""
    key = file.path, file.text
    if key not in _begun_already:
        project = file.project()
        with runtime(project, effects=world(file.scenario, project.config)) as system:
            system.advance(SETTLED_S)
            said = system.messages()
            system.crash()
            _begun_already[key] = None if said else _Begun(system.disk.image(), system.now_us)
    return _begun_already[key]


class SimulatedHost:
    """See `Host`; `system` is what there is beside."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._orders = system.orders
        self._reader: Reader = system.disk.reader()
        self._settled: list[MessageBody] = []
        """What nothing more becomes of."""
        self._seen: Sequence[MessageBody] = ()
        self._looked: tuple[int, int, int] | None = None
        """When that was read: the commits so far, the lives, and up to which number all is done."""
        self._before = at_once(self._reader.stats()).last_seq
        """The number up to which all was there when the scenario began."""
        self._builds = 1

    @property
    def platform(self) -> str:
        """The part after @ in the names."""
        return self.system.project.config.platform

    def now_s(self) -> float:
        """Virtual time."""
        return self.system.now_us / 1e6

    # ------------------------------------------------------------------ what is said

    def send(self, message: Mapping[str, Any]) -> Sent:
        """Say it; on disk."""

        self._let_others(str(message.get("sender", "operator")))

        async def send() -> Sent:
            runtime = self.system.runtime
            submitted = runtime.bus.submit(exact_numbers.encode(dict(message)))
            await runtime.journal.committed_upto(submitted.seq)
            return Sent(submitted.seq, submitted.conversation_id)

        return self.system.run(send())

    def task(self, task: Task) -> TaskDetail:
        """Run it to its end."""
        given = task.model_dump(exclude_unset=True, exclude={"ending"})
        self._let_others(str(given.get("sender", "operator")))
        wish = task_wish(TaskBody.model_validate(given), exact_numbers.encode(given))

        async def run() -> bytes:
            tasks = self.system.runtime.tasks
            id = await tasks.begin(wish)
            await tasks.ended(id, MOST_S)
            return exact_numbers.encode(task_detail(await tasks.view(id)))

        return decoder(TaskDetail).decode(self.system.run(run(), limit_s=MOST_S))

    def messages(self) -> Sequence[MessageBody]:
        """What is committed; read again once more is, or more of it is done."""
        system = self.system
        looked = system.disk.writes, system.lives, system.runtime.bus.low_water()
        if looked != self._looked:
            self._seen, self._looked = self._read(), looked
        return self._seen

    def _read(self) -> Sequence[MessageBody]:
        settled = self._settled
        after = settled[-1].seq if settled else self._before
        rows = at_once(self._reader.messages(after_seq=after, limit=MOST))
        new = _bodies.decode(msgspec.json.encode(at_once(with_outcome(self._reader, rows))))
        runtime = self.system.runtime
        done, written = runtime.bus.low_water(), not runtime.journal.waiting_rows
        while new and new[0].seq <= done and (written or _has_its_turns(new[0])):
            settled.append(new.pop(0))
        return [*settled, *new]

    def conversation(self, id: str) -> ConversationDetail | None:
        """As the API has it."""
        services = Services.of(self.system.runtime, stop=lambda: None, started_us=0)
        try:
            found = at_once(conversation_detail(replace(services, reader=self._reader), id, 0, MOST))
        except ConversationNotFound:
            return None
        return decoder(ConversationDetail).decode(msgspec.json.encode(found))

    def memory_bytes(self, agent: str) -> int | None:
        """Of the guest, now; None of one that does not run."""
        try:
            return self.system.memory_bytes(agent)
        except InvalidState:
            return None

    def module_bytes(self, agent: str) -> int | None:
        """Of what the scenario begins with."""
        began = self.system.agents.get(agent)
        return None if began is None else len(began.module)

    def choices(self) -> int:
        """Of the schedule."""
        return len(self.system.choices)

    def decided(self) -> Sequence[Decided]:
        """By whoever looks for orders."""
        return [] if self._orders is None else list(self._orders.decided)

    def waited_s(self) -> float:
        """By the same."""
        return 0.0 if self._orders is None else self._orders.waited_s

    def digest(self) -> str:
        """Of the journal."""
        return self.system.digest()

    # ------------------------------------------------------------------ time

    def advance(self, seconds: float) -> None:
        """Let virtual time pass."""
        until_s = self.now_s() + seconds
        self._outlive(lambda: self.system.advance(max(until_s - self.now_s(), 0.0)))

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Look again after each commit. What agents are slow is not counted."""
        until_s, waited_s = self.now_s() + seconds, self.waited_s()

        def rest_s() -> float:
            return max(until_s + self.waited_s() - waited_s - self.now_s(), 0.0)

        async def wait() -> bool:
            news = asyncio.Event()
            on_commit = self.system.runtime.journal.on_commit

            def tell(batch: object) -> None:
                news.set()

            on_commit.append(tell)
            try:
                while rest_s() > 0:
                    try:
                        async with asyncio.timeout(rest_s()):
                            while not holds():
                                news.clear()
                                await news.wait()
                            return True
                    except TimeoutError:
                        pass
                return holds()
            finally:
                on_commit.remove(tell)

        return holds() or self._outlive(lambda: self.system.run(wait(), limit_s=MOST_S))

    def quiet(self, silence_s: float, seconds: float) -> bool:
        """Nothing in hand and nothing said."""
        return self._outlive(lambda: self.system.is_quiet(silence_s, seconds))

    # ------------------------------------------------------------------ faults and changes

    def swap(self, swap: Swap, module: bytes | None) -> None:
        """Deploy a build."""
        self._let_others("the deployment")
        if module is None:
            self._builds += 1
            module = edition(self.system.agents[self._known(swap.agent)].module, self._builds)
        self.system.bring(swap.agent, module, strategy=swap.strategy)

    def crash_cell(self, agent: str) -> None:
        """With the turn that it is in."""
        self._let_others("the crash")
        self.system.kill_cell(self.system.cell_of(self._known(agent)))

    def kill_daemon(self, kill: KillDaemon) -> None:
        """Crash, and start over what was committed."""
        self._let_others("the crash")
        if kill.after:
            self.system.crash_after(kill.after)
            try:
                self.system.advance(kill.within)
            except Crashed:
                pass
            self.system.crash_after(None)
        self.system.restart()

    def delay(self, delay: Delay) -> None:
        """In the cells, before the turn."""
        means = self._meant(delay.filter, delay.agent)
        self.system.delay(lambda body, agent: delay.by if means(body, agent) else 0.0)

    def lose(self, drop: Drop) -> None:
        """Between the mailbox and the guest."""
        ways: dict[type[Drop], Loss] = {Duplicate: Loss.TWICE, Reorder: Loss.BEHIND}
        loss = ways.get(type(drop), Loss.DROPPED)
        self.system.lose(Rule(loss, self._meant(drop.filter, drop.agent), drop.times))

    def fill(self, fill: Fill) -> int:
        """Until it is refused."""
        message = {
            "receiver": self._known(fill.agent),
            "performative": fill.performative,
            "content": fill.content,
        }

        async def submit() -> int:
            bus, taken = self.system.runtime.bus, 0
            try:
                while True:
                    bus.submit(exact_numbers.encode(message), sender=fill.sender)
                    taken += 1
            except MailboxFull:
                return taken

        self._let_others(str(fill.sender))
        return self.system.run(submit())

    def fail_disk(self, fault: FailDisk) -> None:
        """In the words of SQLite."""
        self.system.fail_next_write(
            _ERRORS[fault.error], after=fault.after, times=fault.times, landed=fault.landed
        )

    # ------------------------------------------------------------------ inside

    def _meant(self, filter: str, agent: str | None) -> Callable[[bytes, str], bool]:
        """Whether a message on its way to an agent is meant."""
        wanted = Filter(filter, datetime.fromtimestamp(self.now_s(), UTC))
        whom = None if agent is None else self.system.runtime.bus.full_name(self._known(agent))

        def means(body: bytes, to: str) -> bool:
            subject = MessageSubject(Message(exact_numbers.decode(body)), self.platform)
            return whom in (None, to) and wanted.passes(subject)

        return means

    def _outlive(self, work: Callable[[], T]) -> T:
        """Do something that can be done again where the daemon crashes meanwhile, because that was decided."""
        if self._orders is None:
            return work()
        while True:
            self._orders.crashes_are_welcome(True)
            try:
                return work()
            except Crashed:
                self._orders.crashes_are_welcome(False)
                self.system.start()
            finally:
                self._orders.crashes_are_welcome(False)

    def _let_others(self, who: str) -> None:
        """Before a client's word, or a fault, as many steps of the others as is decided."""
        steps = 0 if self._orders is None else self._orders.pause(who)
        if not steps:
            return
        system = self.system

        async def wait() -> None:
            until = system.steps + steps
            for _ in range(STEPS):
                if system.steps >= until or not system.busy:
                    return
                await asyncio.sleep(STEP_S)

        self._outlive(lambda: system.run(wait()))

    def _known(self, agent: str) -> str:
        self.system.runtime.agents.registry.find(agent)
        return agent


def _has_its_turns(body: MessageBody) -> bool:
    """Whether as many turns are written as it has receivers; a client has none, so there it says no."""
    return len(body.turns or ()) == len(body.message.receiver)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine that never waits returns."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise AssertionError("it waits")
