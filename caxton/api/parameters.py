"""Parameters that several routes take, each with its bounds: cursors and the size of a page.

In: text of a query. Out: numbers that the journal can compare with its own; what is outside is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Protocol, TypeVar

from fastapi import Query
from pydantic import Field

SEQ_MAX: Final = (1 << 63) - 1
"""The greatest number that a row could have."""

After = Annotated[int, Query(ge=0, le=SEQ_MAX, description="Only rows with a greater number.")]
Seqs = Annotated[
    list[Annotated[int, Field(ge=0, lt=1 << 62)]] | None, Field(description="Those of these numbers.")
]
Behind = Annotated[
    str, Query(max_length=2048, description="Only those behind it: `next` of the page before.")
]
Before = Annotated[int | None, Query(ge=1, le=SEQ_MAX, description="Only rows with a smaller number.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="The most items of one page.")]

T = TypeVar("T")


class Subscribed(Protocol):
    """Who gets something since when."""

    @property
    def since_us(self) -> int:
        """Microseconds since 1970."""
        ...

    @property
    def conversation_id(self) -> str:
        """Of its own."""
        ...


def cut(
    items: Sequence[T], place: Callable[[T], str], behind: str, limit: int
) -> tuple[Sequence[T], str | None]:
    """One page of a list in memory, which is in the order of its places, and `next`: the place of the page's last."""
    rest = [one for one in items if place(one) > behind]
    return rest[:limit], place(rest[limit - 1]) if len(rest) > limit else None


def subscribed(one: Subscribed) -> str:
    """The place of a subscription: the oldest first."""
    return f"{one.since_us:018d} {one.conversation_id}"
