"""One message that a task is to say."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from caxton.acl.performative import Performative


class OutgoingMessage(NamedTuple):
    """An act for participants; protocol, conversation and reply_with are the task's."""

    act: Performative
    receivers: tuple[str, ...]
    content: msgspec.Raw
    in_reply_to: str | None = None
    reply_by_us: int | None = None
    """Until when the next word of a participant is in time."""


def reason(why: str) -> msgspec.Raw:
    """The content of a rejection or a cancel."""
    return msgspec.Raw(msgspec.json.encode({"reason": why}))
