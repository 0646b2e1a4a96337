"""A conversation read into what a diagram needs: who said what when, what it answers, and what became of it.

In: `ConversationDetail` of the API, with the fields of the referee where the daemon has them. Out: a `Story`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from caxton.diagram.words import SIGNS, content, short
from caxton.presentation.text import safe

Json = Mapping[str, Any]

REASON_ROOM: Final = 300


@dataclass(frozen=True, slots=True)
class Handled:
    """One turn on a message."""

    agent: str
    revision: str
    """Seven digits of it; empty for the platform's own agents."""
    status: str
    started_us: int
    queue_us: int
    turn_us: int
    fuel: int
    sent: int


@dataclass(frozen=True, slots=True)
class Judged:
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
class Spoken:
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
    turns: tuple[Handled, ...]
    letters: tuple[str, ...]
    """Why a receiver did not handle it, one sentence each."""
    judged: Judged | None
    again: bool
    """It was delivered again after a crash."""
    held_us: int
    """How long it was held before it went on."""
    edited: bool
    """It was changed while it was held."""
    body: Json
    """As the API gives it."""

    @property
    def sign(self) -> str:
        """One character for its act."""
        return SIGNS.get(self.act, "·")

    @property
    def problem(self) -> bool:
        """Whether something went wrong with it, or it says so."""
        failed = any(turn.status != "ok" for turn in self.turns)
        wrong = self.judged is not None and self.judged.violation
        return bool(wrong or self.letters or failed or self.act in _PROBLEMS)


_PROBLEMS: Final = frozenset({"failure", "not-understood", "refuse"})


@dataclass(frozen=True, slots=True)
class Story:
    """A conversation. `lanes` are its members in the order of their appearance."""

    id: str
    protocol: str
    lanes: tuple[str, ...]
    spoken: tuple[Spoken, ...]
    began_us: int
    state: str = ""
    phase: str = ""
    outcome: str = ""
    branches: tuple[Json, ...] = ()
    held: tuple[Spoken, ...] = ()
    """What is held: said, and on its way to nobody yet."""


def read_story(
    detail: Json, platform: str = "local", *, before: int = 0, known: Mapping[int, Spoken] | None = None
) -> Story:
    """Read a conversation; members that never spoke and were never spoken to have no lane.

    `before` counts messages of the conversation that are left out at its beginning. `known` has messages that were
    read already, by their `seq`: one whose body is the very same object is not read again.
    """
    lanes: dict[str, None] = {}
    spoken: list[Spoken] = []
    asked: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    for number, body in enumerate(detail["items"], before + 1):
        one = known.get(body["seq"]) if known else None
        if one is None or one.body is not body or one.number != number:
            one = _spoken(number, body, asked, last, platform)
        spoken.append(one)
        for name in (one.sender, *one.receivers):
            lanes.setdefault(name)
        last.update({(one.sender, name): number for name in one.receivers})
        reply_with = body["message"].get("reply_with")
        if reply_with:
            asked[one.sender, str(reply_with)] = number
    held = tuple(
        _spoken(number, body, asked, last, platform)
        for number, body in enumerate(detail.get("held") or (), before + len(spoken) + 1)
    )
    for one in held:
        for name in (one.sender, *one.receivers):
            lanes.setdefault(name)
    began = spoken[0].at_us if spoken else held[0].at_us if held else _us(detail.get("started_at"))
    return Story(
        id=safe(detail["id"]),
        protocol=safe(detail.get("protocol") or ""),
        lanes=tuple(lanes),
        spoken=tuple(spoken),
        began_us=began or 0,
        state=safe(detail.get("state") or ""),
        phase=safe(detail.get("phase") or ""),
        outcome=safe(detail.get("outcome") or ""),
        branches=tuple(detail.get("branches") or ()),
        held=held,
    )


def _spoken(
    number: int,
    body: Json,
    asked: Mapping[tuple[str, str], int],
    last: Mapping[tuple[str, str], int],
    platform: str,
) -> Spoken:
    message: Json = body["message"]
    sender = short(message.get("sender"), platform)
    receivers = tuple(short(name, platform) for name in message.get("receiver") or ())
    answers: int | None = None
    if message.get("in_reply_to"):
        # two who were asked may have chosen the same word for their replies
        named = str(message["in_reply_to"])
        answers = next((asked[name, named] for name in receivers if (name, named) in asked), None)
    elif len(receivers) == 1 and receivers[0] != sender:
        # who does not name what it answers most likely answers what was said to it last
        answers = last.get((receivers[0], sender))
    verdict: Json | None = body.get("verdict")
    was_held: Json = body.get("held") or {}
    return Spoken(
        number=number,
        seq=int(body["seq"]),
        at_us=_us(body["at"]) or 0,
        sender=sender,
        receivers=receivers,
        act=safe(message.get("performative") or "?"),
        text=content(message),
        answers=answers,
        reply_by_us=_us(message.get("reply_by")),
        turns=tuple(_handled(turn, platform) for turn in body.get("turns") or ()),
        letters=tuple(
            f"{short(letter['agent'], platform)}: {safe(letter['code'])}:"
            f" {safe(str(letter['reason'])[:REASON_ROOM])}"
            for letter in body.get("dead_letters") or ()
        ),
        judged=None if verdict is None else _judged(verdict),
        again=bool(body.get("redelivered")),
        held_us=int(was_held.get("held_us", 0)),
        edited=bool(was_held.get("edited") or body.get("edited")),
        body=body,
    )


def _handled(turn: Json, platform: str) -> Handled:
    return Handled(
        agent=short(turn["agent"], platform),
        revision=str(turn.get("revision") or "")[:7],
        status=safe(turn["status"]),
        started_us=_us(turn["started_at"]) or 0,
        queue_us=int(turn["queue_us"]),
        turn_us=int(turn["turn_us"]),
        fuel=int(turn["fuel"]),
        sent=int(turn["sent"]),
    )


def _judged(verdict: Json) -> Judged:
    return Judged(
        violation=verdict["legality"] == "violation",
        rule=safe(verdict.get("rule") or ""),
        sentence=safe(verdict.get("warning") or verdict.get("sentence") or ""),
        state=safe(verdict.get("state") or ""),
        legal=tuple(safe(act) for act in verdict.get("legal") or ()),
        delivered=bool(verdict.get("delivered", True)),
    )


def _us(text: object) -> int | None:
    """Microseconds since 1970 of an ISO time; None for none, and for what is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1e6)
