"""What the API says of messages that wait for a yes. See `shapes`."""

from __future__ import annotations

from datetime import datetime

from caxton.schemas.shape import Message, Shape


class ApprovalStepBody(Shape, frozen=True, kw_only=True):
    """Something that was done about message `held`: asked, yes, no, edited, timeout, withdrawn, full, escalated,
    released. `by` is who did it, empty where nobody did."""

    seq: int
    held: int
    at: datetime
    approval: str
    step: str
    by: str
    note: str
    sender: str
    went_on: int | None


class ApprovalBody(Shape, frozen=True, kw_only=True):
    """A message that waits, as it would go on. `approval` is the rule that it waits for, `needs` are all that have no
    yes yet, `by` is who may decide next; at `until_at` its time is over."""

    seq: int
    at: datetime
    state: str
    approval: str
    needs: list[str]
    by: list[str]
    until_at: datetime | None
    behind: int | None
    edited: bool
    cause: int | None
    message: Message


class ApprovalDetail(ApprovalBody, frozen=True, kw_only=True):
    """The same with the message as it was said, what was done about it, and where it went on."""

    ended_at: datetime | None
    went_on: int | None
    said: Message
    steps: list[ApprovalStepBody]


class Approvals(Shape, frozen=True, kw_only=True):
    """Messages that wait, the oldest first."""

    items: list[ApprovalBody]
    next: int | None


class ApprovalSteps(Shape, frozen=True, kw_only=True):
    """What was done about any of them, the newest first."""

    items: list[ApprovalStepBody]
    next: int | None


class ApprovalDone(Shape, frozen=True, kw_only=True):
    """What came of a decision: approved, refused, or `waiting` for what it still `needs`; how many wait still."""

    seq: int
    state: str
    went_on: int | None
    needs: list[str]
    waiting: int
