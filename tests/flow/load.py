"""Clients that keep asking while something is killed, and the check of what the journal says in the end.

In: a daemon, agents' names. Out: a `Ledger` of what every client was told; `check` holds it against the journal row by
row. A request is one message in a conversation of its own, under a key of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from caxton.client import AsyncClient
from caxton.clock import SystemClock
from caxton.errors import TimedOut, Unreachable
from caxton.journal import Journal, StoredEvent, StoredMessage, StoredTurn
from caxton.schemas.messages import MessageBody
from caxton.turn_status import REDELIVERED, STATUS_NAMES

PATIENCE_S = 30.0


@dataclass
class Request:
    """One request and what its client knows of it."""

    name: str
    agent: str
    content: Any
    asks_again: bool
    """Whether the client sends it again under the same key when the daemon was cut off."""
    waits: bool
    acknowledged: int | None = None
    """The message's number, once the client was told."""
    answers: list[MessageBody] = field(default_factory=list)
    cut_off: int = 0


@dataclass
class Ledger:
    """Every request of every client."""

    requests: list[Request] = field(default_factory=list)
    left: int = 0
    """Acknowledgements until `enough` is set."""
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, acknowledgements: int) -> None:
        """Begin to count: `enough` is set after so many."""
        self.left = acknowledgements
        self.enough.clear()

    def told(self) -> None:
        """A client got an acknowledgement."""
        self.left -= 1
        if self.left <= 0:
            self.enough.set()


async def keep_asking(
    number: int,
    agents: list[str],
    ledger: Ledger,
    socket: Path,
    up: Callable[[], Awaitable[object]],
    over: asyncio.Event,
) -> None:
    """One client: asks until `over`; after a cut it waits until the daemon is `up` again.

    Of four requests it waits for two answers; of eight it gives one up when it is cut off, and asks the others again.
    """
    turn = 0
    while not over.is_set():
        async with AsyncClient(socket, timeout=PATIENCE_S) as caxton:
            while not over.is_set():
                turn += 1
                request = Request(
                    name=f"talk-{number}-{turn}",
                    agent=agents[(number + turn) % len(agents)],
                    content={"add": 1, "client": number, "turn": turn},
                    asks_again=turn % 8 != 0,
                    waits=turn % 4 < 2,
                )
                ledger.requests.append(request)
                try:
                    await ask(caxton, request)
                    ledger.told()
                    continue
                except Unreachable:
                    # nothing more is said on a connection that was lost
                    request.cut_off += 1
                    break
        if request.cut_off and request.acknowledged is None:
            await again(request, ledger, socket, up)


async def again(request: Request, ledger: Ledger, socket: Path, up: Callable[[], Awaitable[object]]) -> None:
    """Ask again under the same key until it is acknowledged, if the client does so at all."""
    while True:
        await up()
        if not request.asks_again:
            return
        try:
            async with AsyncClient(socket, timeout=PATIENCE_S) as caxton:
                await ask(caxton, request)
                ledger.told()
                return
        except Unreachable:
            request.cut_off += 1


async def ask(caxton: AsyncClient, request: Request) -> None:
    """Send it once; raises Unreachable where the daemon was cut off."""
    said = await caxton.send(
        {
            "receiver": request.agent,
            "performative": "request",
            "content": request.content,
            "conversation_id": request.name,
        },
        wait_s=PATIENCE_S if request.waits else None,
        idempotency_key=request.name,
    )
    if request.waits and said.timed_out:
        raise TimedOut(f"{request.name} was not answered within {PATIENCE_S} s")
    assert said.conversation_id == request.name
    assert request.acknowledged in (None, said.seq), "one key, one message"
    request.acknowledged = said.seq
    request.answers += said.replies


async def settled(socket: Path, agents: list[str]) -> None:
    """Return when every agent has handled what was sent to it before: its mailbox is first in, first out."""
    async with AsyncClient(socket, timeout=PATIENCE_S) as caxton:
        for agent in agents:
            request = Request(f"last-{agent}", agent, {}, asks_again=False, waits=True)
            await ask(caxton, request)
            assert len(request.answers) == 1


@dataclass
class History:
    """The whole journal, read when nobody writes it any more."""

    messages: dict[int, StoredMessage]
    events: list[StoredEvent]
    turns: dict[int, list[StoredTurn]]
    bodies: dict[int, dict[str, Any]]
    answer_of: dict[int, int]
    """The number of the answer to each message."""

    @property
    def marked(self) -> set[int]:
        """Messages whose turn says that they were delivered again."""
        return {seq for seq, turns in self.turns.items() if any(one.status >= REDELIVERED for one in turns)}

    def told(self, kind: str, **wanted: object) -> list[tuple[int, dict[str, Any]]]:
        """Events of that kind whose body has those values, with their numbers."""
        found = [(row.seq, msgspec.json.decode(row.body)) for row in self.events if row.kind == kind]
        return [(seq, body) for seq, body in found if wanted.items() <= body.items()]


async def read(state: Path) -> History:
    """The journal of a daemon that has ended; fails where its numbers have a gap."""
    async with await Journal.open(state, SystemClock()) as journal:
        rows: list[StoredMessage | StoredEvent] = []
        while len(rows) < journal.committed:
            page = await journal.reader.stream(len(rows), 5_000)
            assert page, f"the rows end at {len(rows)}, the journal at {journal.committed}"
            rows += page
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        messages = {row.seq: row for row in rows if isinstance(row, StoredMessage)}
        turns: dict[int, list[StoredTurn]] = {}
        for seq in messages:
            for turn in await journal.reader.turns(seqs=[seq]):
                turns.setdefault(seq, []).append(turn)
    return History(
        messages,
        [row for row in rows if isinstance(row, StoredEvent)],
        turns,
        {seq: msgspec.json.decode(row.body) for seq, row in messages.items()},
        {row.cause: row.seq for row in messages.values() if row.cause},
    )


def check(ledger: Ledger, history: History) -> None:
    """Nothing acknowledged is missing or there twice, and every request that is there has exactly one answer."""
    asked: dict[str, list[int]] = {}
    answers: dict[str, list[int]] = {}
    for seq, row in history.messages.items():
        (asked if row.cause == 0 else answers).setdefault(history.bodies[seq]["conversation_id"], []).append(
            seq
        )
    for request in ledger.requests:
        there = asked.get(request.name, [])
        if request.acknowledged is not None:
            assert there == [request.acknowledged], request
        assert len(there) <= 1, request
        assert len(request.answers) <= 1, "an answer came twice to the client that waited"
        came = answers.get(request.name, [])
        assert len(came) == len(there), f"{request} has the answers {came}"
        if not there:
            continue
        assert history.bodies[there[0]]["content"] == request.content
        answer = history.messages[came[0]]
        assert answer.cause == there[0]
        assert history.bodies[came[0]]["performative"] == "inform"
        (turn,) = history.turns[there[0]]
        assert STATUS_NAMES[turn.status % REDELIVERED] == "ok"
        if request.answers:
            assert request.answers[0].seq == came[0]
            assert request.answers[0].message.json == history.bodies[came[0]]
        elif request.waits:
            assert request.acknowledged is None, "a client that waited was acknowledged without an answer"
