"""The agent on the bus that stands for an effect's process.

    request ─▶ right? ─▶ room? ─▶ a place at the process ─▶ row on disk ─▶ process ─▶ inform | failure

In: `request`, `cancel`. Out: `refuse` for what is not called at all, `agree` where it takes long, and then what the
process answers; a `failure` with a code where it does not. What the world does is never in this process, and nothing
leaves before the journal has it (`calls`). A kind of effect (models, HTTP, tools) is a subclass: it overrides the steps
that are marked so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
from msgspec import UnsetType

from caxton import exact_numbers
from caxton.acl import Performative, read_draft
from caxton.acl.reply_by import moment_us
from caxton.bus.bus import Bus
from caxton.bus.envelope import Envelope
from caxton.clock import Alarm, Clock
from caxton.effects import lines
from caxton.effects.calls import Calls
from caxton.effects.lines import Request, Said
from caxton.effects.live import asks_for
from caxton.effects.process import EffectProcess, Interrupted, NoAnswer
from caxton.effects.rights import Rights
from caxton.errors import InvalidMessage
from caxton.platform_agents.quotas import Quota

AGREE_S: Final = 1.0
"""A call that takes longer is agreed to first, in fipa-request."""
EARLY_S: Final = 0.02
"""So long before its deadline a call is given up: then the answer is in time."""
TRIES: Final = 2
"""How often a call that was interrupted is made where that does no harm."""
HEAD_BYTES: Final = 4096
"""What of a message's limit is left for everything beside its content."""
NOTHING_OPEN: Final = 1 << 62
_ANSWERS: Final = frozenset(
    {
        Performative.NOT_UNDERSTOOD,
        Performative.FAILURE,
        Performative.REFUSE,
        Performative.AGREE,
        Performative.INFORM,
    }
)
"""What others say to us that wants no answer."""

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


@dataclass(slots=True)
class Counts:
    """How calls ended."""

    informed: int = 0
    refused: int = 0
    failed: int = 0
    interrupted: int = 0
    cancelled: int = 0

    def ended(self, act: Performative, code: str) -> None:
        """One more has."""
        match act:
            case Performative.INFORM:
                self.informed += 1
            case Performative.REFUSE:
                self.refused += 1
            case _:
                self.interrupted += code == "interrupted"
                self.failed += code != "interrupted"

    def cancel(self) -> None:
        """One more was called off."""
        self.cancelled += 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of a call: inform, refuse or failure, and its content."""

    act: Performative
    content: object
    code: str = ""
    """Of a failure."""
    left: bool = True
    """Whether the call left at all."""


def refuse(code: str, reason: str, hint: str, **more: object) -> Answer:
    """The answer to what is not done, and what would have to be so for it."""
    content = {"error": code, "reason": reason, "hint": hint, **more}
    return Answer(Performative.REFUSE, content, code)


def failure(code: str, reason: str, **more: object) -> Answer:
    """The answer to what was tried."""
    return Answer(Performative.FAILURE, {"error": code, "reason": reason, **more}, code)


@dataclass(slots=True)
class OpenCall:
    """A call that is not answered; its task is over with it."""

    envelope: Envelope
    task: asyncio.Task[None] | None = None
    alarms: list[Alarm] = field(default_factory=list[Alarm])
    began_us: int | None = None
    """When it left."""
    agreed: bool = False

    def goes_by(self, task: asyncio.Task[None]) -> None:
        """That is its task."""
        self.task = task

    def begin(self, now_us: int) -> None:
        """It leaves."""
        self.began_us = now_us

    def agree(self) -> None:
        """The asker was told that it takes long."""
        self.agreed = True

    def end(self) -> None:
        """It is over: what was to happen while it was open does not."""
        for alarm in self.alarms:
            alarm.cancel()


@dataclass(frozen=True, slots=True)
class World:
    """What every effect's agent has in common."""

    bus: Bus
    clock: Clock
    calls: Calls
    rights: Rights
    spawn: Spawn
    message_bytes: int
    """How long a message to a client may be; a guest's own limit counts as well."""
    is_looping: Callable[[str], bool]
    """Whether what belongs to a trace repeats without anything new."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which calls are made: the right is `name` in an agent's list `key`; `idempotent` says whether an interrupted
    call may be made again."""

    key: str
    name: str
    timeout_s: float
    waiting: int
    idempotent: bool = False


class EffectAgent:
    """One of them. A subclass overrides `right`, `timeout_s`, `admit`, `request`, `answered`, `is_idempotent` and
    `asked_about`."""

    def __init__(self, local: str, number: int, world: World, process: EffectProcess, terms: Terms) -> None:
        self.local = local
        self.name = world.bus.full_name(local)
        self.number = number
        self.process = process
        self.terms = terms
        self.counts = Counts()
        self._world = world
        self._bus = world.bus
        self._open: dict[int, OpenCall] = {}
        self._early: list[Envelope] | None = []
        # nobody has more than half of what may wait, so that a greedy one leaves room
        self._quota: Quota[int] = Quota("calls", terms.waiting, max(1, terms.waiting // 2))

    # ------------------------------------------------------------------ what a kind of effect may say

    def right(self, envelope: Envelope) -> tuple[str, str]:
        """The right that this request needs: a list of caxton.toml's agents, and a name in it."""
        return self.terms.key, self.terms.name

    def timeout_s(self, envelope: Envelope) -> float:
        """How long that call may take where its `reply_by` is not earlier."""
        return self.terms.timeout_s

    def cost(self, content: bytes) -> tuple[int, float]:
        """The most that a request with that content costs, in tokens and money."""
        return 0, 0.0

    def admit(self, envelope: Envelope) -> Answer | None:
        """A refusal, where that request is not to leave; None where it is."""
        return None

    def request(self, envelope: Envelope) -> msgspec.Raw:
        """What the process is asked."""
        return envelope.message.content

    def answered(self, envelope: Envelope, answer: Answer) -> Answer:
        """What the asker is told of an answer; called for each call that `admit` let pass, whatever became of it, in
        this life or the one before."""
        return answer

    def is_idempotent(self, envelope: Envelope) -> bool:
        """Whether that call may be made again where nobody knows whether it was done."""
        return self.terms.idempotent

    def asked_about(self, envelope: Envelope) -> object:
        """The answer to `query-ref`; raises InvalidMessage where there is none."""
        raise InvalidMessage(f"{self.local} understands request and cancel", hint="see docs/effects.md")

    # ------------------------------------------------------------------ messages

    def take(self, envelope: Envelope) -> None:
        """Handle one message."""
        if self._early is not None:
            # what waited when the daemon ended: what comes of it must not overtake what waits for others
            self._early.append(envelope)
            return
        act = envelope.message.performative
        match act:
            case Performative.REQUEST:
                self._request(envelope)
            case Performative.CANCEL:
                self._cancel(envelope)
            case Performative.QUERY_REF:
                content = self.asked_about(envelope)
                self._bus.platform_turn(self, envelope)
                self._bus.answer(envelope, self.name, Performative.INFORM, content)
            case _ if act in _ANSWERS:
                self._bus.platform_turn(self, envelope)
            case _:
                raise InvalidMessage(f"{self.local} does not understand {act}", hint="say request or cancel")

    def begin(self) -> None:
        """Agents are there: what waited since the last start is asked now."""
        early, self._early = self._early or [], None
        for envelope in early:
            self._bus.delivery.bring(envelope, [self.name])

    def oldest(self) -> int:
        """The lowest number among the messages that are not answered."""
        early = [envelope.seq for envelope in self._early or ()]
        return min([*early, *self._open], default=NOTHING_OPEN)

    @property
    def down(self) -> str | None:
        """Why it cannot be asked at the moment; None where it can."""
        return self.process.why if self.process.pid is None else None

    @property
    def open(self) -> int:
        """How many calls are not answered."""
        return len(self._open)

    def _request(self, envelope: Envelope) -> None:
        calls, sender = self._world.calls, envelope.message.sender
        if calls.interrupted(self, envelope) and not self.is_idempotent(envelope):
            reason = (
                "the daemon ended during the call: whether it was done is not known, and it is not made again"
            )
            self._end(envelope, self.answered(envelope, failure("interrupted", reason)))
            return
        answer = self._unable(envelope) or self.admit(envelope)
        if answer is not None:
            self._end(envelope, answer)
            return
        call = self._open[envelope.seq] = OpenCall(envelope)
        self._quota.take(sender, envelope.seq)
        envelope.tree.enter()
        if envelope.message.protocol == "fipa-request" and not envelope.redelivered:
            call.alarms.append(self._world.clock.later(AGREE_S, lambda: self._agree(call)))
        call.goes_by(self._world.spawn(self._perform(call)))

    def _unable(self, envelope: Envelope) -> Answer | None:
        """Why this is not called: no right, no room, no time."""
        sender = envelope.message.sender
        asker = sender.removesuffix(f"@{self._bus.platform}")
        rights = self._world.rights
        key, name = self.right(envelope)
        replayed = asks_for(asker)
        is_client = replayed is None and self._bus.clients.is_client(sender)
        asker = replayed or asker
        if not is_client and not rights.has(asker, key, name):
            reason = f"{asker} has no right to ask {name}"
            return refuse("unauthorised", reason, f"in caxton.toml: {rights.line(asker, key, name)}")
        why = self._quota.why_not(sender)
        if why is not None:
            return refuse("busy", why, "ask again later, or ask less at a time")
        if self._left_s(envelope) <= 0:
            return failure("timeout", "its reply_by had passed before it was called")
        return None

    def _left_s(self, envelope: Envelope) -> float:
        """How long it may take from now on."""
        reply_by, most_s = envelope.message.reply_by, self.timeout_s(envelope)
        if reply_by is None:
            return most_s
        left_s = (moment_us(reply_by) - self._world.clock.now_us()) / 1e6 - EARLY_S
        return min(most_s, left_s)

    async def _perform(self, call: OpenCall) -> None:
        envelope = call.envelope
        try:
            async with asyncio.timeout(self._left_s(envelope)):
                answer = await self._asked(call)
        except TimeoutError:
            where = "it was not answered" if call.began_us else "its turn did not come"
            down = f": {self.down}" if self.down else ""
            answer = failure("timeout", f"{where} in time by {self.local}{down}")
        except NoAnswer as error:
            answer = failure(error.code, error.reason)
        self._close(call)
        answer = self.answered(envelope, replace(answer, left=call.began_us is not None))
        if call.agreed and answer.act is Performative.REFUSE:
            # who has agreed cannot refuse any more
            answer = replace(answer, act=Performative.FAILURE)
        self._end(envelope, answer, call.began_us)
        envelope.tree.leave()
        self._bus.settle()

    async def _asked(self, call: OpenCall) -> Answer:
        envelope, loop = call.envelope, asyncio.get_running_loop()
        until = loop.time() + self._left_s(envelope)

        async def begin() -> None:
            harmless = self.is_idempotent(envelope)
            call.begin(await self._world.calls.begin(self, envelope, harmless=harmless))

        def line() -> bytes:
            message = envelope.message
            left_ms = max(0, round((until - loop.time()) * 1000))
            sender, talk = message.sender, message.conversation_id
            return lines.write(Request(message.id, self.request(envelope), sender, talk, left_ms))

        for left in reversed(range(TRIES)):
            try:
                return self._read(envelope, await self.process.ask(envelope.message.id, line, begin))
            except Interrupted:
                if not left or not self.is_idempotent(envelope):
                    raise
        raise AssertionError

    def _read(self, envelope: Envelope, said: Said) -> Answer:
        """What the process said, held to the rules of any content; a failure where it breaks one."""
        said_as = {
            Performative.INFORM: said.inform,
            Performative.REFUSE: said.refuse,
            Performative.FAILURE: said.failure,
        }
        act, raw = next(
            ((act, raw) for act, raw in said_as.items() if not isinstance(raw, UnsetType)), (None, b"")
        )
        if act is None:
            return failure("wrong-answer", f"{self.local} answered with neither inform, refuse nor failure")
        try:
            content = read_draft(b'{"performative":"inform","content":%b}' % bytes(raw)).content
        except InvalidMessage as error:
            return failure(
                "wrong-answer", f"{self.local} answered with what no message may say: {error.message}"
            )
        message = envelope.message
        receivers = [self._bus.endpoints.get(name) for name in message.reply_to or [message.sender]]
        limits = [one.limits.message_bytes for one in receivers if one is not None]
        most = min([self._world.message_bytes, *limits]) - HEAD_BYTES
        if len(content) > most:
            return failure(
                "too-long", f"the answer has {len(content):,} bytes, a message has room for {most:,}"
            )
        code = "" if act is Performative.INFORM else _code(content)
        return Answer(act, content, code)

    # ------------------------------------------------------------------ how a call ends

    def _cancel(self, envelope: Envelope) -> None:
        """`cancel` in the conversation of a call, from whoever asked, or from the ams for an agent that is gone."""
        message = envelope.message
        owner = message.sender
        for_another = owner == self._bus.full_name("ams")
        if for_another:
            content: Any = exact_numbers.decode(message.content)
            owner = str(content.get("agent")) if isinstance(content, dict) else ""  # pyright: ignore
        many = 0
        for call in list(self._open.values()):
            asked = call.envelope.message
            if (asked.sender, asked.conversation_id) == (owner, message.conversation_id):
                many += 1
                assert call.task is not None
                call.task.cancel()
                self._close(call)
                self.counts.cancel()
                answer = failure("cancelled", "its asker has cancelled it")
                self.answered(call.envelope, replace(answer, left=call.began_us is not None))
                self._world.calls.end(self, call.envelope, call.began_us)
                call.envelope.tree.leave()
        self._bus.platform_turn(self, envelope)
        if for_another:
            return
        if many:
            self._bus.answer(envelope, self.name, Performative.INFORM, {"cancelled": many})
        else:
            reason = "nothing to cancel: no call of yours is open in this conversation"
            content = {"error": "internal-error", "reason": reason}
            self._bus.answer(envelope, self.name, Performative.FAILURE, content)

    def _agree(self, call: OpenCall) -> None:
        call.agree()
        self._bus.answer(call.envelope, self.name, Performative.AGREE, {"waiting": len(self._open)})
        self._bus.settle()

    def _close(self, call: OpenCall) -> None:
        call.end()
        del self._open[call.envelope.seq]
        self._quota.give_back(call.envelope.message.sender, call.envelope.seq)

    def _end(self, envelope: Envelope, answer: Answer, began_us: int | None = None) -> None:
        """Say what came of it, and that it is done with."""
        self.counts.ended(answer.act, answer.code)
        self._world.calls.end(self, envelope, began_us)
        self._bus.answer(envelope, self.name, answer.act, answer.content)


def _code(content: msgspec.Raw) -> str:
    value: Any = exact_numbers.decode(content)
    return str(value.get("error", "")) if isinstance(value, dict) else ""  # pyright: ignore
