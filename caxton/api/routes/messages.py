"""`/api/v1/messages`: say something to agents, wait for what they answer, read what was said.

A message is acknowledged after its commit only. With an `Idempotency-Key` a request that the same client repeats is
answered as the first one was and has no second effect, as long as its message is kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Header, Path, Query, Request
from starlette.responses import Response

from caxton.access import OWNER, Role
from caxton.acl import Performative
from caxton.acl.draft import read_draft
from caxton.acl.message import read_message
from caxton.api.ending import stops
from caxton.api.idempotency import Claim, IdempotencyKey
from caxton.api.openapi import described
from caxton.api.parameters import SEQ_MAX, After, Before, Limit
from caxton.api.principals import principal_of, within_reach
from caxton.api.responses import answer, page
from caxton.api.routing import noun_router
from caxton.api.rows import message_body, with_outcome
from caxton.api.services import Services, full_name, services_of
from caxton.bus.clients import Waiter
from caxton.duration import PATTERN, microseconds, seconds
from caxton.errors import InvalidMessage, MessageNotFound, SecurityError
from caxton.ids import conversation_key, message_seq
from caxton.journal import StoredMessage
from caxton.schemas.messages import MessageBody, Messages, SubmittedBody

router = noun_router("/messages", "messages")

Moment = Annotated[str | None, Query(max_length=64, description='A time, or how long ago: "5m".')]
_NAMES: Final = {"type": ["string", "array", "null"], "items": {"type": "string"}}
_TEXT: Final = {"type": ["string", "null"]}
MESSAGE: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Message",
    "required": ["performative", "receiver"],
    "properties": {
        "performative": {"type": "string", "enum": [*Performative]},
        "receiver": {"type": ["string", "array"], "items": {"type": "string"}},
        "content": {},
        "reply_to": _NAMES,
        **dict.fromkeys(
            ("sender", "conversation_id", "protocol", "reply_with", "in_reply_to", "reply_by"), _TEXT
        ),
        **dict.fromkeys(("language", "encoding", "ontology"), _TEXT),
    },
    "patternProperties": {"^x_.": {}},
}
"""A message as a client says it, as `caxton.acl.draft` reads it."""
LONGEST_WAIT_S = 3600.0
MOST_REPLIES = 10_000


@router.post(
    "",
    status_code=202,
    response_model=described(SubmittedBody),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": MESSAGE}},
        }
    },
)
async def submit(
    request: Request,
    wait: Annotated[
        str | None,
        Query(
            description='How long to wait for replies, in seconds or as "5s".',
            json_schema_extra={"pattern": PATTERN},
        ),
    ] = None,
    replies: Annotated[
        int,
        Query(ge=0, le=MOST_REPLIES, description="How many replies to wait for; 0: all that come in time."),
    ] = 1,
    sender: Annotated[str | None, Query(max_length=128, description="The client that speaks.")] = None,
    traceparent: Annotated[str | None, Header(description="W3C trace context to join.")] = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send one message; answered when it is committed, and where asked when the replies are there."""
    services = services_of(request)
    patience = duration("wait", wait, LONGEST_WAIT_S) if wait is not None else 0.0
    line = await request.body()
    sender = _speaker(request, line, sender)
    if idempotency_key is None:
        return await _say(services, line, sender, traceparent, None, patience, replies)
    speaker = services.bus.full_name(read_draft(line).sender or sender or "operator")
    claim = Claim.of(speaker, idempotency_key, line)
    async with request.app.state.keys.alone(claim.owned):
        known = await services.reader.client_key(claim.owned)
        stored = None
        if known is not None:
            stored = await _stored(services, known.seq) or await services.reader.outlived(known.key)
        if known is None or stored is None:
            return await _say(services, line, sender, traceparent, claim.key, patience, replies)
    claim.check(known.key, seq=stored.seq)
    return await _again(services, stored, patience, replies)


@router.get("", response_model=described(Messages))
async def search(
    request: Request,
    conversation: Annotated[str | None, Query(max_length=1024)] = None,
    agent: Annotated[str | None, Query(max_length=1024)] = None,
    performative: Performative | None = None,
    after: After = 0,
    before: Before = None,
    since: Moment = None,
    until: Moment = None,
    limit: Limit = 100,
    newest: Annotated[bool, Query(description="Newest first.")] = False,
) -> Response:
    """Messages of the journal, oldest first unless `newest`, with what became of them."""
    services = services_of(request)
    rows = await services.reader.messages(
        conversation=conversation,
        agent=full_name(services, agent),
        performative=performative.value if performative is not None else None,
        after_seq=after,
        before_seq=before,
        since_us=_moment(services, "since", since),
        until_us=_moment(services, "until", until),
        limit=limit,
        newest_first=newest,
    )
    bodies = await with_outcome(services.reader, rows)
    return page(bodies, rows[-1].seq if len(rows) == limit else None)


@router.get("/{id}", response_model=described(MessageBody))
async def show(
    request: Request, id: Annotated[str, Path(max_length=64, description="A message's id, or its seq.")]
) -> Response:
    """One message with what became of it."""
    services = services_of(request)
    seq = int(id) if id.isascii() and id.isdigit() and len(id) < 19 else message_seq(id)
    row = await _went_on(services, seq) if seq is not None and seq < 1 << 62 else None
    if row is None or (len(id) == 36 and read_message(row.body).id != id):
        raise MessageNotFound(f"there is no message {id!r}", hint="see: caxton msg list")
    return answer((await with_outcome(services.reader, [row]))[0])


def _speaker(request: Request, line: bytes, sender: str | None) -> str | None:
    """Who speaks: whoever comes by TCP as `operator.NAME` with its own name, to agents within its reach only."""
    principal = principal_of(request)
    if principal is OWNER:
        return sender
    draft = read_draft(line)
    own = f"operator.{principal.name}".lower()
    said = draft.sender or sender
    if said is not None and principal.role is not Role.ADMIN and said.partition("@")[0] != own:
        raise SecurityError(f"{principal.name} speaks as {own} only", hint="leave sender out")
    for names in (draft.receiver or [], draft.reply_to or []):
        within_reach(request, *([names] if isinstance(names, str) else names))
    return sender or own


async def _stored(services: Services, seq: int) -> StoredMessage | None:
    """A message that was admitted under that number, also where it is held or was."""
    row = await services.reader.message(seq)
    if row is None and (held := await services.reader.held([seq])):
        one = held[0]
        row = StoredMessage(
            seq, one.at_us, conversation_key(one.conversation_id), one.cause, one.hops, 0, one.body
        )
    return row


async def _went_on(services: Services, seq: int) -> StoredMessage | None:
    """The message with that number, or that went on after it was held under that number."""
    row = await services.reader.message(seq)
    if row is None and (held := await services.reader.held([seq])):
        went_on = held[0].went_on
        if went_on is None:
            raise MessageNotFound(f"message {seq} is held", hint=f"see: caxton break show {seq}")
        row = await services.reader.message(went_on)
    return row


async def _say(
    services: Services,
    line: bytes,
    sender: str | None,
    traceparent: str | None,
    key: str | None,
    patience: float,
    wanted: int,
) -> Response:
    admitted = services.bus.submit(line, sender=sender, traceparent=traceparent, client_key=key)
    # nothing was awaited since the message was admitted, so whatever is said from now on finds the waiter
    with services.bus.clients.expect(admitted.conversation_id) as waiter:
        await services.journal.committed_upto(admitted.seq)
        came: list[StoredMessage] = []
        if patience > 0 and services.journal.committed > admitted.seq:
            # the platform's own agents answer at once, before there was a conversation to wait for
            came = await _answers(services, admitted.conversation_id, admitted.seq)
        body: dict[str, Any] = {
            "id": admitted.id,
            "seq": admitted.seq,
            "conversation_id": admitted.conversation_id,
            "trace_id": admitted.trace_id,
            **_held(services, admitted.seq),
        }
        return answer(body | await _replies(services, waiter, admitted.seq, came, patience, wanted), 202)


def _held(services: Services, seq: int) -> dict[str, Any]:
    """Whether a message is held, and for which approval."""
    return {"held": services.hold.stopped(seq), "approval": services.hold.approval_of(seq)}


async def _again(services: Services, stored: StoredMessage, patience: float, wanted: int) -> Response:
    """The answer to a request that was made before: the same message, and its replies so far and to come."""
    message = read_message(stored.body)
    with services.bus.clients.expect(message.conversation_id) as waiter:
        came: list[StoredMessage] = []
        if patience > 0:
            services.bus.works.ask(services.bus.works.work(message.trace_id), message)
            # an answer that was admitted before the waiter was there, and is not on disk yet, would be missed
            await services.journal.committed_upto(services.bus.last_seq)
            came = await _answers(services, message.conversation_id, stored.seq)
        body: dict[str, Any] = {
            "id": message.id,
            "seq": stored.seq,
            "conversation_id": message.conversation_id,
            "trace_id": message.trace_id,
            **_held(services, stored.seq),
        }
        return answer(body | await _replies(services, waiter, stored.seq, came, patience, wanted), 202)


async def _answers(services: Services, conversation: str, after: int) -> list[StoredMessage]:
    """What was said to a client in that conversation and is committed already."""
    rows = await services.reader.messages(conversation=conversation, after_seq=after, limit=MOST_REPLIES)
    return [row for row in rows if any(map(services.bus.clients.is_client, read_message(row.body).receiver))]


async def _replies(
    services: Services, waiter: Waiter, after: int, came: list[StoredMessage], patience: float, wanted: int
) -> dict[str, Any]:
    if patience <= 0:
        return {"replies": []}
    rows = came[:wanted] if wanted else came
    last = rows[-1].seq if rows else after
    deadline = services.clock.monotonic() + patience
    ended: str | None = None
    while not wanted or len(rows) < wanted:
        left = deadline - services.clock.monotonic()
        if left <= 0:
            break
        told = None if services.bus.clients.closed else await waiter.next(left)
        if told is None and services.bus.clients.closed:
            raise stops()
        if told is None:
            break
        if told.ended is not None:
            ended = told.ended
            break
        row = await services.reader.message(told.seq) if told.seq > last else None
        if row is not None:
            rows.append(row)
            last = row.seq
    body: dict[str, Any] = {"replies": [message_body(row) for row in rows]}
    if ended is not None:
        body["ended"] = ended
    elif len(rows) < wanted:
        body["timed_out"] = True
    return body


def duration(name: str, text: str, most_s: float) -> float:
    """A parameter's duration in seconds; InvalidMessage where it is none, or too long."""
    try:
        return seconds(text, most_s=most_s)
    except ValueError as error:
        raise InvalidMessage(f"{name}: {error}") from error


def _moment(services: Services, name: str, text: str | None) -> int | None:
    """Microseconds since 1970 from an ISO time, or from how long ago."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        ago_us = microseconds(text)
        if ago_us is None:
            raise InvalidMessage(
                f'{name}: {text!r} is neither an ISO time nor a duration such as "5m"'
            ) from None
        return max(0, min(services.clock.now_us() - ago_us, SEQ_MAX))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1e6)
