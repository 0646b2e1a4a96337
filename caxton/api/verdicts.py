"""What the referee knows of conversations and said of messages, as the API shows it.

In: stored conversations and messages. Out: their state by the architecture document's names, with the protocol's own
beside it; the verdict of each message that was no plain step. What the referee has in memory counts before what was
written down, because it is written a moment later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from caxton.api.services import Services
from caxton.journal import Mark, StoredConversation
from caxton.protocols import Conversation, Protocol, outcomes
from caxton.protocols.branch import is_open, shown
from caxton.protocols.clock_pause import stand
from caxton.protocols.conversation import NEVER
from caxton.protocols.rules import RULES
from caxton.schemas.shape import iso

_decode = msgspec.json.Decoder(Conversation).decode


async def with_states(
    services: Services,
    rows: Sequence[StoredConversation],
    bodies: list[dict[str, Any]],
    *,
    branches: bool = False,
) -> None:
    """Add to each body what the referee knows of its conversation; nulls where it is not judged."""
    referee_service = services.bus.referee_service
    away = [row.id for row in rows if row.id not in referee_service.known]
    stored = await services.reader.states(away) if away else {}
    counts = await services.reader.violations([row.key for row in rows]) if rows else {}
    now_us = services.clock.now_us()
    for row, body in zip(rows, bodies, strict=True):
        conversation = referee_service.known.get(row.id)
        if conversation is None and row.id in stored:
            conversation = _decode(stored[row.id].data)
        since_us = referee_service.standing.get(row.id)
        if conversation is not None and since_us is not None:
            conversation = _standing(conversation, since_us, now_us)
        if conversation is not None and conversation.released:
            conversation = None
        protocol = referee_service.library.of(conversation) if conversation is not None else None
        if conversation is None or protocol is None:
            body |= {"state": None, "phase": None, "outcome": None, "deadline_at": None}
        else:
            body |= _state(conversation, protocol)
        body["referee"] = referee_service.mode(row.protocol) if row.protocol is not None else None
        body["violations"] = counts.get(row.key, 0)
        if branches:
            body["branches"] = (
                [] if conversation is None or protocol is None else _branches(conversation, protocol)
            )


def _standing(conversation: Conversation, since_us: int, now_us: int) -> Conversation:
    """A conversation that stands still since then, with its deadlines as they are if it goes on now."""
    moved = msgspec.structs.replace(conversation, branches=dict(conversation.branches))
    stand(moved, ((since_us, NEVER),), now_us)
    return moved


def verdict_body(mark: Mark) -> dict[str, Any]:
    """What the referee said of one message."""
    return {
        "legality": mark.legality,
        "rule": mark.rule,
        "sentence": RULES.get(mark.rule, mark.rule),
        "state": mark.state,
        "legal": mark.legal.split(",") if mark.legal else [],
        "participant": mark.participant,
        "protocol": mark.protocol,
        "delivered": mark.delivered,
        "warning": mark.warning,
    }


def _state(conversation: Conversation, protocol: Protocol) -> dict[str, Any]:
    deadlines = [
        branch.deadline_us
        for branch in conversation.branches.values()
        if branch.deadline_us and is_open(protocol, branch)
    ]
    return {
        "state": outcomes.state(conversation, protocol),
        "phase": outcomes.aggregate(conversation, protocol).value,
        "outcome": outcomes.outcome(conversation, protocol),
        "deadline_at": iso(min(deadlines)) if deadlines else None,
    }


def _branches(conversation: Conversation, protocol: Protocol) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, branch in conversation.branches.items():
        end = outcomes.end_of(protocol, branch)
        found.append(
            {
                "participant": name,
                "state": shown(protocol, branch),
                "end": end.value if end is not None else None,
                "awarded": branch.awarded,
                "reason": branch.reason,
                "deadline_at": iso(branch.deadline_us) if branch.deadline_us else None,
            }
        )
    return found
