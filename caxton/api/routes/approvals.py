"""`/api/v1/approvals`: messages that wait for a yes, and what was decided about them by whom.

Who decides is whoever makes the request, by its token; the project's own socket is its owner. Every answer waits until
what it says is on disk. Two may decide at the same time: the second is refused by `not_held`, which names what became
of it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from caxton.acl.message import write_message
from caxton.api.openapi import described
from caxton.api.parameters import After, Before, Limit
from caxton.api.principals import principal_of, within_reach
from caxton.api.responses import answer, page
from caxton.api.routes.break_points import EDIT, act_of, edit_of
from caxton.api.routing import noun_router
from caxton.api.services import Services, durable, services_of
from caxton.errors import NotHeld
from caxton.hold.approval_wait import Waiting
from caxton.hold.held import rule_of
from caxton.journal import ApprovalStep, StoredHeld
from caxton.schemas.approvals import ApprovalBody, ApprovalDetail, ApprovalDone, Approvals, ApprovalSteps
from caxton.schemas.shape import iso

router = noun_router("/approvals", "approvals")

NOTE_MAX: Final = 1_000

Seq = Annotated[int, Path(ge=1, lt=1 << 62, description="The number under which it waits.")]


class Decision(BaseModel):
    """What somebody has to say about a yes or a no."""

    model_config = ConfigDict(extra="forbid", strict=True)

    note: str = Field(
        default="", max_length=NOTE_MAX, description="Why; the sender of a refused one is told."
    )
    through: Literal["mcp"] | None = Field(
        default=None, description="What the decision was made with, for the audit trail."
    )


@router.get("", response_model=described(Approvals))
async def list_approvals(request: Request, after: After = 0, limit: Limit = 100) -> Response:
    """What waits, oldest first."""
    services = services_of(request)
    found = [one for one in services.hold.approvals.waiting() if one.held.seq > after]
    await services.journal.committed_upto(found[min(len(found), limit) - 1].held.seq if found else 0)
    bodies = [_body(services, one) for one in found[:limit]]
    return page(bodies, found[limit - 1].held.seq if len(found) > limit else None)


@router.get("/steps", response_model=described(ApprovalSteps))
async def list_steps(request: Request, before: Before = None, limit: Limit = 100) -> Response:
    """The audit trail: who decided what, and what time decided, newest first."""
    rows = await services_of(request).reader.latest_approval_steps(before, limit)
    return page([_step_body(row) for row in rows], rows[-1].seq if len(rows) == limit else None)


@router.get("/{seq}", response_model=described(ApprovalDetail))
async def show_approval(request: Request, seq: Seq) -> Response:
    """One message that waits or did, as it was said and as it is now, with every step."""
    services = services_of(request)
    stored = await _stored(services, seq)
    steps = [_step_body(row) for row in await services.reader.approval_steps([seq])]
    waits = next((one for one in services.hold.approvals.waiting() if one.held.seq == seq), None)
    return answer(
        {
            **(_stored_body(stored) if waits is None else _body(services, waits)),
            "ended_at": iso(stored.ended_us) if stored.ended_us is not None else None,
            "went_on": stored.went_on,
            "said": msgspec.Raw(stored.body),
            "steps": steps,
        }
    )


@router.post("/{seq}/yes", response_model=described(ApprovalDone))
async def approve(request: Request, seq: Seq, body: Decision) -> Response:
    """Let a message go on as it is now, as far as that is yours to say."""
    services = services_of(request)
    await _there(request, services, seq)
    async with durable(services):
        who = principal_of(request)
        went_on = services.hold.approvals.approve(seq, who, _by(request, body.through), body.note)
        needs = [] if went_on is not None else services.hold.approvals.get(seq).needs
    return _done(services, seq, "waiting" if went_on is None else "approved", went_on, needs)


@router.post("/{seq}/no", response_model=described(ApprovalDone))
async def refuse(request: Request, seq: Seq, body: Decision) -> Response:
    """Refuse a message: its sender gets `refuse` with the error `approval-refused`."""
    services = services_of(request)
    await _there(request, services, seq)
    async with durable(services):
        who = principal_of(request)
        went_on = services.hold.approvals.refuse(seq, who, _by(request, body.through), body.note)
    return _done(services, seq, "refused", went_on, [])


@router.patch(
    "/{seq}",
    response_model=described(ApprovalBody),
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": EDIT}}}},
)
async def edit(request: Request, seq: Seq) -> Response:
    """Change act, receivers or content of a message that waits; it waits on, for every rule that means it then."""
    services = services_of(request)
    wish = edit_of(await request.body())
    await _there(request, services, seq)
    async with durable(services):
        services.hold.edit_waiting(
            seq,
            principal_of(request),
            _by(request, None),
            performative=act_of(wish.performative),
            receiver=wish.receiver,
            content=None if wish.content is msgspec.UNSET else msgspec.Raw(bytes(wish.content)),
        )
        told = _body(services, services.hold.approvals.get(seq))
    return answer(told)


# ---------------------------------------------------------------------- how it is shown


def _body(services: Services, one: Waiting) -> dict[str, Any]:
    held, now_us = one.held, services.clock.now_us()
    ahead = services.hold.ahead(held.message, held.seq)
    until_us = one.until_us(now_us) if one.needs else None
    return {
        "seq": held.seq,
        "at": iso(held.at_us),
        "state": "waiting",
        "approval": next(iter([*one.needs, *one.asked])),
        "needs": one.needs,
        "by": one.deciders(now_us) if one.needs else [],
        "until_at": iso(until_us) if until_us is not None else None,
        "behind": ahead.seq if ahead is not None else None,
        "edited": bool(held.changed),
        "cause": held.cause or None,
        "message": msgspec.Raw(write_message(held.message, held.extensions)),
    }


def _stored_body(row: StoredHeld) -> dict[str, Any]:
    """One that waits no more, from the journal."""
    return {
        "seq": row.seq,
        "at": iso(row.at_us),
        "state": row.state,
        "approval": rule_of(row.break_id),
        "needs": [],
        "by": [],
        "until_at": None,
        "behind": None,
        "edited": bool(row.changed),
        "cause": row.cause or None,
        "message": msgspec.Raw(row.changed or row.body),
    }


def _step_body(row: ApprovalStep) -> dict[str, Any]:
    body = asdict(row)
    at_us = body.pop("at_us")
    return {**body, "at": iso(at_us)}


def _done(services: Services, seq: int, state: str, went_on: int | None, needs: list[str]) -> Response:
    waiting = len(services.hold.approvals)
    return answer({"seq": seq, "state": state, "went_on": went_on, "needs": needs, "waiting": waiting})


# ---------------------------------------------------------------------- inside


def _by(request: Request, through: str | None) -> str:
    """Who decides, as the audit trail has it."""
    name = principal_of(request).name
    return f"{name} through {through}" if through else name


async def _stored(services: Services, seq: int) -> StoredHeld:
    await services.journal.committed_upto(min(services.bus.last_seq, seq))
    stored = await services.reader.held([seq])
    if not stored or rule_of(stored[0].break_id) is None:
        raise NotHeld(f"no message {seq} waits for an approval", hint="see: caxton approve list")
    return stored[0]


async def _there(request: Request, services: Services, seq: int) -> None:
    """NotHeld that says what became of a message, where it waits no more; SecurityError where it is out of reach."""
    waits = next((one for one in services.hold.approvals.waiting() if one.held.seq == seq), None)
    if waits is not None:
        within_reach(request, waits.held.message.sender)
        return
    one = await _stored(services, seq)
    raise NotHeld(
        f"message {seq} was {one.state} already, as {one.went_on}",
        hint=f"see: caxton approve show {seq}",
        state=one.state,
        went_on=one.went_on,
    )
