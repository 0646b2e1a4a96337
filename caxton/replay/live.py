"""What a replayed build asks anew, asked for real, and its answers in the place of those of then.

In: turns as they went now. Out: what they asked, and the turns that follow from the answers. The same question has its
answer in the record and is not asked; nor is one twice. A question in the place of one of then is answered where that
was; an answer that has no turn of then has one of its own, right after the turn that asked, and what is said in it
counts as said by that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

from caxton import exact_numbers
from caxton.acl import Message, Performative
from caxton.acl.message import read_message, write_message
from caxton.effects.live import LiveAnswer
from caxton.journal import PastTurn
from caxton.limits import Limits
from caxton.replay.asked import Asked, canonical, compared, outside
from caxton.replay.normalise import NEW, Said, comparable, read_outcome
from caxton.replay.recorded import RecordedTurn
from caxton.replay.time_box import TimeBox
from caxton.sandbox.frames import ReplayedTurn

MOST_ASKED: Final = 100
"""Questions that may follow from one turn; more are not asked."""
_FINAL: Final = frozenset(
    {Performative.INFORM, Performative.FAILURE, Performative.REFUSE, Performative.NOT_UNDERSTOOD}
)


class Outside(Protocol):
    """The world, for replays."""

    def cost(self, name: str, content: bytes) -> tuple[int, float] | None:
        """The most that a question to that agent (full name) costs; None where it stands for nothing outside."""
        ...

    async def ask(self, agent: str, message: dict[str, Any], to: str, talk: str) -> LiveAnswer:
        """Ask it for an agent (local name), in that conversation."""
        ...


class LiveTurn(NamedTuple):
    """What a turn asked anew, and what was said in turns that came of it and that were none then."""

    asks: list[Asked]
    more: list[Said]


class LiveQuestions:
    """Those of one agent (full name) in one replay, whose turns of then are `turns`."""

    def __init__(
        self,
        world: Outside,
        speaker: str,
        limits: Limits,
        talk: str,
        turns: Sequence[RecordedTurn],
        box: TimeBox,
    ) -> None:
        self._world = world
        self._speaker = speaker
        self._timer = f"timer@{speaker.rpartition('@')[2]}"
        self._limits = limits
        self._talk = talk
        self._box = box
        self._turns = {one.turn.own_seq: one for one in turns}
        self._known: dict[tuple[str, bytes], LiveAnswer] = {}
        self._answering: dict[int, int] = {}
        """The turn that an answer of then was handled in, by the number of the question."""
        self._instead: dict[int, dict[str, Any] | None] = {}
        """What a turn of then is told in place of what it was told; None: it is not asked for any more."""
        self._following: dict[int, list[PastTurn]] = {}
        self._found: dict[int, LiveTurn] = {}
        self._questions = 0
        self._know_answers(turns)

    def now(self, past: PastTurn) -> PastTurn | None:
        """A turn of then with what it is told now; None where what it answered is not asked any more."""
        instead = self._instead.get(past.own_seq, {})
        if not instead:
            return None if instead is None else past
        body: dict[str, Any] = exact_numbers.decode(past.body)
        return past._replace(body=exact_numbers.encode({**body, **instead}))

    def following(self, own_seq: int) -> list[PastTurn]:
        """Turns that were none then, in the order in which they come after that one."""
        return self._following.get(own_seq, [])

    def found(self, own_seq: int) -> LiveTurn | None:
        """What became of that turn's questions."""
        return self._found.get(own_seq)

    async def went(
        self, own_seq: int, past: PastTurn, turn: ReplayedTurn, output: bytes, *, follows: bool
    ) -> None:
        """The turn of that number went so, or one that follows from it: ask what it asks anew."""
        origin = self._turns[own_seq]
        asked = read_message(past.body)
        at_us = past.started_us
        outcome = read_outcome(turn.status, output, turn.count, asked, self._speaker, self._limits, at_us)
        live = self._found.setdefault(own_seq, LiveTurn([], []))
        of_then = [] if follows else origin.messages
        then = [comparable(one, origin.asked.conversation_id) for one in of_then]
        anew, dropped = compared(then, outcome.forms, self._world.cost)
        for to, message, place in anew:
            if len(live.asks) >= MOST_ASKED:
                break
            answer, source = await self._answer(to, message)
            before = None if place is None else then[place].get("content")
            paid = (answer.tokens, answer.money) if source == "live" else (0, 0.0)
            live.asks.append(
                Asked(
                    to=to,
                    before=before,
                    after=message.get("content"),
                    tokens=paid[0],
                    money=paid[1],
                    answer=answer.content,
                    source=source,
                )
            )
            row = None if place is None else self._answering.get(origin.said[place].seq)
            if row is None:
                self._follow(own_seq, past, to, message, answer)
            else:
                self._instead[row] = _told(message, answer)
        for place in dropped:
            row = self._answering.get(origin.said[place].seq)
            if row is not None:
                self._instead[row] = None
        if follows:
            # a wish to `timer` in such a turn bounds its questions
            live.more.extend(
                one
                for one in outcome.said
                if outside(one.form, self._world.cost) is None and one.message.receiver != [self._timer]
            )

    async def _answer(self, to: str, message: dict[str, Any]) -> tuple[LiveAnswer, str]:
        key = to, canonical(message.get("content"))
        if key in self._known:
            return self._known[key], "record"
        agent = self._speaker.partition("@")[0]
        with self._box.waiting():
            answer = await self._world.ask(agent, message, to, self._talk)
        self._known[key] = answer
        return answer, "live"

    def _follow(
        self, own_seq: int, past: PastTurn, to: str, message: dict[str, Any], answer: LiveAnswer
    ) -> None:
        """A turn for an answer that was none then."""
        self._questions += 1
        talk = str(message["conversation_id"])
        body = write_message(
            Message(
                id=f"{self._talk}-{self._questions}",
                performative=Performative(answer.act),
                sender=to,
                receiver=[self._speaker],
                conversation_id=f"{self._talk}-{self._questions}" if talk == NEW else talk,
                trace_id="",
                span_id="",
                timestamp=past.started_us,
                in_reply_to=message.get("reply_with"),
                protocol=message.get("protocol"),
                language=message.get("language"),
                ontology=message.get("ontology"),
            )
        )
        told: dict[str, Any] = exact_numbers.decode(body)
        line = exact_numbers.encode({**told, "content": answer.content})
        self._following.setdefault(own_seq, []).append(past._replace(body=line, status=0))

    def _know_answers(self, turns: Sequence[RecordedTurn]) -> None:
        answers: dict[tuple[str, str, str | None], deque[RecordedTurn]] = {}
        for one in turns:
            told = one.asked
            if told.performative in _FINAL and self._world.cost(told.sender, b"null") is not None:
                key = told.sender, told.conversation_id, told.in_reply_to
                answers.setdefault(key, deque()).append(one)
        for one in turns:
            for row, message in zip(one.said, one.messages, strict=True):
                to = outside(message, self._world.cost)
                if to is None:
                    continue
                waiting = answers.get((to, message["conversation_id"], message.get("reply_with")))
                if waiting:
                    answering = waiting.popleft()
                    self._answering[row.seq] = answering.turn.own_seq
                    told = answering.asked
                    answer = LiveAnswer(told.performative.value, exact_numbers.decode(told.content), 0, 0.0)
                    self._known[to, canonical(message.get("content"))] = answer


def _told(message: dict[str, Any], answer: LiveAnswer) -> dict[str, Any]:
    """What the answer of then says now."""
    told: dict[str, Any] = {"performative": answer.act, "content": answer.content}
    if message.get("reply_with") is not None:
        told["in_reply_to"] = message["reply_with"]
    if message["conversation_id"] != NEW:
        told["conversation_id"] = message["conversation_id"]
    return told
