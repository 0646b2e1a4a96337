"""`/api/v1/breaks` and `/api/v1/held`: break points, and what is done about the messages that they hold.

Every answer waits until what it says is on disk. Two clients may act on the same message: the second is refused by
`not_held`, which names what became of it.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from caxton.acl import Performative
from caxton.acl.message import write_message
from caxton.api.openapi import described
from caxton.api.parameters import SEQ_MAX, After, Limit, Seqs
from caxton.api.responses import answer, page
from caxton.api.revisions import IfMatch, check, etag, revision_of
from caxton.api.routes.messages import duration
from caxton.api.routing import noun_router
from caxton.api.services import Services, durable, services_of
from caxton.duration import PATTERN
from caxton.errors import InvalidMessage, NotHeld
from caxton.finding.filter import LONGEST
from caxton.hold.break_points import NAME_MAX, BreakPoint
from caxton.hold.held import DELAYED, HELD, HeldMessage
from caxton.hold.hold import DELAY_MAX_S
from caxton.journal import StoredHeld
from caxton.schemas.held import (
    BreakBody,
    BreakGone,
    Breaks,
    HeldBody,
    HeldDetail,
    HeldGone,
    HeldList,
    ManyGone,
)
from caxton.schemas.shape import iso

breaks = noun_router("/breaks", "breaks")
router = noun_router("/held", "held")

AT_ONCE: Final = 500
"""Messages that one step of the loop lets go."""

Seq = Annotated[int, Path(ge=1, lt=1 << 62, description="The number under which it is held.")]
Id = Annotated[str, Path(max_length=NAME_MAX, description="A break point's id, or its name.")]
Then = Annotated[
    Literal["release", "drop"] | None, Query(description="What to do with what it holds; nothing otherwise.")
]


class NewBreak(BaseModel):
    """A break point to make."""

    model_config = ConfigDict(extra="forbid", strict=True)

    filter: str = Field(max_length=LONGEST, description="Which messages; empty for all of them.")
    name: str | None = Field(
        default=None, pattern=r"^[A-Za-z][A-Za-z0-9._-]*$", max_length=NAME_MAX, description="How to call it."
    )
    count: int | None = Field(default=None, ge=1, le=SEQ_MAX, description="It ends after so many messages.")
    duration: str | None = Field(
        default=None,
        max_length=32,
        description='It ends after so long: "10m".',
        json_schema_extra={"pattern": PATTERN},
    )
    sender: str | None = Field(
        default=None, max_length=128, description="The client that makes it; operator."
    )


class Some(BaseModel):
    """Which held messages; all of them where nothing is said."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seqs: Seqs = Field(default=None, max_length=10_000)
    break_id: str | None = Field(default=None, max_length=NAME_MAX, description="Those of that break point.")
    conversation: str | None = Field(default=None, max_length=1024, description="Those of that conversation.")
    next: bool = Field(default=False, description="The first of them only.")


class Delay(BaseModel):
    """When it is to go on by itself."""

    model_config = ConfigDict(extra="forbid", strict=True)

    delay: str = Field(
        max_length=32, description='From now on: "5s".', json_schema_extra={"pattern": PATTERN}
    )


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be different; what is left out stays."""

    performative: str | None = None
    receiver: list[str] | str | None = None
    content: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


EDIT: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Edit",
    "additionalProperties": False,
    "properties": {
        "performative": {"type": ["string", "null"]},
        "receiver": {"type": ["string", "array", "null"], "items": {"type": "string"}},
        "content": {},
    },
}


# ---------------------------------------------------------------------- break points


@breaks.get("", response_model=described(Breaks))
async def list_breaks(request: Request) -> Response:
    """Break points in the order in which they were made, with how many messages each holds."""
    services = services_of(request)
    points = services.hold.points.points.values()
    return page([_break_body(services, point) for point in points], None)


@breaks.post("", status_code=201, response_model=described(BreakBody))
async def add_break(request: Request, body: NewBreak) -> Response:
    """Hold from now on what a filter means."""
    services = services_of(request)
    by = services.bus.full_name(body.sender or "operator")
    services.bus.check_client(by)
    for_s = None if body.duration is None else duration("duration", body.duration, DELAY_MAX_S)
    async with durable(services):
        point = services.hold.add(body.filter, by=by, name=body.name, most=body.count, for_s=for_s)
    return answer(_break_body(services, point), 201)


@breaks.delete("", response_model=described(ManyGone))
async def remove_breaks(request: Request, then: Then = None) -> Response:
    """Take every break point away."""
    services = services_of(request)
    async with durable(services):
        ids = list(services.hold.points.points)
        for id in ids:
            services.hold.remove(id)
    done = await _all(services, [held.seq for held in services.hold], then)
    return answer({"break_points": len(ids), "messages": done, "held": len(services.hold)})


@breaks.delete("/{id}", response_model=described(BreakGone))
async def remove_break(request: Request, id: Id, then: Then = None) -> Response:
    """Take a break point away; what it holds stays held unless `then` says otherwise."""
    services = services_of(request)
    async with durable(services):
        point = services.hold.remove(id)
    done = await _all(services, [held.seq for held in services.hold if held.break_id == point.id], then)
    return answer({**_break_body(services, point), "messages": done})


# ---------------------------------------------------------------------- held messages


@router.get("", response_model=described(HeldList))
async def list_held(
    request: Request,
    after: After = 0,
    limit: Limit = 100,
    conversation: Annotated[str | None, Query(max_length=1024)] = None,
    break_id: Annotated[
        str | None, Query(max_length=NAME_MAX, description="Only what this break point holds.")
    ] = None,
) -> Response:
    """What is held, oldest first."""
    services = services_of(request)
    found = [
        held
        for held in services.hold
        if held.seq > after
        and conversation in (None, held.message.conversation_id)
        and break_id in (None, held.break_id)
    ]
    await services.journal.committed_upto(found[min(len(found), limit) - 1].seq if found else 0)
    bodies = [held_body(services, held) for held in found[:limit]]
    return page(bodies, found[limit - 1].seq if len(found) > limit else None)


@router.get("/{seq}", response_model=described(HeldDetail))
async def show_held(request: Request, seq: Seq) -> Response:
    """One message that is held or was, as it was said and as it is now."""
    services = services_of(request)
    await services.journal.committed_upto(min(services.bus.last_seq, seq))
    stored = await services.reader.held([seq])
    if not stored:
        raise NotHeld(f"no message {seq} is held", hint="see: caxton break held")
    body = stored_body(stored[0])
    shown = None
    if seq in services.hold:
        held = services.hold.get(seq)
        body |= held_body(services, held)
        shown = _revision(held)
    return answer({**body, "said": msgspec.Raw(stored[0].body)}, headers=etag(shown))


@router.post("/release", response_model=described(ManyGone))
async def release_some(request: Request, body: Some) -> Response:
    """Let several go on, in their order."""
    services = services_of(request)
    done = await _all(services, _meant(services, body), "release")
    return answer({"break_points": 0, "messages": done, "held": len(services.hold)})


@router.post("/drop", response_model=described(ManyGone))
async def drop_some(request: Request, body: Some) -> Response:
    """Bring several to nobody."""
    services = services_of(request)
    done = await _all(services, _meant(services, body), "drop")
    return answer({"break_points": 0, "messages": done, "held": len(services.hold)})


@router.post("/{seq}/release", response_model=described(HeldGone))
async def release(request: Request, seq: Seq, if_match: IfMatch = None) -> Response:
    """Let a message go on as it is now."""
    services = services_of(request)
    await _there(services, seq, if_match)
    async with durable(services):
        went_on = services.hold.release(seq)
    return answer({"seq": seq, "state": "released", "went_on": went_on, "held": len(services.hold)})


@router.post("/{seq}/drop", response_model=described(HeldGone))
async def drop(request: Request, seq: Seq, if_match: IfMatch = None) -> Response:
    """Bring a message to nobody: a dead letter, and a `failure` to its sender."""
    services = services_of(request)
    await _there(services, seq, if_match)
    async with durable(services):
        went_on = services.hold.drop(seq)
    return answer({"seq": seq, "state": "dropped", "went_on": went_on, "held": len(services.hold)})


@router.post("/{seq}/delay", response_model=described(HeldBody))
async def delay(request: Request, seq: Seq, body: Delay, if_match: IfMatch = None) -> Response:
    """Let a message go on by itself later; said again, it is later again."""
    services = services_of(request)
    seconds = duration("delay", body.delay, DELAY_MAX_S)
    await _there(services, seq, if_match)
    async with durable(services):
        services.hold.delay(seq, seconds)
        held = services.hold.get(seq)
        told = held_body(services, held)
    return answer(told, headers=etag(_revision(held)))


@router.patch(
    "/{seq}",
    response_model=described(HeldBody),
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": EDIT}}}},
)
async def edit(request: Request, seq: Seq, if_match: IfMatch = None) -> Response:
    """Change act, receivers or content of a held message; it stays held."""
    services = services_of(request)
    wish = edit_of(await request.body())
    await _there(services, seq, if_match)
    async with durable(services):
        held = services.hold.edit(
            seq,
            performative=act_of(wish.performative),
            receiver=wish.receiver,
            content=None if wish.content is msgspec.UNSET else msgspec.Raw(bytes(wish.content)),
        )
        told = held_body(services, held)
    return answer(told, headers=etag(_revision(held)))


# ---------------------------------------------------------------------- what an edit says


def edit_of(body: bytes) -> Edit:
    """What a message is to be changed to; InvalidMessage where that cannot be read."""
    try:
        return msgspec.json.decode(body, type=Edit)
    except msgspec.MsgspecError as error:
        raise InvalidMessage(
            f"the change cannot be read: {error}", hint='for example {"content": {"price": 9}}'
        ) from error


def act_of(name: str | None) -> Performative | None:
    """The act of that name, None where none is given; InvalidMessage where FIPA has none."""
    if name is None:
        return None
    try:
        return Performative(name)
    except ValueError:
        raise InvalidMessage(
            f"{name[:40]!r} is none of FIPA's acts", hint="for example inform, refuse", field="performative"
        ) from None


# ---------------------------------------------------------------------- how it is shown


def stored_body(row: StoredHeld) -> dict[str, Any]:
    """A message that is held or was, from the journal."""
    return {
        "seq": row.seq,
        "at": iso(row.at_us),
        "state": row.state,
        "break_id": row.break_id,
        "behind": None,
        "due_at": iso(row.due_us) if row.due_us is not None else None,
        "edited": bool(row.changed),
        "cause": row.cause or None,
        "message": msgspec.Raw(row.changed or row.body),
        "ended_at": iso(row.ended_us) if row.ended_us is not None else None,
        "went_on": row.went_on,
    }


def held_body(services: Services, held: HeldMessage) -> dict[str, Any]:
    """A message that is held, as it is now."""
    ahead = services.hold.ahead(held.message, held.seq)
    return {
        "seq": held.seq,
        "at": iso(held.at_us),
        "state": HELD if held.due_us is None else DELAYED,
        "break_id": held.break_id,
        "behind": ahead.seq if ahead is not None else None,
        "due_at": iso(held.due_us) if held.due_us is not None else None,
        "edited": bool(held.changed),
        "cause": held.cause or None,
        "message": msgspec.Raw(write_message(held.message, held.extensions)),
    }


def _break_body(services: Services, point: BreakPoint) -> dict[str, Any]:
    return {
        "id": point.id,
        "name": point.name,
        "filter": point.filter,
        "by": point.by,
        "created_at": iso(point.created_us),
        "hits": point.hits,
        "count": point.most,
        "until_at": iso(point.until_us) if point.until_us is not None else None,
        "ended": point.ended,
        "held": services.hold.held_by(point.id),
    }


# ---------------------------------------------------------------------- inside


async def _there(services: Services, seq: int, if_match: str | None = None) -> None:
    """NotHeld that says what became of a message, where it is not held any more; Changed where it is not as it is
    meant."""
    if seq in services.hold:
        check(if_match, _revision(services.hold.get(seq)))
        return
    await services.journal.committed_upto(min(services.bus.last_seq, seq))
    stored = await services.reader.held([seq])
    if not stored:
        raise NotHeld(f"no message {seq} is held", hint="see: caxton break held")
    one = stored[0]
    if one.ended_us is None:
        # it waits for an approval, and says so
        services.hold.get(seq)
    raise NotHeld(
        f"message {seq} was {one.state} already, as {one.went_on}",
        hint=f"see: caxton break show {seq}",
        state=one.state,
        went_on=one.went_on,
    )


def _revision(held: HeldMessage) -> str:
    """Of what a person decides about: the message as it would go on, and when."""
    return revision_of(write_message(held.message, held.extensions) + str(held.due_us).encode())


def _meant(services: Services, some: Some) -> list[int]:
    """The held messages that a body means, in order."""
    by = services.hold.points.points
    id = some.break_id
    if id is not None:
        id = next((point.id for point in by.values() if point.name == id), id)
    found = [
        held.seq
        for held in services.hold
        if (some.seqs is None or held.seq in some.seqs)
        and some.conversation in (None, held.message.conversation_id)
        and id in (None, held.break_id)
    ]
    return found[:1] if some.next else found


async def _all(services: Services, seqs: list[int], then: Literal["release", "drop"] | None) -> int:
    """Do it with each of them that is still held, a few at a time; returns with how many."""
    done = 0
    if then is None:
        return done
    for at in range(0, len(seqs), AT_ONCE):
        async with durable(services):
            some = seqs[at : at + AT_ONCE]
            done += services.hold.release_some(some) if then == "release" else services.hold.drop_some(some)
        # others wait
        await asyncio.sleep(0)
    return done
