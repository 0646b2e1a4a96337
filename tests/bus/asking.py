"""Speaking to `ams` and `df` on a stand, and judging what was said by the real referee."""

from __future__ import annotations

from typing import Any

from caxton.acl.message import read_message
from caxton.protocols import Legality, Referee, library

from .harness import Json, Stand


async def told(
    runtime: Stand,
    receiver: str,
    content: object,
    *,
    act: str = "request",
    sender: str = "operator",
    protocol: str | None = "fipa-request",
    **more: Any,
) -> Json:
    """Say it as a client; the first answer."""
    message = {"performative": act, "receiver": receiver, "content": content, "protocol": protocol, **more}
    seq = runtime.bus.submit(message, sender=sender).seq
    answers = [one for one in await runtime.messages(after=seq) if one["cause"] == seq]
    assert answers, f"{receiver} did not answer"
    return answers[0]


async def guest_told(runtime: Stand, name: str, receiver: str, content: object, **more: Any) -> Json:
    """Let a guest say it in its turn; the answer, which is in its mailbox now and handled."""
    runtime.bus.submit({"performative": "inform", "receiver": name})
    said = {"performative": "request", "protocol": "fipa-request", "receiver": receiver, "content": content}
    conversation = f"of-{name}-{runtime.bus.last_seq}"
    runtime.cell.end({"conversation_id": conversation, **said, **more})
    answer = runtime.cell.end().message
    assert answer["sender"] == f"{receiver}@local", answer
    return answer


async def violations(runtime: Stand) -> list[tuple[str, str, str]]:
    """What the referee finds wrong in everything that was said so far: number, act, rule."""
    await runtime.commit()
    referee = Referee(library())
    found: list[tuple[str, str, str]] = []
    for row in await runtime.journal.reader.messages(limit=100_000):
        message = read_message(row.body)
        verdict = referee.judge(message, row.at_us)
        if verdict.legality is Legality.VIOLATION:
            found.append((message.id, message.performative, verdict.rule))
    return found
