"""Spans from the journal's rows.

In: what a `JournalFollower` reads. Out: OTLP spans. Pure, and each span is the same whenever it is made: a turn's id is
drawn from the turn itself, so whoever sends twice sends the same span twice.

    send seller@local            PRODUCER   the admission of a message; its id is the message's own
      process seller@local       CONSUMER   the turn on it
        send buyer@local         PRODUCER   what the turn said
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b
from typing import Final

import msgspec

from caxton.journal.following import FollowedLetter, FollowedMark, FollowedMessage, FollowedTurn
from caxton.journal.records.batch import REDELIVERED
from caxton.journal.records.rows import StoredEvent
from caxton.telemetry import semantic_conventions as names
from caxton.telemetry.otlp import Kind, Span
from caxton.telemetry.protobuf import Attribute
from caxton.turn_status import REDELIVERED as TURN_REDELIVERED
from caxton.turn_status import STATUS_NAMES, Status

_REASON_ROOM: Final = 300


class Said(msgspec.Struct, frozen=True, gc=False):
    """What of a message stands in its spans."""

    id: str
    performative: str
    sender: str
    receiver: list[str]
    conversation_id: str
    trace_id: str
    span_id: str
    protocol: str | None = None
    x_traceparent: str | None = None


read_said = msgspec.json.Decoder(Said).decode


def turn_span_id(trace_id: str, seq: int, agent: str) -> str:
    """The span id of that agent's turn on message `seq`."""
    return blake2b(f"{trace_id} {seq} {agent}".encode(), digest_size=8).hexdigest()


def admission(message: FollowedMessage, said: Said, parent: str, mark: FollowedMark | None) -> Span:
    """The span of a message's admission."""
    attributes = _of_message(message, said, "send")
    if len(said.receiver) > 1:
        attributes[names.RECEIVERS] = said.receiver
    if message.flags & REDELIVERED:
        attributes[names.REDELIVERED] = True
    error = None
    if mark is not None:
        attributes |= {
            names.VERDICT: mark.rule,
            names.DELIVERED: mark.delivered,
            names.ERROR_TYPE: "violation",
        }
        error = f"broke {said.protocol or 'its protocol'}: {mark.rule}"
    return Span(
        said.trace_id,
        said.span_id,
        parent,
        _named("send", said.receiver),
        Kind.PRODUCER,
        message.at_us,
        message.at_us,
        attributes,
        error,
    )


def parent_of(message: FollowedMessage, said: Said, cause: Said | None, agents: Collection[str]) -> str:
    """What a message's admission stands below: the turn that said it, the message that the platform answered, or the
    span of a client's own `traceparent`."""
    if message.cause and said.sender in agents:
        return turn_span_id(said.trace_id, message.cause, said.sender)
    if message.cause:
        return cause.span_id if cause is not None and cause.trace_id == said.trace_id else ""
    return (said.x_traceparent or "")[36:52].lower()


def turn(
    message: FollowedMessage,
    said: Said,
    row: FollowedTurn,
    agent: str,
    revision: str | None,
    letter: FollowedLetter | None,
) -> Span:
    """The span of a turn."""
    status = Status(row.status % TURN_REDELIVERED)
    attributes = _of_message(message, said, "process") | {
        names.DESTINATION: agent,
        names.AGENT: agent,
        names.STATUS: STATUS_NAMES[status],
        names.FUEL: row.fuel,
        names.QUEUE_US: row.queue_us,
        names.SENT: row.sent,
    }
    if revision is not None:
        attributes[names.REVISION] = revision
    if row.status >= TURN_REDELIVERED:
        attributes[names.REDELIVERED] = True
    error = None
    if failed(row):
        attributes[names.ERROR_TYPE] = letter.code if letter is not None else STATUS_NAMES[status]
        error = letter.reason[:_REASON_ROOM] if letter is not None else STATUS_NAMES[status]
    return Span(
        said.trace_id,
        turn_span_id(said.trace_id, row.seq, agent),
        said.span_id,
        f"process {agent}",
        Kind.CONSUMER,
        row.started_us,
        row.started_us + row.turn_us,
        attributes,
        error,
    )


def failed(row: FollowedTurn) -> bool:
    """Whether a turn ended otherwise than well."""
    return row.status % TURN_REDELIVERED not in _WELL


_WELL: Final = frozenset({int(Status.OK), int(Status.PUT_BACK)})


def dead_letter(message: FollowedMessage, said: Said, letter: FollowedLetter) -> Span:
    """The span of a message that was not handled, where there was no turn."""
    attributes = _of_message(message, said, "process") | {
        names.DESTINATION: letter.agent,
        names.AGENT: letter.agent,
        names.DEAD_LETTER: True,
        names.ERROR_TYPE: letter.code,
    }
    return Span(
        said.trace_id,
        turn_span_id(said.trace_id, letter.seq, letter.agent),
        said.span_id,
        f"process {letter.agent}",
        Kind.CONSUMER,
        letter.at_us,
        letter.at_us,
        attributes,
        letter.reason[:_REASON_ROOM],
    )


class _Deployment(msgspec.Struct):
    id: str
    agent: str
    revision: str
    strategy: str
    state: str
    created_us: int
    updated_us: int
    reason: str | None = None


class _Cell(msgspec.Struct):
    cell: int
    state: str
    restarts: int = 0
    start_us: int = 0
    exit_code: int | None = None


_ENDED: Final = ("running", "failed", "rolled_back")


def of_event(event: StoredEvent) -> Span | None:
    """The span of a deployment that has ended, or of a cell that has come up or died; each is a trace of its own."""
    if event.kind == "deployment":
        return _of_deployment(event)
    cell = msgspec.json.decode(event.body, type=_Cell)
    if cell.state not in {"ready", "died"}:
        return None
    attributes: dict[str, Attribute] = {
        names.CELL: cell.cell,
        names.SEQ: event.seq,
        names.STATE: cell.state,
        names.CELL_RESTARTS: cell.restarts,
    }
    error = None
    if cell.state == "died":
        attributes[names.ERROR_TYPE] = "cell_died"
        error = f"exit code {cell.exit_code}"
    return Span(
        *_root(f"cell {event.seq} {event.at_us}"),
        "",
        "start cell" if error is None else "lose cell",
        Kind.INTERNAL,
        event.at_us - cell.start_us,
        event.at_us,
        attributes,
        error,
    )


def _of_deployment(event: StoredEvent) -> Span | None:
    deployment = msgspec.json.decode(event.body, type=_Deployment)
    if deployment.state not in _ENDED:
        return None
    attributes: dict[str, Attribute] = {
        names.DEPLOYMENT: deployment.id,
        names.AGENT: deployment.agent,
        names.REVISION: deployment.revision,
        names.STRATEGY: deployment.strategy,
        names.STATE: deployment.state,
        names.SEQ: event.seq,
    }
    error = None
    if deployment.state != "running":
        attributes[names.ERROR_TYPE] = deployment.state
        error = (deployment.reason or deployment.state)[:_REASON_ROOM]
    return Span(
        *_root(f"deployment {deployment.id}"),
        "",
        f"deploy {deployment.agent}",
        Kind.INTERNAL,
        deployment.created_us,
        max(deployment.created_us, deployment.updated_us),
        attributes,
        error,
    )


def _of_message(message: FollowedMessage, said: Said, operation: str) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {
        names.SYSTEM: "caxton",
        names.OPERATION_NAME: operation,
        names.OPERATION_TYPE: operation,
        names.MESSAGE_ID: said.id,
        names.CONVERSATION_ID: said.conversation_id,
        names.BODY_SIZE: len(message.body),
        names.PERFORMATIVE: said.performative,
        names.SENDER: said.sender,
        names.SEQ: message.seq,
    }
    if len(said.receiver) == 1:
        attributes[names.DESTINATION] = said.receiver[0]
    if said.protocol is not None:
        attributes[names.PROTOCOL] = said.protocol
    return attributes


def _named(operation: str, receivers: list[str]) -> str:
    return f"{operation} {receivers[0]}" if len(receivers) == 1 else operation


def _root(text: str) -> tuple[str, str]:
    """Trace and span id of something that is no message."""
    digits = blake2b(text.encode(), digest_size=24).hexdigest()
    return digits[:32], digits[32:]
