"""Speaks a conversation to a real referee, one short line a message.

talk = Talk("fipa-contract-net")
talk.i("cfp", "a", "b", rw="r1", by=5)      the initiator to a and b, until second 5
talk.p("a", "propose", irt="r1")            a to the initiator
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from caxton.acl import Message, Performative
from caxton.acl.message import NULL
from caxton.acl.reply_by import time_text
from caxton.protocols import Conversation, Effect, Protocol, Referee, Verdict, library
from caxton.protocols.outcomes import aggregate, outcome, state, state_names


class Talk:
    """One conversation of `i` with its participants; `at` is the time in seconds."""

    def __init__(
        self,
        protocol: str | None,
        id: str = "c",
        referee: Referee | None = None,
        tables: tuple[Path, ...] = (),
    ) -> None:
        self.protocol = protocol
        self.id = id
        self.referee = referee or Referee(library(tables))
        self.at = 0.0
        self.count = 0

    def say(
        self,
        sender: str,
        act: str,
        *to: str,
        rw: str | None = None,
        irt: str | None = None,
        by: float | None = None,
        at: float | None = None,
        protocol: str | None = "",
        content: object = None,
        reply_to: list[str] | None = None,
        proxy_of: str | None = None,
        id: str | None = None,
    ) -> Verdict:
        if at is not None:
            self.at = at
        self.count += 1
        message = Message(
            id or f"{self.id}-{self.count}",
            Performative(act),
            full(sender),
            [full(name) for name in to],
            self.id,
            "trace",
            "span",
            us(self.at),
            NULL if content is None else msgspec.Raw(json.dumps(content).encode()),
            self.protocol if protocol == "" else protocol,
            rw,
            irt,
            None if by is None else time_text(us(by)),
            [full(name) for name in reply_to] if reply_to else None,
        )
        return self.referee.judge(message, us(self.at), proxy_of)

    def i(self, act: str, *to: str, **more: object) -> Verdict:
        """The initiator says something to these, to `a` where none is named."""
        return self.say("i", act, *(to or ("a",)), **more)  # type: ignore[arg-type]

    def p(self, name: str, act: str, **more: object) -> Verdict:
        """A participant says something to the initiator."""
        return self.say(name, act, "i", **more)  # type: ignore[arg-type]

    def wait(self, until: float) -> tuple[Effect, ...]:
        """Let time pass."""
        self.at = until
        return self.referee.pass_time(self.id, us(until))

    @property
    def conversation(self) -> Conversation:
        return self.referee.conversations[self.id]

    @property
    def table(self) -> Protocol:
        return self.referee.library.protocols[self.conversation.protocol]

    @property
    def states(self) -> dict[str, str]:
        return {
            name.removesuffix("@local"): one
            for name, one in state_names(self.conversation, self.table).items()
        }

    @property
    def a(self) -> str:
        return self.states["a"]

    @property
    def aggregate(self) -> str:
        return aggregate(self.conversation, self.table).value

    @property
    def state(self) -> str:
        return state(self.conversation, self.table)

    @property
    def outcome(self) -> str | None:
        return outcome(self.conversation, self.table)


def full(name: str) -> str:
    return name if "@" in name else f"{name}@local"


def us(seconds: float) -> int:
    return 1_000_000_000_000_000 + int(seconds * 1_000_000)
