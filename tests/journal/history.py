"""A made-up history of messages, as plain values that the journal's answers are compared with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from caxton.ids import conversation_key
from caxton.journal import AgentRow, Batch

START_US = 1_700_000_000_000_000
AGENTS = ("ams@local", "buyer@local", "seller@local", "idle@local")


@dataclass(frozen=True)
class Said:
    seq: int
    conversation: str = "c-1"
    sender: str = "buyer@local"
    receivers: tuple[str, ...] = ("seller@local",)
    performative: str = "request"
    flags: int = 0
    at_us: int = 0
    content: object = None
    cause: int = 0

    @property
    def body(self) -> bytes:
        return json.dumps(
            {
                "id": f"m-{self.seq}",
                "performative": self.performative,
                "sender": self.sender,
                "receiver": list(self.receivers),
                "conversation_id": self.conversation,
                "content": self.content,
            }
        ).encode()

    @property
    def time(self) -> int:
        return self.at_us or START_US + self.seq


@dataclass
class Talks:
    """Knows which conversations and participants a batch was told of already, as the bus does."""

    known: set[str] = field(default_factory=set)
    members: set[tuple[str, str]] = field(default_factory=set)

    def say(self, batch: Batch, messages: Iterable[Said]) -> None:
        for said in messages:
            key = conversation_key(said.conversation)
            if said.conversation not in self.known:
                self.known.add(said.conversation)
                batch.conversations.append((key, said.conversation, said.seq, said.time, said.sender, None))
            for name in (said.sender, *said.receivers):
                if (name, said.conversation) not in self.members:
                    self.members.add((name, said.conversation))
                    batch.participants.append((name, key))
            batch.message(said.seq, said.time, key, said.cause, 0, said.flags, said.body)


def turn(batch: Batch, seq: int, agent: str) -> None:
    batch.turns.append((seq, AGENTS.index(agent), 1, START_US + seq, 10, 20, 300, 1, 0, 0))


def registry(batch: Batch) -> None:
    for number, name in enumerate(AGENTS):
        batch.records.append(AgentRow(number, name, "running", 1, "{}", START_US, START_US))
