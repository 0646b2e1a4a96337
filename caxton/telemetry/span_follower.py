"""Follows the journal and makes spans of what was committed, page by page.

In: a `JournalFollower` and where the last one stopped. Out: `Piece`s: encoded spans, and the place to go on from once a
collector has them. A message comes up when all of it is finished, or `SETTLE_S` after its commit; turns that are not
there by then are looked for later. What a tail rule keeps (failures, violations, slow turns) is kept whatever its
trace's id is, so it may stand without the rest of its trace.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from caxton.acl.message import trace_id_of
from caxton.journal.following import (
    Bounds,
    FollowedLetter,
    FollowedMark,
    FollowedMessage,
    FollowedTurn,
    JournalFollower,
)
from caxton.journal.records.batch import HANDLED
from caxton.telemetry import spans
from caxton.telemetry.otlp import Span
from caxton.telemetry.otlp_settings import Sampling

PAGE: Final = 1_000
"""Messages of a page; their spans are one request."""
SETTLE_S: Final = 2.0
LATE_S: Final = 2.0
"""Time between two looks for turns that were not there."""
MOST_LATE: Final = 10_000
_RECEIVERS: Final = b'"receiver":['


class Late(msgspec.Struct):
    """A message with turns to come: how many, and which agents have had theirs."""

    left: int
    done: list[int] = []
    letters: list[str] = []

    def came(self, turns: Iterable[FollowedTurn], letters: Iterable[FollowedLetter]) -> None:
        """These were there at last."""
        self.done += [one.agent_no for one in turns]
        self.letters += [one.agent for one in letters]


class Place(msgspec.Struct):
    """Where somebody who follows stands. `missed` counts messages and events that retention removed before they were
    read, and messages whose late turns were given up; `missed_upto` is the last number of the latest gap."""

    journal: str = ""
    cursor: int = 0
    late: dict[int, Late] = {}
    missed: int = 0
    missed_upto: int = 0

    def trimmed(self, upto: int) -> None:
        """Retention has removed everything up to that number."""
        if upto > self.cursor:
            self.missed += upto - self.cursor
            self.missed_upto = self.cursor = upto

    def wait(self, seq: int, late: Late) -> None:
        """Turns on that message come later; with too many of those the oldest is given up."""
        self.late[seq] = late
        if len(self.late) > MOST_LATE:
            self.give_up(next(iter(self.late)))

    def give_up(self, seq: int) -> None:
        """Its turns are not waited for any more."""
        del self.late[seq]
        self.missed += 1

    def moved(self, upto: int) -> None:
        """Everything up to that number was read."""
        self.cursor = upto


class Piece(msgspec.Struct, frozen=True):
    """Spans to send, and the place that is reached with them."""

    spans: list[bytes]
    place: Place
    left_out: int = 0
    """Messages that the sampler did not keep."""


class SpanFollower:
    """What there is to send, one piece after the other."""

    def __init__(self, journal: JournalFollower, place: Place, sampling: Sampling) -> None:
        self.place = place
        self.last = place.cursor
        """The journal's last number, when it was looked at last."""
        self._journal = journal
        self._bound = sampling.bound()
        self._slow_us = sampling.slow_us
        self._seen: deque[tuple[float, int]] = deque()
        self._looked_s = 0.0

    @property
    def lag(self) -> int:
        """Numbers that were committed and are not sent."""
        return self.last - self.place.cursor

    def next(self, now_s: float, *, closing: bool = False) -> Piece | None:
        """The next piece, None where there is nothing yet. `now_s` is a clock that never goes back; with `closing` what
        has not settled comes too. The place does not move before `reached`."""
        with self._journal.moment() as bounds:
            self.last = bounds.last
            upto = bounds.last if closing else self._settled(bounds, now_s)
            place = msgspec.json.decode(msgspec.json.encode(self.place), type=Place)
            place.trimmed(bounds.trimmed_upto)
            made: list[Span] = []
            if place.late and (closing or now_s - self._looked_s >= LATE_S):
                self._looked_s = now_s
                made += self._of_late(place, bounds)
            left_out = 0
            if upto > place.cursor:
                left_out = self._of_page(place, upto, made)
        if place == self.place:
            return None
        return Piece([one.encoded() for one in made], place, left_out)

    def reached(self, piece: Piece) -> None:
        """That piece was sent, or nobody will ever take it."""
        self.place = piece.place

    def _settled(self, bounds: Bounds, now_s: float) -> int:
        """Up to where rows were committed long enough ago, or are finished."""
        settled = 0
        if not self._seen or self._seen[-1][1] < bounds.last:
            self._seen.append((now_s, bounds.last))
        while self._seen and self._seen[0][0] <= now_s - SETTLE_S:
            settled = self._seen.popleft()[1]
        if not self._seen:
            # whoever looks again must know that this had settled
            self._seen.append((now_s - SETTLE_S, bounds.last))
        return max(settled, min(bounds.low_water, bounds.last))

    # ------------------------------------------------------------------ one page

    def _of_page(self, place: Place, upto: int, made: list[Span]) -> int:
        """Add the spans of the next page, and move the place behind it; how many messages the sampler left out."""
        page = self._journal.page(place.cursor, upto, PAGE)
        turns, letters = _by_seq(page.turns), _by_seq(page.letters)
        marks = {one.seq: one for one in page.violations}
        noticed = {one.seq for one in page.turns if self._noticed(one)}
        kept: list[FollowedMessage] = []
        left_out = 0
        for message in page.messages:
            seq = message.seq
            of_it, buried = turns.get(seq, ()), letters.get(seq, ())
            due = 0 if message.flags & HANDLED else _expected(message.body, page.publications.get(seq))
            if due > len(of_it) and due > len({*map(self._name, of_it), *(one.agent for one in buried)}):
                place.wait(seq, Late(due, [one.agent_no for one in of_it], [one.agent for one in buried]))
            if self._sampled(message.body) or seq in marks or buried or seq in noticed:
                kept.append(message)
            else:
                left_out += 1
        self._of_messages(kept, turns, letters, marks, made)
        made += filter(None, map(spans.of_event, page.events))
        place.moved(page.upto)
        return left_out

    def _of_messages(
        self,
        kept: list[FollowedMessage],
        turns: dict[int, list[FollowedTurn]],
        letters: dict[int, list[FollowedLetter]],
        marks: dict[int, FollowedMark],
        made: list[Span],
    ) -> None:
        said = {message.seq: spans.read_said(message.body) for message in kept}
        agents = set(self._journal.agents.values())
        wanted = {
            message.cause
            for message in kept
            if message.cause and message.cause not in said and said[message.seq].sender not in agents
        }
        if wanted:
            causes, _, _ = self._journal.again(wanted)
            said |= {cause.seq: spans.read_said(cause.body) for cause in causes}
        for message in kept:
            one = said[message.seq]
            parent = spans.parent_of(message, one, said.get(message.cause), agents)
            made.append(spans.admission(message, one, parent, marks.get(message.seq)))
            self._ends(message, one, turns.get(message.seq, ()), letters.get(message.seq, ()), made)

    def _ends(
        self,
        message: FollowedMessage,
        said: spans.Said,
        turns: Iterable[FollowedTurn],
        letters: Iterable[FollowedLetter],
        made: list[Span],
    ) -> None:
        """Add the spans of turns, and of letters where there was no turn."""
        buried = {letter.agent: letter for letter in letters}
        for row in turns:
            agent = self._name(row)
            revision = self._journal.revisions.get(row.revision_no)
            made.append(spans.turn(message, said, row, agent, revision, buried.pop(agent, None)))
        made += [spans.dead_letter(message, said, letter) for letter in buried.values()]

    # ------------------------------------------------------------------ turns that come later

    def _of_late(self, place: Place, bounds: Bounds) -> list[Span]:
        messages, turns, letters = self._journal.again(place.late)
        turns_of, letters_of = _by_seq(turns), _by_seq(letters)
        made: list[Span] = []
        for message in messages:
            late = place.late[message.seq]
            fresh = [one for one in turns_of.get(message.seq, ()) if one.agent_no not in late.done]
            buried = [one for one in letters_of.get(message.seq, ()) if one.agent not in late.letters]
            if (fresh or buried) and (
                self._sampled(message.body) or buried or any(map(self._noticed, fresh))
            ):
                self._ends(message, spans.read_said(message.body), fresh, buried, made)
            late.came(fresh, buried)
            if (
                message.seq <= bounds.low_water
                or len({*map(self._agent, late.done), *late.letters}) >= late.left
            ):
                del place.late[message.seq]
        there = {message.seq for message in messages}
        for seq in [seq for seq in place.late if seq not in there]:
            place.give_up(seq)
        return made

    # ------------------------------------------------------------------ rules

    def _sampled(self, body: bytes) -> bool:
        """By the trace's id, so that all messages of a trace are kept or none, by whoever samples so."""
        return int(trace_id_of(body)[16:] or "0", 16) < self._bound

    def _noticed(self, turn: FollowedTurn) -> bool:
        return turn.turn_us >= self._slow_us or (turn.status != 0 and spans.failed(turn))

    def _name(self, turn: FollowedTurn) -> str:
        return self._agent(turn.agent_no)

    def _agent(self, number: int) -> str:
        return self._journal.agents.get(number, f"agent {number}")


def _expected(body: bytes, published: int | None) -> int:
    """How many agents a message was for: its receivers, those of a topic each for itself."""
    at = body.find(_RECEIVERS)
    # names have no quotes inside
    named = body.count(b'","', at, body.find(b"]", at)) + 1
    return named if published is None else named - 1 + published


_Row = TypeVar("_Row", FollowedTurn, FollowedLetter)


def _by_seq(rows: Iterable[_Row]) -> dict[int, list[_Row]]:
    found: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row.seq].append(row)
    return found
