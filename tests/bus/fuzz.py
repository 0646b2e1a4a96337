"""Ends of turns without end: whatever a guest wrote, its turn ends, its row is written, and its neighbours go on.

In: how many frames, and a seed to see the same ones again. Out: how many turns were taken in; raises what must not be
raised, with the frame. A frame is written messages and log records with some bytes changed, cut, doubled, or put in
from others; the daemon's end of the socket, the bus, the platform's agents and the journal are the real ones.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from pathlib import Path
from typing import Any, Final

from acl.fuzz import WORDS, changed
from structlog.testing import capture_logs

from caxton.sandbox import output_lines
from caxton.turn_status import Status

from .harness import Stand, stand

LOST: Final = (Status.TRAP, Status.LIMIT, Status.BROKEN)
BETWEEN: Final = 500
"""Frames between two looks at the disk."""
SL_SEARCH: Final = (
    "((action (agent-identifier :name df@local) (search (df-agent-description) (search-constraints))))"
)
SERVICE: Final = {"name": "a", "services": [{"name": "s", "type": "t", "properties": [{"name": "p", "value": 1}]}],
                  "lease-time": "5m", "protocols": ["fipa-request"]}  # fmt: skip
SAID: Final[list[dict[str, Any]]] = [
    {"performative": "inform", "content": [1, 2.5, "é\n", None]},
    {"performative": "inform", "receiver": ["b", "operator.ann"], "content": {"k": {"l": 1}}},
    {"performative": "request", "receiver": "b", "protocol": "fipa-request", "reply_with": "r"},
    {"performative": "cfp", "receiver": ["b", "a"], "protocol": "fipa-contract-net", "reply_by": "5s"},
    {"performative": "propose", "protocol": "fipa-contract-net", "content": {"price": 1e9}},
    {"performative": "failure", "content": {"error": "x", "receiver": "b@local"}, "conversation_id": "c-1"},
    {"performative": "agree", "reply_to": "b", "x_a": 1, "x_proxy_of": "c-1", "ontology": "o"},
    {"performative": "request", "receiver": "timer", "content": {"after_ms": 500, "tag": [1]}},
    {"performative": "request", "receiver": "df", "content": {"action": "register", "description": SERVICE}},
    {"performative": "request", "receiver": "df", "content": {"action": "modify", "description": SERVICE}},
    {"performative": "request", "receiver": "df", "content": {"action": "search", "description": SERVICE,
                                                             "constraints": {"max-results": 3, "max-depth": 1}}},
    {"performative": "request", "receiver": "df", "language": "fipa-sl0", "content": SL_SEARCH},
    {"performative": "subscribe", "receiver": "df", "content": {"action": "search", "description": SERVICE}},
    {"performative": "request", "receiver": "ams", "content": {"action": "search", "description": {"name": "a"}}},
    {"performative": "request", "receiver": "ams", "content": {"action": "modify", "description": {"name": "a"}}},
    {"performative": "query-ref", "receiver": "ams", "content": "get-description"},
    {"caxton": "log", "level": "info", "message": "sold"},
    {"caxton": "log", "level": "error", "msg": {"k": [1, 2]}},
    {"caxton": "dance", "to": 3},
]  # fmt: skip
POISON: Final = [
    *WORDS["json"], b"\n", b'{"caxton":"log","level":{},"message":"x"}', b'{"caxton":"log",', b'"level":',
    b"\xed\xa0\x80",
    b"[" * 3_000, b"]" * 3_000, b'{"a":' * 70, b"9" * 5_000, b"-1e308", b"1e400", b'"\\ud83d"', b"\0", b'"timer"',
    b'"after_ms":', b'"lease-time":', b"9" * 400, b"1e300", b'"max-results":', b'"protocol":"fipa-', b'"reply_by":"',
]  # fmt: skip

ODD: Final[list[Any]] = [
    None, True, 0, -1, 1e308, -1e308, 5e-324, 10**18, -(10**30), 10**400, 10**4_000, 1.5, "", "a\0b", "\u2028", "1e999",
    "9" * 400 + "ms", "5s", "-5s", "a@", "@", "a@b@c", "b", "timer", "df@local", "2026-13-01T00:00:00Z", "((a",
    "(a " * 70,
    [], {}, [[]], [{}], {"": {}}, {"a": None}, ["b", "b"], [1], json.loads("[" * 60 + "]" * 60), "x" * 2_000,
    "fipa-propose", "iterated-contract-net", "fipa-sl0", "register", "subscribe", "é" * 300,
]  # fmt: skip
KEYS: Final = ["performative", "protocol", "conversation_id", "in_reply_to", "reply_with", "reply_by", "receiver",
               "content", "language", "x_proxy_of", "x_agents", "encoding", "ontology", "sender"]  # fmt: skip


def fuzz_turns(frames: int, seed: int) -> int:
    """End so many turns; how many of them were taken in."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_play(Path(folder), frames, random.Random(f"turns {seed}")))


async def _play(folder: Path, frames: int, dice: random.Random) -> int:
    async with stand(folder) as house:
        agents = {agent.slot: agent for agent in (house.agent("a"), house.agent("b"))}
        seeds = [json.dumps(one).encode() for one in SAID]
        for number in range(1, frames + 1):
            while not house.cell.frames:
                # the referee may stop one in a conversation that a guest has given a protocol
                talk = dice.choice([f"c-{number % 9}", f"new-{number}-{dice.random()}"])
                house.ask(["a", "b"], protocol=dice.choice([None, "fipa-request"]), conversation_id=talk)
            status, payload = _ending(dice, seeds)
            messages = output_lines.count(payload, house.limits.message_bytes)
            count = messages if messages >= 0 and dice.random() < 0.97 else dice.randrange(4)
            with capture_logs() as logs:
                try:
                    ended = house.cell.end(payload, status=status, count=count)
                except Exception as error:
                    raise AssertionError(f"frame {number}, {status!r}: {payload!r}") from error
            for log in logs:
                if "exc_info" in log:
                    raise AssertionError(f"frame {number}, {status!r}: {payload!r}") from log["exc_info"]
            agent = agents[ended.slot]
            if not agent.open:
                while house.cell.frames and agent.in_flight:
                    _give_back(house, agent.slot)
                house.bus.open(agent)
            if number % BETWEEN == 0 or number == frames:
                await house.commit()
        counts, rows = house.bus.counts, await house.turns()
        own = [row for row in rows if row.agent in ("a@local", "b@local")]
        assert counts.turns == len(own) == frames, "every turn is a row"
        assert not house.cell.link.lost
        return counts.turns_ok


def _give_back(house: Stand, slot: int) -> None:
    """What a cell says of the messages behind a turn that cost the instance."""
    place = next(n for n, frame in enumerate(house.cell.frames) if frame.slot == slot)
    house.cell.frames.rotate(-place)
    house.cell.end(status=Status.UNHANDLED)
    house.cell.frames.rotate(place)


def _ending(dice: random.Random, seeds: list[bytes]) -> tuple[Status, bytes]:
    """How a turn ends, and what the cell hands on of it."""
    status = dice.choices([Status.OK, Status.GUEST_ERROR, *LOST], [90, 6, 1, 1, 2])[0]
    match status:
        case Status.OK:
            said = dice.choices(seeds, k=dice.choice((1, 1, 1, 2, 5)))
            if dice.random() < 0.7:
                said[0] = json.dumps(_twisted_line(dice, json.loads(said[0])), ensure_ascii=False).encode()
                return status, dice.choice((b"\n", b"\r\n")).join(said)
            payload = b"\n".join(said)
        case Status.GUEST_ERROR:
            payload = b"no paper left\n" + dice.choice(seeds)
        case _:
            payload = b'{"code":"fuel","reason":"more than 5","hint":"less","lost":[16]}'
    return status, payload if dice.random() < 0.2 else changed(dice, payload, seeds, POISON)


def _twisted_line(dice: random.Random, line: dict[str, Any]) -> dict[str, Any]:
    """A line with something else in one of its places, in its content more often than elsewhere."""
    key = "content" if "content" in line and dice.random() < 0.6 else dice.choice([*line, *KEYS])
    return {**line, key: _twisted(dice, line.get(key))}


def _twisted(dice: random.Random, value: Any) -> Any:
    """A value with something else in one of its places."""
    if dice.random() < 0.2 or not isinstance(value, dict | list) or not value:
        return dice.choice(ODD)
    if isinstance(value, list):
        at = dice.randrange(len(value))
        return [*value[:at], _twisted(dice, value[at]), *value[at + 1 :]]
    key = dice.choice(list(value))
    return {**value, key: _twisted(dice, value[key])}
