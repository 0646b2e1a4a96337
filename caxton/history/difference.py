"""The first place where two runs part.

In: the journals of both. Out: how many messages they have in common, and what is said next in each. Ids that the host
gives, times and numbers of rows are no difference; who says what to whom, in which conversation, is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from caxton import exact_numbers
from caxton.history.reading import PAGE, bodies
from caxton.journal import Reader, StoredMessage
from caxton.scenario.recording.masks import Masks, differs
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import Message


@dataclass(frozen=True, slots=True)
class Parting:
    """Where two runs part: what each says next, None where it has ended; and the conversations up to there."""

    alike: int
    first: MessageBody | None
    second: MessageBody | None
    before: Sequence[MessageBody] = ()
    """The last messages of the first run that both have."""

    def json(self) -> dict[str, Any]:
        """As `-o json` prints it."""
        return {"alike": self.alike, "first": self.first, "second": self.second}


async def difference(one: Reader, other: Reader, before: int = 3) -> Parting | None:
    """Where they part; None where both say the same to their ends. `before`: so many messages of what came before."""
    names: tuple[dict[str, str], dict[str, str]] = ({}, {})
    alike = 0
    last: list[StoredMessage] = []
    left, right = _rows(one), _rows(other)
    try:
        while True:
            first, second = await anext(left, None), await anext(right, None)
            if first is None and second is None:
                return None
            if first is None or second is None or _said(first, names[0]) != _said(second, names[1]):
                return Parting(
                    alike,
                    (await bodies(one, [first]))[0] if first else None,
                    (await bodies(other, [second]))[0] if second else None,
                    await bodies(one, last),
                )
            alike += 1
            last = [*last, first][-before:] if before else []
    finally:
        await left.aclose()
        await right.aclose()


async def _rows(reader: Reader) -> AsyncGenerator[StoredMessage]:
    after = 0
    while rows := await reader.messages(after_seq=after, limit=PAGE):
        for row in rows:
            yield row
        after = rows[-1].seq


def _said(row: StoredMessage, names: dict[str, str]) -> tuple[Any, ...]:
    """What a message says, without what differs each time."""
    message = Message(exact_numbers.decode(row.body))
    masks = Masks([message])
    masks.near(row.at_us)
    talk = message.conversation_id
    if differs(talk):
        talk = names.setdefault(talk, f"talk-{len(names) + 1}")
    return (message.sender, message.receiver, message.performative, talk, masks.masked(message.content))
