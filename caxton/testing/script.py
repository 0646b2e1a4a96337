"""A scripted run in a test: what a scenario file does, step by step, by calls.

    def test_buying(caxton):
        caxton.deploy("market")
        caxton.send({"action": "buy", "item": "book"}, to="buyer", protocol="fipa-request", conversation_id="order")
        caxton.expect("from:buyer act:inform conv:order", path={"bought": 1})

In: agents, calls. Out: messages; where one is not as expected, `Unexpected`, whose text has the diagram with the place
marked. The run is on virtual time and its seed's (`caxton.simulation`). It owns its loop, so `AsyncScript` lets it run
in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypedDict, TypeVar, Unpack, cast

from pydantic import BaseModel, ValidationError

from caxton.config import FILE_NAME, Project, load
from caxton.duration import seconds
from caxton.errors import ConfigurationError, InvalidState
from caxton.scenario.format import Expect, ExpectNothing, Step, Task, Wait
from caxton.scenario.host import Sent
from caxton.scenario.result import lines_of
from caxton.scenario.simulated import SimulatedHost
from caxton.scenario.stage import Ended, Stage
from caxton.schemas.messages import MessageBody, TaskDetail
from caxton.simulation.agents import Agent, as_they_stand
from caxton.simulation.system import System, runtime
from caxton.testing.builds import built

P = ParamSpec("P")
T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)


class Unexpected(AssertionError):
    """Raised where something is not as expected; its text is for people."""


class Expected(TypedDict, total=False):
    """What `expect` takes beside its filter: the keys of an `expect` in a scenario."""

    count: int | str
    content: Any
    path: Mapping[str, Any]
    pattern: str
    order: Sequence[str]
    conversation: str
    state: str
    outcome: str
    fuel: int | str
    latency: str
    agent: str
    memory: int | str
    violations: int | str
    dead_letters: int | str
    within: float | str


class Script:
    """One run, from its first `deploy` to the end of the test. Paths are relative to `folder`."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self._folder = folder
        self._seed = seed
        self._until_the_end = ExitStack()
        self._host: SimulatedHost | None = None
        self._stage: Stage | None = None
        self._sent = 0

    # ------------------------------------------------------------------ agents

    def deploy(
        self, of: Path | str | Mapping[str, Agent | bytes], *, config: Mapping[str, Any] | None = None
    ) -> None:
        """Bring agents: those of a project with the modules that are there, those of one agent's folder, which is
        built, or these modules by name.

        The first time the run begins with them, and `config` is what caxton.toml would say beside the agents; later
        they are brought to the running system, as new agents or new builds. Raises ConfigurationError, NotReady, and
        what a deployment is refused for.
        """
        agents = of if isinstance(of, Mapping) else self._agents(self._folder / of)
        if self._host is not None:
            more = agents if isinstance(agents, Mapping) else as_they_stand(agents)
            for name, agent in more.items():
                self._host.system.deploy(name, agent)
            return
        system = self._until_the_end.enter_context(runtime(agents, seed=self._seed, config=config))
        self._host = SimulatedHost(system)
        self._stage = Stage(self._host, self._folder)

    @property
    def system(self) -> System:
        """The running system, for whatever is not here."""
        return self._running()[0].system

    def close(self) -> None:
        """End it."""
        self._until_the_end.close()
        self._host = self._stage = None

    # ------------------------------------------------------------------ messages

    def send(
        self,
        /,
        content: object = None,
        *,
        to: str | Sequence[str],
        performative: str = "request",
        **parameters: Any,
    ) -> Sent:
        """Say something as a client; it is on disk when this returns. `parameters` are the message's other members,
        such as `protocol`, `conversation_id` and `sender` (`operator.NAME`)."""
        self._sent += 1
        receiver = to if isinstance(to, str) else list(to)
        message = {"receiver": receiver, "performative": performative, "content": content, **parameters}
        return self._running()[1].send(message, f"message-{self._sent}")

    def task(
        self,
        /,
        protocol: str,
        *,
        to: str | Sequence[str],
        ending: str | None = "achieved",
        **order: Any,
    ) -> TaskDetail:
        """Run a whole protocol to its end, which must be `ending`; `order` is what else a task takes, such as
        `content`, `choose` and `reply_by`."""
        receivers = to if isinstance(to, str) else list(to)
        task = _read(Task, {"protocol": protocol, "to": receivers, "ending": ending, **order})
        return self._do(lambda stage: stage.task(task))

    def wait(
        self, filter: str | None = None, *, quiet: float | str | None = None, within: float | str = 60.0
    ) -> MessageBody | None:
        """Let time pass until a message comes that no earlier `wait` has found, or until it was `quiet` so long."""
        wait = _read(Wait, {"filter": filter, "quiet": quiet, "within": within})
        return self._do(lambda stage: stage.wait(wait))

    def expect(self, filter: str = "", **what: Unpack[Expected]) -> list[MessageBody]:
        """The messages that the filter means, once all is so that `what` says; time passes until then."""
        said = {**what, **({"filter": filter} if filter else {})}
        expect = _read(Expect, said)
        __tracebackhide__ = True
        return self._do(lambda stage: stage.expect(expect))

    def expect_nothing(self, filter: str, *, within: float | str = 1.0) -> None:
        """No such message may come while so much time passes."""
        nothing = _read(ExpectNothing, {"filter": filter, "within": within})
        return self._do(lambda stage: stage.expect_nothing(nothing))

    # ------------------------------------------------------------------ time, and what breaks

    def advance(self, duration: float | str) -> None:
        """Let time pass: seconds, or such as "2h"."""
        self._running()[0].advance(seconds(duration))

    def step(self, /, **action: Any) -> None:
        """A step as a scenario has it: `step(crash_cell="buyer")`, `step(kill_daemon={})`."""
        one = _read(Step, action)
        self._do(lambda stage: stage.do(one.action, f"message-{self._sent + 1}"))

    # ------------------------------------------------------------------ inside

    def _running(self) -> tuple[SimulatedHost, Stage]:
        if self._host is None or self._stage is None:
            raise InvalidState("there are no agents yet", hint="begin with deploy(FOLDER)")
        return self._host, self._stage

    def _do(self, what: Callable[[Stage], T]) -> T:
        __tracebackhide__ = True
        _, stage = self._running()
        try:
            return what(stage)
        except Ended as ended:
            text = "\n".join([ended.what, *lines_of(ended.difference, stage.diagram(ended.difference))])
        raise Unexpected(text)

    def _agents(self, folder: Path) -> Project | Mapping[str, Agent | bytes]:
        return load(folder, {}) if (folder / FILE_NAME).is_file() else dict(built(folder))


def _read(model: type[Model], said: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate({key: _plain(value) for key, value in said.items()})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{place}: {what}" if place else what) from error


def _plain(value: Any) -> Any:
    """What a file would have: lists and tables."""
    match value:
        case Mapping():
            return {key: _plain(inner) for key, inner in cast("Mapping[str, Any]", value).items()}
        case list() | tuple():
            return [_plain(one) for one in cast("Sequence[Any]", value)]
        case _:
            return value


def _in_thread(
    method: Callable[Concatenate[Script, P], T],
) -> Callable[Concatenate[AsyncScript, P], Coroutine[Any, Any, T]]:
    @wraps(method)
    async def run(self: AsyncScript, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(partial(method, self.script, *args, **kwargs))

    return run


class AsyncScript:
    """The same for tests that are coroutines: each call runs in a thread that is the script's own."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._thread = ThreadPoolExecutor(1, "caxton-script")

    async def run(self, work: Callable[[], T]) -> T:
        """Something else in that thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def end(self) -> None:
        """End it; called when the test is over."""
        self._thread.submit(self.script.close).result()
        self._thread.shutdown()

    deploy = _in_thread(Script.deploy)
    send = _in_thread(Script.send)
    task = _in_thread(Script.task)
    wait = _in_thread(Script.wait)
    expect = _in_thread(Script.expect)
    expect_nothing = _in_thread(Script.expect_nothing)
    advance = _in_thread(Script.advance)
    step = _in_thread(Script.step)
