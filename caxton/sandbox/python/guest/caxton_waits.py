"""What a call of an async `handle` asks, and waits for: the names that agents use, and the things behind them.

In: `ask`, `sleep`, `gather`, `conversation`, in a coroutine of `caxton_calls.py`. Out: messages with a name of their
own as `reply_with`, and a `Wait` for each.
"""

# mypy: ignore-errors
# pyright: basic
# ruff: noqa: BLE001

import hashlib
import heapq
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from typing import Any, ClassVar

from caxton_numbers import decode
from caxton_turn import Turn, say

SECONDS_MOST = 30 * 24 * 3600
NEAR_US = 2_000_000
"""A timer that rings so soon is not called off: what it says is dropped, and costs less."""
CANCELS_MOST = 32
"""Lines of a turn after which no timer is called off: a turn may say only so much."""
SPARE = 1_000
WAYS_OUT = 10
"""How often a cancelled call may swallow that."""
TIMED = "t"
"""What the name of a wait has behind it where `timer` speaks of it."""

Json = dict[str, Any]


class Failed(Exception):
    """Raised where the one that was asked answered by refuse, failure or not-understood."""

    def __init__(self, message: Json) -> None:
        said = message.get("content")
        told = said if isinstance(said, dict) else {}
        self.reason = told.get("reason", said)
        self.code = str(told.get("error", ""))
        super().__init__(f"{message['sender']} answered {message['performative']}: {self.reason}")
        self.message, self.performative, self.content = message, message["performative"], said


class Timeout(Exception):
    """Raised where no answer came in time."""


class Cancelled(BaseException):
    """Raised in a call that is cancelled: whoever began it has cancelled it, or the operator."""


class Wait(Awaitable[Any]):
    """One thing that a call waits for."""

    __slots__ = ("act", "call", "conversation", "done", "due_us", "error", "key", "task", "to", "value")

    def __init__(self, call: "Call", key: str = "", act: str = "", to: str = "") -> None:
        self.call, self.key, self.act, self.to = call, key, act, to
        self.conversation = ""
        self.due_us = 0
        self.task: Task | None = None
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None

    def __await__(self) -> Generator["Wait", None, Any]:
        if not self.done:
            yield self
        if self.error is not None:
            raise self.error
        return self.value

    def awaited_by(self, task: "Task") -> None:
        """Who goes on when it is over."""
        self.task = task

    def ends_at(self, us: int) -> None:
        """So long it may take, in microseconds since 1970."""
        self.due_us = us

    def end(self, value: Any = None, error: BaseException | None = None) -> None:
        """It is over: whoever waits for it goes on in this step."""
        if self.done:
            return
        self.done, self.value, self.error = True, value, error
        self.forget()
        if self.task is not None:
            Calls.ready.append((self.task, None))
            self.task = None

    def forget(self) -> None:
        """No message ends it any more; where its timer would ring much later, that is called off."""
        Calls.waits.pop(self.key, None)
        timed = self.key + TIMED
        if (
            Calls.waits.pop(timed, None)
            and self.due_us - Calls.at_us > NEAR_US
            and len(Turn.lines) < CANCELS_MOST
        ):
            Calls.call_off(timed)


class Task:
    """One coroutine of a call: that of `handle`, or one of those that `gather` runs side by side."""

    __slots__ = ("call", "coroutine", "done", "error", "group", "value", "wait")

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], call: "Call", group: "Group | None" = None
    ) -> None:
        self.coroutine, self.call, self.group = coroutine, call, group
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.wait: Wait | None = None
        call.tasks.append(self)
        Calls.ready.append((self, None))

    def waits_for(self, wait: Wait | None) -> None:
        """What it stands at; None where it runs."""
        self.wait = wait
        if wait is not None:
            wait.awaited_by(self)

    def end(self, value: Any, error: BaseException | None) -> None:
        """It has returned, or raised."""
        self.done, self.value, self.error = True, value, error
        self.call.tasks.remove(self)
        if self.group is not None:
            self.group.one_ended(error)

    def cancel(self) -> None:
        """End it here and now."""
        if self.wait is not None:
            self.wait.forget()
        for _ in range(WAYS_OUT):
            if self.done:
                return
            try:
                self.coroutine.throw(Cancelled())
            except StopIteration as stop:
                self.end(stop.value, None)
            except BaseException as error:
                self.end(None, error)
        if not self.done:
            # left to the collector it would end at a time that nothing says
            Calls.kept.append(self.coroutine)
            self.end(None, RuntimeError("it went on after it was cancelled"))


class Group:
    """What `gather` waits for."""

    def __init__(self, call: "Call", left: int, patient: bool) -> None:
        self.wait, self._left, self._patient = Wait(call), left, patient

    def one_ended(self, error: BaseException | None) -> None:
        """One of them has come to its end."""
        self._left -= 1
        if error is not None and not self._patient:
            self.wait.end(error=error)
        elif not self._left:
            self.wait.end()


class Call:
    """One coroutine of `handle`."""

    __slots__ = ("asked", "message", "root", "stem", "steps", "tasks")

    def __init__(self, message: Json) -> None:
        self.message = message
        origin = str(message.get("conversation_id", "")).encode()
        of = int.from_bytes(hashlib.blake2b(origin, digest_size=8).digest(), "big") >> 1
        self.stem = f"{Calls.prefix}{of:016x}~{message['id']}."
        """What the names of all that it asks begin with: the agent, by which its host knows answers to calls, and the
        call's own conversation, whose revision they go to where two live."""
        self.tasks: list[Task] = []
        self.asked: list[list[str]] = []
        """Act and receiver of everything that it asked, in order."""
        self.steps: list[list[Any]] = []
        """For each step its number, the message, what that ended ("" for the first), and how much was asked by then."""
        self.root: Task | None = None

    @property
    def world(self) -> str:
        """The conversation of all that it asks models and tools."""
        return f"{self.stem}w"

    def key(self, act: str, to: str) -> str:
        """The name of the next thing that it asks, which goes out as `reply_with`."""
        self.asked.append([act, to])
        return f"{self.stem}{len(self.asked) - 1}"

    def armed_before(self, timers: Iterable[str]) -> list[str]:
        """Those of these timers that were set in an earlier step."""
        earlier, start, end = self.steps[-1][3], len(self.stem), -len(TIMED)
        return [one for one in timers if int(one[start:end]) < earlier]

    def begun_by(self) -> Json:
        """The fields of a reply to whoever began it."""
        asked = self.message
        fields = {
            "receiver": asked.get("reply_to") or [asked["sender"]],
            "in_reply_to": asked.get("reply_with"),
            **{one: asked.get(one) for one in ("conversation_id", "protocol", "language", "ontology")},
        }
        return {key: value for key, value in fields.items() if value is not None}


class Calls:
    """All open calls of the agent, and what they wait for."""

    prefix = "~"
    me = platform = ""
    open: ClassVar[dict[str, Call]] = {}
    waits: ClassVar[dict[str, Wait]] = {}
    times: ClassVar[list[tuple[int, str]]] = []
    """A heap of when each wait is over."""
    ready: ClassVar[deque[tuple[Task, BaseException | None]]] = deque()
    kept: ClassVar[list[Any]] = []
    """Coroutines that did not want to end."""
    now: ClassVar[Call | None] = None
    steps = steps_open = 0
    space: ClassVar[Json] = {}
    explain: ClassVar[Callable[[BaseException], str]] = str
    meet: ClassVar[Callable[[Json], object]] = str
    """The source's own function for a message: `handle`, `started`."""
    called_off: ClassVar[list[str]] = []
    """Timers that were called off in the step in hand."""
    text = ""
    """The message in hand."""
    at_us = 0

    @classmethod
    def run_by(cls, meet: Callable[[Json], object], explain: Callable[[BaseException], str]) -> None:
        """Who calls the source, and says why something has failed."""
        cls.meet, cls.explain = meet, explain

    @classmethod
    def of(cls, name: str, space: Json) -> None:
        """Whose they are, `local@platform`, and where the source has run."""
        cls.me, cls.space = name, space
        local, _, cls.platform = name.partition("@")
        cls.prefix = f"{local}~"

    @classmethod
    def hear(cls, text: str) -> Json:
        """That is the message in hand, with the number of the turn before it."""
        message: Json = decode(text[text.index("{") :])
        cls.text, cls.at_us = text, message.get("timestamp", 0)
        return message

    @classmethod
    def call_off(cls, timed: str) -> None:
        """That timer is not to ring any more."""
        cls.called_off.append(timed)
        say("cancel", None, {"receiver": "timer", "conversation_id": timed, "reply_with": f"{timed}c"})

    @classmethod
    def go_on(cls, call: Call | None) -> None:
        """That call runs now, or none."""
        cls.now = call

    @classmethod
    def stepped(cls, number: int) -> int:
        """One step more is open, of that number, or with 0 of the next; its number."""
        cls.steps_open += 1
        cls.steps = max(cls.steps + 1 if not number else cls.steps, number)
        return number or cls.steps

    @classmethod
    def ended(cls, call: Call) -> bool:
        """A call is over; whether it was the last one that was open."""
        for number in range(len(call.asked)):
            wait = cls.waits.get(f"{call.stem}{number}{TIMED}")
            if wait is not None:
                wait.forget()
        if cls.open.pop(call.message["id"], None) is None:
            return False
        cls.steps_open -= len(call.steps)
        return not cls.open


def ask(
    receiver: str, performative: str, content: object = None, timeout: float = 30, **fields: object
) -> Wait:
    """Ask another agent, at once; `await` gives its answer, a message.

    Raises Failed for refuse, failure and not-understood, Timeout after so many seconds. An agree is passed over.
    """
    return _ask(in_call("ask"), receiver, performative, content, timeout, fields)


def sleep(seconds: float) -> Wait:
    """`await sleep(0.5)`: go on after so many seconds; meanwhile the agent handles other messages."""
    call = in_call("sleep")
    wait = Wait(call, call.key("sleep", "timer"), "sleep")
    _until(wait, seconds)
    return wait


async def gather(*things: Awaitable[Any], return_exceptions: bool = False) -> list[Any]:
    """Wait for all of them at the same time; their values in order.

    The first that raises ends the others, and is raised; with `return_exceptions` it stands among the values.
    """
    call = in_call("gather")
    group = Group(call, len(things), return_exceptions)
    tasks = [Task(_coroutine(thing), call, group) for thing in things]
    try:
        if tasks:
            await group.wait
    finally:
        for task in tasks:
            task.cancel()
    return [task.error if task.error is not None else task.value for task in tasks]


class conversation:
    """`async with conversation("shop", protocol="fipa-request") as talk:` several questions in one conversation.

    Left by an exception while a question is open, it is cancelled.
    """

    def __init__(self, receiver: str, **fields: object) -> None:
        self._receiver, self._fields = receiver, fields
        self._call = in_call("conversation")
        self._last: Wait | None = None

    async def __aenter__(self) -> "conversation":
        self._fields["conversation_id"] = self._call.key("conversation", self._receiver)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        last = self._last
        if error is not None and last is not None and (not last.done or isinstance(last.error, Timeout)):
            self.send("cancel", reply_with=self._call.key("cancel", self._receiver))

    def ask(self, performative: str, content: object = None, timeout: float = 30, **fields: object) -> Wait:
        """Ask, as `ask` does."""
        together = {**self._fields, **fields}
        self._last = _ask(self._call, self._receiver, performative, content, timeout, together)
        return self._last

    def send(self, performative: str, content: object = None, **fields: object) -> None:
        """Say something that is no question."""
        say(performative, content, {**self._fields, **fields, "receiver": self._receiver})


def in_call(what: str) -> Call:
    """The call that runs now; RuntimeError where none does."""
    if Calls.now is None:
        raise RuntimeError(f"{what} is for an async handle: async def handle(message)")
    return Calls.now


def _ask(call: Call, receiver: str, performative: str, content: object, timeout: float, fields: Json) -> Wait:
    if not isinstance(receiver, str):
        raise TypeError("ask asks one agent, by its name; gather(ask(…), ask(…)) asks several")
    if "reply_with" in fields:
        raise TypeError("reply_with is given by ask: answers are matched by it")
    key = call.key(performative, receiver)
    to = receiver if "@" in receiver else f"{receiver}@{Calls.platform}"
    wait = Wait(call, key, performative, to)
    wait.conversation = str(fields.get("conversation_id", key))
    say(performative, content, {"conversation_id": key, **fields, "receiver": receiver, "reply_with": key})
    Calls.waits[key] = wait
    _until(wait, timeout)
    return wait


def _until(wait: Wait, seconds: float) -> None:
    """Let `timer` say when it is over."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= SECONDS_MOST:
        raise ValueError(
            f"seconds are a number from 0 to 30 days, not {seconds!r}: whatever waits has an end"
        )
    key = wait.key + TIMED
    asked = {"after_ms": seconds * 1000, "tag": key}
    say("request", asked, {"receiver": "timer", "conversation_id": key, "reply_with": key})
    Calls.waits[key] = wait
    wait.ends_at(Calls.at_us + int(seconds * 1e6))
    heapq.heappush(Calls.times, (wait.due_us, key))
    if len(Calls.times) > 2 * len(Calls.waits) + SPARE:
        Calls.times[:] = [(one.due_us, name) for name, one in Calls.waits.items() if name.endswith(TIMED)]
        heapq.heapify(Calls.times)


def _coroutine(thing: Any) -> Coroutine[Any, Any, Any]:
    return thing if type(thing) is types.CoroutineType else _await(thing)


async def _await(thing: Awaitable[Any]) -> Any:
    return await thing
