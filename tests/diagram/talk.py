"""Conversations as the API gives them, made by hand: what a diagram is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shapes import made

from caxton.schemas.messages import ConversationDetail
from caxton.schemas.shape import iso

BEGAN_US = 1_700_000_000_000_000


def said(
    seq: int,
    sender: str,
    to: str | Sequence[str],
    act: str,
    content: Any = None,
    *,
    revision: str = "b7e3c50" + "0" * 57,
    status: str = "ok",
    after_ms: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One message with a turn for every receiver; fields of the message, or of its row, in `more`."""
    at_us = BEGAN_US + round((seq if after_ms is None else after_ms) * 1000)
    receivers = [to] if isinstance(to, str) else list(to)
    row: dict[str, Any] = {
        name: more.pop(name) for name in ("verdict", "dead_letters", "redelivered", "cause") if name in more
    }
    message = {
        "performative": act,
        "sender": f"{sender}@local",
        "receiver": [f"{name}@local" for name in receivers],
        "conversation_id": "c-1",
        **more,
    }
    if content is not None:
        message["content"] = content
    turns: list[dict[str, Any]] = [
        {
            "agent": f"{name}@local",
            "revision": revision,
            "status": status,
            "started_at": iso(at_us + 200),
            "queue_us": 200,
            "turn_us": 50,
            "fuel": 21_000,
            "sent": 1,
        }
        for name in receivers
    ]
    return {
        "seq": seq,
        "at": iso(at_us),
        "cause": None,
        "hops": 0,
        "redelivered": False,
        "message": message,
        "turns": turns,
        "dead_letters": [],
        **row,
    }


def talk(*items: dict[str, Any], **more: Any) -> ConversationDetail:
    """A conversation of these messages."""
    fields = {"id": "c-1", "protocol": "fipa-request", "started_at": iso(BEGAN_US), "items": list(items)}
    return made(ConversationDetail, {**fields, **more})
