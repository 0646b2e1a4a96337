"""`/api/v1/identity`, `/api/v1/tokens` and `/api/v1/audit`: who one is, who may come in, and who did what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from caxton import exact_numbers
from caxton.access import AGENT_PATTERN, TOKEN_NAME, Role, Token, expiry
from caxton.api.guard import Act
from caxton.api.openapi import described
from caxton.api.parameters import Before, Limit
from caxton.api.principals import principal_of
from caxton.api.responses import answer, page
from caxton.api.routing import noun_router
from caxton.api.services import Services, durable, services_of
from caxton.schemas.access import Audit, IdentityBody, TokenBody, TokenList, TokenMade
from caxton.schemas.shape import iso

router = noun_router("", "access")

Wanted = Annotated[str, Path(max_length=63, description="The token's name or id.")]


class NewToken(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        max_length=63,
        description="Whose it is; it stands in the audit trail.",
        json_schema_extra={"pattern": TOKEN_NAME},
    )
    role: Role
    agents: list[Annotated[str, Field(json_schema_extra={"pattern": AGENT_PATTERN})]] = Field(
        default=["*"],
        max_length=100,
        description="Patterns of the agents that it holds for.",
        json_schema_extra={"minItems": 1},
    )
    expires: str | None = Field(
        default=None, max_length=40, description='After how long it ends, such as "30d"; never without it.'
    )


@router.get("/identity", response_model=described(IdentityBody))
async def identity(request: Request) -> Response:
    """Who makes this request, and what it may."""
    principal = principal_of(request)
    return answer(
        {
            "name": principal.name,
            "role": principal.role.value,
            "agents": [*principal.agents],
            "expires_at": _moment(principal.expires_us),
        }
    )


@router.get("/tokens", response_model=described(TokenList))
async def list_tokens(request: Request) -> Response:
    """Tokens, the oldest first, those that are expired or revoked too."""
    services = services_of(request)
    now_us = services.clock.now_us()
    return page([token_body(one, now_us) for one in services.tokens.all()], None)


@router.post("/tokens", status_code=201, response_model=described(TokenMade))
async def create_token(request: Request, body: NewToken) -> Response:
    """Make a token; its secret is in this answer and nowhere else."""
    services = services_of(request)
    who = principal_of(request).name
    now_us = services.clock.now_us()
    made = services.tokens.create(body.name, body.role, body.agents, expiry(body.expires, now_us), who)
    await _written(services, request, "created", made[0])
    return answer({"token": token_body(made[0], now_us), "secret": made[1]}, 201)


@router.post("/tokens/{token}/rotate", response_model=described(TokenMade))
async def rotate_token(request: Request, token: Wanted) -> Response:
    """Give a token a new secret; the old one is worth nothing at once, and its streams end."""
    services = services_of(request)
    found, secret = services.tokens.rotate(token)
    await _written(services, request, "rotated", found)
    return answer({"token": token_body(found, services.clock.now_us()), "secret": secret})


@router.delete("/tokens/{token}", response_model=described(TokenBody))
async def revoke_token(request: Request, token: Wanted) -> Response:
    """End a token at once, its open streams too."""
    services = services_of(request)
    found = services.tokens.revoke(token)
    await _written(services, request, "revoked", found)
    return answer(token_body(found, services.clock.now_us()))


@router.get("/audit", response_model=described(Audit))
async def audit(
    request: Request,
    who: Annotated[str | None, Query(max_length=63, description="Only acts of this name.")] = None,
    before: Before = None,
    limit: Limit = 100,
) -> Response:
    """What was done over TCP, and what was refused, the newest first. With `who` a page may be shorter than `limit`."""
    rows = await services_of(request).reader.events(
        kind="audit", before_seq=before, limit=limit, newest_first=True
    )
    found = [{"seq": row.seq, "at": iso(row.at_us), **exact_numbers.decode(row.body)} for row in rows]
    chosen = [one for one in found if who is None or one["who"] == who]
    return page(chosen, rows[-1].seq if len(rows) == limit else None)


async def write_down(services: Services, act: Act) -> None:
    """One row of the audit trail, on disk when this returns; a journal that takes none is told by `/ready`."""
    if services.journal.failed is not None:
        return
    who = act.principal
    body = {
        "who": who and who.name,
        "role": who and who.role.value,
        "token": who and who.token,
        "address": act.peer.address,
        "method": act.method,
        "path": act.path,
        "status": act.status,
        "request_id": act.request_id,
    }
    async with durable(services):
        services.bus.event("audit", body=body)


def token_body(token: Token, now_us: int) -> dict[str, Any]:
    """A `TokenBody`."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "agents": [*token.agents],
        "state": token.state(now_us),
        "created_at": iso(token.created_us),
        "created_by": token.created_by,
        "expires_at": _moment(token.expires_us),
        "revoked_at": _moment(token.revoked_us),
        "used_at": _moment(token.used_us),
        "used_from": token.used_from,
    }


async def _written(services: Services, request: Request, what: str, token: Token) -> None:
    async with durable(services):
        services.bus.event(
            "token",
            body={
                "what": what,
                "token": token.id,
                "name": token.name,
                "role": token.role.value,
                "agents": [*token.agents],
                "by": principal_of(request).name,
            },
        )


def _moment(us: int | None) -> str | None:
    return None if us is None else iso(us)
