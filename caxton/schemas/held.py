"""What the API says of break points and of what they hold. See `shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from caxton.schemas.shape import Message, Shape

APPROVAL: Final = "approval:"
"""What stands before a rule's name in `break_id`, where a message waits for the yes of that rule."""


class BreakBody(Shape, frozen=True, kw_only=True):
    """A break point; `held`: how many messages it holds now, `ended`: why it stops nothing any more."""

    id: str
    name: str | None
    filter: str
    by: str
    created_at: datetime
    hits: int
    count: int | None
    until_at: datetime | None
    ended: str | None
    held: int


class BreakGone(BreakBody, frozen=True, kw_only=True):
    """A break point that was taken away, and with how many of its messages something was done."""

    messages: int


class Breaks(Shape, frozen=True, kw_only=True):
    """Break points, the oldest first."""

    items: list[BreakBody]
    next: None


class HeldBody(Shape, frozen=True, kw_only=True):
    """A held message as it would go on; `break_id` is null and `behind` a number where it only waits behind another."""

    seq: int
    at: datetime
    state: str
    break_id: str | None
    behind: int | None
    due_at: datetime | None
    edited: bool
    cause: int | None
    message: Message

    @property
    def approval(self) -> str | None:
        """The rule whose yes it waits for; None where a break point holds it, or it waits behind another."""
        id = self.break_id
        return id.removeprefix(APPROVAL) if id is not None and id.startswith(APPROVAL) else None


class HeldDetail(HeldBody, frozen=True, kw_only=True):
    """The same with the message as it was said, and where it went on."""

    ended_at: datetime | None
    went_on: int | None
    said: Message


class HeldList(Shape, frozen=True, kw_only=True):
    """Held messages, the oldest first."""

    items: list[HeldBody]
    next: int | None


class HeldGone(Shape, frozen=True, kw_only=True):
    """A message that is held no more: its number from now on, and how many are held still."""

    seq: int
    state: str
    went_on: int
    held: int


class ManyGone(Shape, frozen=True, kw_only=True):
    """How many break points and messages it was, and how many are held still."""

    break_points: int
    messages: int
    held: int
