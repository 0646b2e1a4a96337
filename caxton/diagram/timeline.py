"""A conversation read into what a diagram needs: who said what when, what it answers, and what became of it.

In: `ConversationDetail` of the API, with the fields of the referee where the daemon has them. Out: a `Timeline`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from caxton.diagram.words import SIGNS, content
from caxton.presentation.names import short
from caxton.presentation.text import safe, span
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import (
    BranchBody,
    ConversationDetail,
    DeadLetterBody,
    DeadLetterOfMessage,
    MessageBody,
    TurnBody,
    VerdictBody,
)
from caxton.schemas.shape import micros

REASON_ROOM: Final = 300


@dataclass(frozen=True, slots=True)
class TimelineTurn:
    """One turn on a message."""

    agent: str
    revision: str
    """Seven digits of it; empty for the platform's own agents."""
    status: str
    ended: str
    """The same for people."""
    failed: bool
    started_us: int
    queue_us: int
    turn_us: int
    fuel: int
    sent: int


@dataclass(frozen=True, slots=True)
class TimelineVerdict:
    """What the referee said of a message that was no plain step."""

    violation: bool
    """False: it was ignored, or it was legal with a warning."""
    rule: str
    sentence: str
    state: str
    """The branch's state before it."""
    legal: tuple[str, ...]
    delivered: bool


@dataclass(frozen=True, slots=True)
class TimelineMessage:
    """One message. `number` counts from 1 within the conversation, times are microseconds since 1970."""

    number: int
    seq: int
    at_us: int
    sender: str
    receivers: tuple[str, ...]
    act: str
    text: str
    answers: int | None
    """The number of the message that it answers."""
    reply_by_us: int | None
    turns: tuple[TimelineTurn, ...]
    letters: tuple[str, ...]
    """Why a receiver did not handle it, one sentence each."""
    judged: TimelineVerdict | None
    again: bool
    """It was delivered again after a crash."""
    held_us: int
    """How long it was held before it went on."""
    edited: bool
    """It was changed while it was held."""
    body: MessageBody | HeldBody
    """As the API gives it."""

    @property
    def sign(self) -> str:
        """One character for its act."""
        return SIGNS.get(self.act, "·")

    @property
    def delays(self) -> list[str]:
        """How long it was held, and whether it was edited meanwhile."""
        held = [f"⏸{span(self.held_us / 1e6)}"] if self.held_us else []
        return [*held, "edited"] if self.edited else held

    @property
    def due(self) -> list[str]:
        """Within which time it wants a reply, where it says so."""
        if self.reply_by_us is None:
            return []
        return [f"◷{span(max(self.reply_by_us - self.at_us, 0) / 1e6)}"]

    @property
    def problem(self) -> bool:
        """Whether something went wrong with it, or it says so."""
        failed = any(turn.failed for turn in self.turns)
        wrong = self.judged is not None and self.judged.violation
        return bool(wrong or self.letters or failed or self.act in _PROBLEMS)


_PROBLEMS: Final = frozenset({"failure", "not-understood", "refuse"})


@dataclass(frozen=True, slots=True)
class Timeline:
    """A conversation. `lanes` are its members in the order of their appearance."""

    id: str
    protocol: str
    lanes: tuple[str, ...]
    spoken: tuple[TimelineMessage, ...]
    began_us: int
    state: str = ""
    phase: str = ""
    outcome: str = ""
    branches: tuple[BranchBody, ...] = ()
    held: tuple[TimelineMessage, ...] = ()
    """Messages that are held: sent, and not delivered yet."""


def read_timeline(
    detail: ConversationDetail,
    platform: str = "local",
    *,
    before: int = 0,
    known: Mapping[int, TimelineMessage] | None = None,
) -> Timeline:
    """Read a conversation; members that never spoke and were never spoken to have no lane.

    `before` counts messages of the conversation that are left out at its beginning. `known` has messages that were
    read already, by their `seq`: one whose body is the very same object is not read again.
    """
    lanes: dict[str, None] = {}
    spoken: list[TimelineMessage] = []
    asked: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    for number, body in enumerate(detail.items, before + 1):
        one = known.get(body.seq) if known else None
        if one is None or one.body is not body or one.number != number:
            one = _spoken(number, body, asked, last, platform)
        spoken.append(one)
        for name in (one.sender, *one.receivers):
            lanes.setdefault(name)
        last.update({(one.sender, name): number for name in one.receivers})
        reply_with = body.message.reply_with
        if reply_with:
            asked[one.sender, reply_with] = number
    held = tuple(
        _spoken(number, body, asked, last, platform)
        for number, body in enumerate(detail.held, before + len(spoken) + 1)
    )
    for one in held:
        for name in (one.sender, *one.receivers):
            lanes.setdefault(name)
    began = spoken[0].at_us if spoken else held[0].at_us if held else micros(detail.started_at)
    return Timeline(
        id=safe(detail.id),
        protocol=safe(detail.protocol or ""),
        lanes=tuple(lanes),
        spoken=tuple(spoken),
        began_us=began,
        state=safe(detail.state or ""),
        phase=safe(detail.phase or ""),
        outcome=safe(detail.outcome or ""),
        branches=tuple(detail.branches),
        held=held,
    )


def read_message(body: MessageBody | HeldBody, platform: str = "local") -> TimelineMessage:
    """Read one message by itself."""
    return _spoken(1, body, {}, {}, platform)


def read_letter(letter: DeadLetterOfMessage | DeadLetterBody, platform: str = "local") -> str:
    """Who did not handle a message, and why."""
    return f"{short(letter.agent, platform)}: {safe(letter.code)}: {safe(letter.reason[:REASON_ROOM])}"


def _spoken(
    number: int,
    body: MessageBody | HeldBody,
    asked: Mapping[tuple[str, str], int],
    last: Mapping[tuple[str, str], int],
    platform: str,
) -> TimelineMessage:
    message = body.message
    sender = short(message.sender, platform)
    receivers = tuple(short(name, platform) for name in message.receiver)
    answers: int | None = None
    if message.in_reply_to:
        # two who were asked may have chosen the same word for their replies
        named = message.in_reply_to
        answers = next((asked[name, named] for name in receivers if (name, named) in asked), None)
    elif len(receivers) == 1 and receivers[0] != sender:
        # who does not name what it answers most likely answers what was said to it last
        answers = last.get((receivers[0], sender))
    arrived = body if isinstance(body, MessageBody) else None
    was_held = arrived.held if arrived else None
    return TimelineMessage(
        number=number,
        seq=body.seq,
        at_us=micros(body.at),
        sender=sender,
        receivers=receivers,
        act=safe(message.performative or "?"),
        text=content(message),
        answers=answers,
        reply_by_us=_us(message.reply_by),
        turns=tuple(_handled(turn, platform) for turn in arrived.turns or ()) if arrived else (),
        letters=tuple(
            read_letter(letter, platform) for letter in (arrived.dead_letters if arrived else ()) or ()
        ),
        judged=_judged(arrived.verdict) if arrived and arrived.verdict else None,
        again=bool(arrived and arrived.redelivered),
        held_us=was_held.held_us if was_held else 0,
        edited=was_held.edited if was_held else isinstance(body, HeldBody) and body.edited,
        body=body,
    )


def _handled(turn: TurnBody, platform: str) -> TimelineTurn:
    return TimelineTurn(
        agent=short(turn.agent, platform),
        revision=(turn.revision or "")[:7],
        status=safe(turn.status),
        ended=safe(turn.ended),
        failed=turn.failed,
        started_us=micros(turn.started_at),
        queue_us=turn.queue_us,
        turn_us=turn.turn_us,
        fuel=turn.fuel,
        sent=turn.sent,
    )


def _judged(verdict: VerdictBody) -> TimelineVerdict:
    return TimelineVerdict(
        violation=verdict.legality == "violation",
        rule=safe(verdict.rule),
        sentence=safe(verdict.warning or verdict.sentence),
        state=safe(verdict.state),
        legal=tuple(safe(act) for act in verdict.legal),
        delivered=verdict.delivered,
    )


def _us(text: object) -> int | None:
    """Microseconds since 1970 of an ISO time; None where it is missing or not a time."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1e6)
