"""What the API says of break points and of what they hold. See `shapes`."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict


class BreakBody(TypedDict):
    """A break point; `held`: how many messages it holds now, `ended`: why it stops nothing any more."""

    id: str
    name: str | None
    filter: str
    by: str
    created_at: str
    hits: int
    count: int | None
    until_at: str | None
    ended: str | None
    held: int


class BreakGone(BreakBody):
    """A break point that was taken away, and with how many of its messages something was done."""

    messages: int


class Breaks(TypedDict):
    """Break points, the oldest first."""

    items: list[BreakBody]
    next: None


class HeldBody(TypedDict):
    """A held message as it would go on; `break_id` is null and `behind` a number where it only waits behind another."""

    seq: int
    at: str
    state: str
    break_id: str | None
    behind: int | None
    due_at: str | None
    edited: bool
    cause: int | None
    message: dict[str, Any]


class HeldDetail(HeldBody):
    """The same with the message as it was said, and where it went on."""

    said: dict[str, Any]
    ended_at: str | None
    went_on: int | None


class HeldList(TypedDict):
    """Held messages, the oldest first."""

    items: list[HeldBody]
    next: int | None


class HeldGone(TypedDict):
    """A message that is held no more: its number from now on, and how many are held still."""

    seq: int
    state: str
    went_on: int
    held: int


class ManyGone(TypedDict):
    """How many break points and messages it was, and how many are held still."""

    break_points: int
    messages: int
    held: int
