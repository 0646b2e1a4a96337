"""What the API says of access: who one is, tokens, and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from caxton.schemas.shape import Shape

ACTING_FOR: Final = "x-caxton-acting-for"
"""The header by which a gateway asks in another's name (caxton/access/acting.py)."""


FORWARDED_FOR: Final = "x-caxton-forwarded-for"
"""The header by which a gateway with listeners of its own passes on where a request comes from: an address, and the
common name of a certificate. It counts on the project's Unix socket only, and is judged there as what comes by TCP."""


class IdentityBody(Shape, frozen=True, kw_only=True):
    """Who makes this request: a token's or certificate's name, or `owner` on the project's socket."""

    name: str
    role: str
    agents: list[str]
    expires_at: datetime | None


class TokenBody(Shape, frozen=True, kw_only=True):
    """A token without its secret; `state` is valid, expired or revoked."""

    id: str
    name: str
    role: str
    agents: list[str]
    state: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None
    used_from: str | None


class TokenMade(Shape, frozen=True, kw_only=True):
    """A token that was made or rotated, with its secret, which is shown this once."""

    token: TokenBody
    secret: str


class TokenList(Shape, frozen=True, kw_only=True):
    """Tokens, the oldest first."""

    items: list[TokenBody]
    next: None


class AuditBody(Shape, frozen=True, kw_only=True):
    """One act: who (null where nobody was known) did what, from where, and how it was answered."""

    seq: int
    at: datetime
    who: str | None
    role: str | None
    token: str | None
    address: str
    method: str
    path: str
    status: int
    request_id: str


class Audit(Shape, frozen=True, kw_only=True):
    """A page of the audit trail; `next` is the `before` of the next page."""

    items: list[AuditBody]
    next: int | None
