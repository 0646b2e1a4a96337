"""Rows of the journal as the API shows them.

In: what the reader returns. Out: the shapes of `shapes`, a message's bytes passed through as they were
delivered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from caxton import exact_numbers
from caxton.acl.message import read_message
from caxton.api.verdicts import verdict_body
from caxton.journal import (
    REDELIVERED,
    RELEASED,
    Reader,
    StoredConversation,
    StoredDeadLetter,
    StoredEvent,
    StoredHeld,
    StoredMessage,
    StoredTurn,
)
from caxton.schemas.shape import iso
from caxton.turn_status import REDELIVERED as REDELIVERED_TURN
from caxton.turn_status import STATUS_NAMES

PAGE_OF_TURNS = 10_000


def message_body(row: StoredMessage) -> dict[str, Any]:
    """One message without what became of it."""
    return {
        "seq": row.seq,
        "at": iso(row.at_us),
        "cause": row.cause or None,
        "hops": row.hops,
        "redelivered": bool(row.flags & REDELIVERED),
        "message": msgspec.Raw(row.body),
    }


async def with_outcome(reader: Reader, rows: Sequence[StoredMessage]) -> list[dict[str, Any]]:
    """Messages with their turns and dead letters, and what the referee said of them."""
    if not rows:
        return []
    seqs = [row.seq for row in rows]
    builds = {row.no: row.sha256 for row in await reader.revisions()}
    turns: dict[int, list[dict[str, Any]]] = {}
    again: set[int] = set()
    for turn in await reader.turns(seqs=seqs, limit=PAGE_OF_TURNS):
        turns.setdefault(turn.seq, []).append(turn_body(turn, builds.get(turn.revision_no)))
        if turn.status >= REDELIVERED_TURN:
            again.add(turn.seq)
    verdicts = {mark.seq: verdict_body(mark) for mark in await reader.marks(seqs)}
    gone_on = [row.seq for row in rows if row.flags & RELEASED]
    held = {one.went_on: one for one in await reader.held_before(gone_on)} if gone_on else {}
    bodies = [message_body(row) for row in rows]
    for row, body in zip(rows, bodies, strict=True):
        body["turns"] = turns.get(row.seq, [])
        # its own row was written before anybody knew that it would be delivered again
        body["redelivered"] |= row.seq in again
        body["verdict"] = verdicts.get(row.seq)
        before = held.get(row.seq)
        body["held"] = None if before is None else _was_held(before)
        body["dead_letters"] = await _dead_letters(reader, row, body["turns"])
    return bodies


def _was_held(row: StoredHeld) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "break_id": row.break_id,
        "held_us": (row.ended_us or row.at_us) - row.at_us,
        "edited": bool(row.changed),
    }


async def _dead_letters(
    reader: Reader, row: StoredMessage, turns: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    receivers = len(read_message(row.body).receiver)
    if len(turns) == receivers and all(turn["status"] == "ok" for turn in turns):
        # everybody handled it, as with nearly all messages
        return []
    found = await reader.dead_letters(before_seq=row.seq + 1, limit=receivers)
    return [
        {"agent": letter.agent, "code": letter.code, "reason": letter.reason}
        for letter in found
        if letter.seq == row.seq
    ]


def turn_body(turn: StoredTurn, revision: str | None) -> dict[str, Any]:
    """One turn, by the revision with that sha256 (None for the platform's own agents)."""
    return {
        "agent": turn.agent,
        "revision": revision,
        "status": STATUS_NAMES[turn.status % REDELIVERED_TURN],
        "started_at": iso(turn.started_us),
        "queue_us": turn.queue_us,
        "turn_us": turn.turn_us,
        "fuel": turn.fuel,
        "sent": turn.sent,
    }


def conversation_body(row: StoredConversation, pinned: bool) -> dict[str, Any]:
    """One conversation at a glance."""
    return {
        "id": row.id,
        "protocol": row.protocol,
        "initiator": row.initiator,
        "participants": list(row.participants),
        "messages": row.messages,
        "started_at": iso(row.started_us),
        "last_at": iso(row.last_us),
        "pinned": pinned,
        "parent": row.parent,
    }


def dead_letter_body(row: StoredDeadLetter) -> dict[str, Any]:
    """One dead letter."""
    return {
        "seq": row.seq,
        "at": iso(row.at_us),
        "agent": row.agent,
        "code": row.code,
        "reason": row.reason,
        "ended": row.ended,
        "ended_at": None if row.ended_us is None else iso(row.ended_us),
        "went_on": row.went_on,
    }


def log_body(row: StoredEvent) -> dict[str, Any]:
    """One line that an agent logged; what it said beside level and message are its fields."""
    said: dict[str, Any] = exact_numbers.decode(row.body)
    level, message = str(said.pop("level", "info")), str(said.pop("message", ""))
    return {"seq": row.seq, "at": iso(row.at_us), "level": level, "message": message, "fields": said}
