"""Questions that a replay asks for real: messages on the bus like any other, from a client of its own.

In: a question of an agent's turn that is run again. Out: what comes of it. It is journalled before it leaves, and needs
the right of the agent that asks; what it may cost is bounded by `budgets.replay`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from caxton import exact_numbers
from caxton.acl.message import read_message
from caxton.bus.bus import Bus
from caxton.errors import CaxtonError, InvalidState

REPLAYS: Final = "operator.replay."
"""Before an agent's name: who asks for it in a replay."""
REPLAY_TALK: Final = "replay-"
"""What the conversation of a replay's questions begins with."""


class LiveAnswer(NamedTuple):
    """What came of a question: the act, the content, and what it has cost."""

    act: str
    content: Any
    tokens: int
    money: float


def asks_for(asker: str) -> str | None:
    """The agent (local name) for which a replay asks by that name; None where it is no replay that asks."""
    return asker[len(REPLAYS) :] if asker.startswith(REPLAYS) else None


async def ask_live(bus: Bus, agent: str, message: dict[str, Any], to: str, talk: str) -> LiveAnswer:
    """Ask what a turn of an agent (local name) asks, as a message of conversation `talk`.

    Raises InvalidState where the daemon stops meanwhile.
    """
    said: dict[str, object] = {
        key: message[key] for key in ("content", "ontology", "language") if message.get(key) is not None
    }
    said |= {"performative": "request", "receiver": to, "conversation_id": talk}
    with bus.clients.expect(talk) as waiter:
        try:
            bus.submit(said, sender=f"{REPLAYS}{agent}")
        except CaxtonError as error:
            return LiveAnswer("failure", {"error": error.code, "reason": error.message}, 0, 0.0)
        while (told := waiter.take()) is None:
            if bus.clients.closed:
                raise InvalidState("the daemon stops, and nothing more is asked")
            await waiter.wait()
    if told.ended is not None:
        return LiveAnswer("failure", {"error": "no-answer", "reason": told.ended}, 0, 0.0)
    answer = read_message(told.body)
    content: Any = exact_numbers.decode(answer.content)
    return LiveAnswer(answer.performative.value, content, *_spent(content))


def _spent(content: Any) -> tuple[int, float]:
    match content:
        case {"usage": {"input": int(into), "output": int(out)}, **more}:
            money = more.get("money")
            return into + out, float(money) if isinstance(money, int | float) else 0.0
        case _:
            return 0, 0.0
