"""What no machine of ours does to messages: one is lost, comes twice, or comes behind the next one.

In: turns, as a cell gives them to its guests. Out: the same turns, with what the guest really saw. The journal has
every message and every turn: what is lost is lost between the mailbox and the guest. A memory that is rebuilt sees what
the guest has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from caxton import exact_numbers
from caxton.sandbox.cell.slots import Answer
from caxton.sandbox.cell.slow_lanes import Frame
from caxton.sandbox.frames import Kind, Replay, Replayed, cut, replay_payload, split_payload
from caxton.turn_status import Status


class Loss(StrEnum):
    """What becomes of a message."""

    DROPPED = "dropped"
    TWICE = "duplicated"
    BEHIND = "reordered"


@dataclass(slots=True)
class Rule:
    """What becomes of the next `times` messages that are meant."""

    loss: Loss
    means: Callable[[bytes, str], bool]
    times: int

    def takes(self, message: bytes, agent: str) -> bool:
        """Whether it is one of them."""
        if not self.times or not self.means(message, agent):
            return False
        self.times -= 1
        return True


class Losses:
    """Those of one run, over all of its lives."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._next: Loss | None = None
        self._behind: dict[str, list[bytes]] = {}
        """By agent, what comes behind its next message."""
        self._seen: dict[str, list[bytes]] = {}
        """By a message's id, what the guest saw in its turn, where that is not the message once."""

    def add(self, rule: Rule) -> None:
        """From now on."""
        self.rules.append(rule)

    def lose_next(self, loss: Loss) -> None:
        """What becomes of the message whose turn is next."""
        self._next = loss

    def answer(self, perform: Callable[[Frame], Answer], frame: Frame, agent: str) -> Answer:
        """Do what a frame asks, with what becomes of its messages."""
        kind, slot, seq, payload = frame
        if kind == Kind.REPLAY and self._seen:
            return self._replayed(perform, frame)
        if kind != Kind.TURN or not (self.rules or self._next or self._behind):
            return perform(frame)
        loss, self._next = self._next, None
        if loss is None:
            loss = next((one.loss for one in self.rules if one.takes(payload, agent)), None)
        seen = [payload]
        if loss is Loss.TWICE:
            seen = [payload, payload]
        elif loss is not None:
            seen = []
        if loss is Loss.BEHIND:
            self._behind.setdefault(agent, []).append(payload)
        elif seen:
            seen += self._behind.pop(agent, [])
        if seen == [payload]:
            return perform(frame)
        self._seen[_id(payload)] = seen
        answer: Answer = (Status.OK, 0, b"", 0)
        for message in seen:
            answer = _both(answer, perform((kind, slot, seq, message)))
            if answer[0] is not Status.OK:
                break
        return answer

    def _replayed(self, perform: Callable[[Frame], Answer], frame: Frame) -> Answer:
        kind, slot, seq, payload = frame
        asked, bodies = split_payload(payload, Replay)
        if asked.outputs:
            return perform(frame)
        turns = [self._seen.get(_id(one), [one]) for one in cut(bodies, asked.lengths)]
        again = replay_payload([one for seen in turns for one in seen])
        status, count, body, fuel = perform((kind, slot, seq, again))
        head, _, rest = body.partition(b"\0")
        told = msgspec.json.decode(head, type=Replayed)
        if told.fault is None:
            told = msgspec.structs.replace(told, done=len(turns))
        return status, count, msgspec.json.encode(told) + b"\0" + rest, fuel


def _id(message: bytes) -> str:
    return str(exact_numbers.decode(message)["id"])


def _both(one: Answer, other: Answer) -> Answer:
    """Two turns as one."""
    status, count, body, fuel = other
    if status is not Status.OK:
        return status, count, body, one[3] + fuel
    joined = b"\n".join(part for part in (one[2].rstrip(b"\n"), body) if part)
    return status, one[1] + count, joined, one[3] + fuel
