"""The lock of the TCP listener: every request that comes by it is asked who it is and whether it may.

In: requests. Out: those that may, with their principal in `scope["state"]`; for the others one refusal. What comes by
the project's Unix socket passes as its owner, but for what a gateway asks in another's name. In order: the rate of the
address, Host, Origin, credential, rate of the principal, the route's permission, the agents in reach. An answer is cut
down to what is in reach, an open stream ends with its token, and what changes something, or was refused, is written
into the audit trail.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from caxton import exact_numbers
from caxton.access import (
    OWNER,
    PERMISSIONS,
    Permission,
    Principal,
    Rates,
    Reach,
    Tokens,
    read_acting_for,
    redacted,
)
from caxton.access.scopes import narrowed
from caxton.api.principals import out_of_reach
from caxton.api.responses import refused
from caxton.config import ListenTable
from caxton.errors import CaxtonError, Misdirected, SecurityError, TooManyRequests, Unauthenticated
from caxton.schemas.access import ACTING_FOR, FORWARDED_FOR

FAILURES_PER_MINUTE: Final = 10
"""Requests without a valid credential from one address that are judged and written down; others are told to wait."""
AHEAD_S: Final = 2.0
"""A client that was silent may ask at once what it might have asked in so many seconds."""

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_PREFLIGHT = {
    "access-control-allow-methods": "DELETE, GET, PATCH, POST, PUT",
    "access-control-allow-headers": "authorization, content-type, idempotency-key, last-event-id, traceparent",
    "access-control-max-age": "600",
}


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a TCP connection: its address, and the common name of the certificate that it showed."""

    address: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One request for the audit trail."""

    principal: Principal | None
    peer: Peer
    method: str
    path: str
    status: int
    request_id: str


class Guard:
    """ASGI middleware. `routes` are the app's, `audit` writes an act down and returns when it is on disk."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Sequence[BaseRoute],
        tokens: Tokens,
        table: ListenTable,
        platform: str,
        now_us: Callable[[], int],
        audit: Callable[[Act], Any],
    ) -> None:
        self._app = app
        self._routes = routes
        self._tokens = tokens
        self._table = table
        self._hosts = {*table.host_names()}
        self._platform = platform
        self._now_us = now_us
        self._audit = audit
        per_s = table.requests_per_s
        self._rates = Rates(per_s, per_s * AHEAD_S)
        self._failures = Rates(FAILURES_PER_MINUTE / 60, FAILURES_PER_MINUTE)
        self._open: dict[str, set[asyncio.Timeout]] = {}
        tokens.on_ended.append(self._end_streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        peer: Peer | None = scope.get("state", {}).get("peer")
        principal: Principal | None = None
        forwarded = peer is None
        if peer is None:
            try:
                principal, peer = _acted_for(headers)
            except SecurityError as error:
                await _refused(error)(scope, receive, send)
                return
        if peer is None:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(headers)
        extra = [(b"x-request-id", request_id.encode())]
        status, audited = 500, False

        async def tagged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *extra]
                await written()
            await send(message)

        async def written() -> None:
            # before the answer: what was done and is not in the trail must not be acknowledged
            nonlocal audited
            if audited:
                audited = False
                await self._audit(Act(principal, peer, scope["method"], _path(scope), status, request_id))

        try:
            if not forwarded:
                extra += self._origin(headers, scope)
            if (
                scope["method"] == "OPTIONS"
                and b"access-control-request-method" in headers
                and len(extra) > 1
            ):
                await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, tagged)
                return
            permission, parameters = self._permission(scope)
            if permission is None or permission.role is not None:
                principal = principal or self._principal(headers, peer)
                self._judge(principal, permission, parameters, scope)
        except CaxtonError as error:
            # refusals of who is not known are bounded; what comes before that is not written down
            known = principal is not None and isinstance(error, SecurityError)
            audited = known or isinstance(error, Unauthenticated)
            await _refused(error)(scope, receive, tagged)
            return
        scope["state"]["principal"] = principal
        acts = scope["method"] not in ("GET", "HEAD")
        audited = principal is not None and acts and not (permission and permission.gateway)
        try:
            await self._serve(principal, permission, scope, receive, tagged)
        except BaseException:
            await written()
            raise

    async def _serve(
        self,
        principal: Principal | None,
        permission: Permission | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        if principal is None or permission is None:
            await self._app(scope, receive, send)
        elif permission.names and not principal.everything:
            await _Narrowed(self._app, permission.names, principal)(scope, receive, send)
        else:
            ends = scope["method"] == "GET" or permission.gateway
            await self._while_valid(principal, scope, receive, send, ends=ends)

    def _origin(self, headers: Mapping[bytes, bytes], scope: Scope) -> list[tuple[bytes, bytes]]:
        """The headers for a page of another origin that is named; Misdirected or SecurityError for others."""
        host = headers.get(b"host", b"").decode("latin-1")
        if host_name(host) not in self._hosts:
            raise Misdirected(
                f"this daemon does not answer for the host {host[:200]!r}",
                hint="add the name to listen.hosts in caxton.toml, if it is one of its own",
            )
        origin = headers.get(b"origin")
        if origin is None or origin.decode("latin-1") == f"{scope['scheme']}://{host}":
            return []
        if origin.decode("latin-1") not in self._table.origins:
            raise SecurityError(
                f"pages of {origin[:200].decode('latin-1')!r} may not use this daemon",
                hint="add the origin to listen.origins in caxton.toml, if the page is yours",
            )
        return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]

    def _principal(self, headers: Mapping[bytes, bytes], peer: Peer) -> Principal:
        """Who it is; Unauthenticated where the credential is missing or not valid."""
        try:
            principal = self._known(headers, peer)
        except Unauthenticated:
            if not self._failures.take(peer.address, self._now_us() / 1e6):
                raise TooManyRequests(
                    f"{peer.address} has shown too many credentials that are not valid",
                    hint="wait a minute; caxton token list shows which are",
                ) from None
            raise
        if not self._rates.take(principal.token or f"cn {principal.name}", self._now_us() / 1e6):
            raise TooManyRequests(
                f"{principal.name} has made more than {self._table.requests_per_s} requests a second",
                hint="ask more slowly, or raise listen.requests_per_s in caxton.toml",
            )
        return principal

    def _known(self, headers: Mapping[bytes, bytes], peer: Peer) -> Principal:
        scheme, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() == "bearer":
            return self._tokens.authenticate(secret.strip(), peer.address).principal(self._platform)
        if peer.subject is None or scheme:
            raise Unauthenticated(
                "this daemon wants a token",
                hint="send the header Authorization: Bearer cxt_…; see docs/access.md",
            )
        role = self._table.role_of(peer.subject)
        if role is None:
            raise Unauthenticated(
                f"the certificate's name {peer.subject[:80]!r} has no role here",
                hint="give it one under listen.subjects in caxton.toml",
            )
        return Principal(peer.subject, role, platform=self._platform)

    def _permission(self, scope: Scope) -> tuple[Permission | None, dict[str, Any]]:
        """The permission of the route that serves this, and what stands in its path; none where there is no route."""
        for route in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                path = str(getattr(route, "path", ""))
                method = "GET" if scope["method"] == "HEAD" else scope["method"]
                permission = PERMISSIONS.get(f"{method} {path}")
                if permission is None:
                    raise SecurityError(f"{method} {path} is open to nobody over the network")
                return permission, child.get("path_params", {})
        return None, {}

    def _judge(
        self, principal: Principal, permission: Permission | None, parameters: dict[str, Any], scope: Scope
    ) -> None:
        """SecurityError where that principal may not."""
        if permission is None:
            return
        assert permission.role is not None
        if not principal.role.includes(permission.role):
            raise SecurityError(
                f"{principal.name} is {principal.role.value}; {scope['method']} {_path(scope)[:200]} is for"
                f" {permission.role.value} and above",
                hint=f"ask for a token with --role {permission.role.value}",
                role=permission.role.value,
            )
        if permission.reach is Reach.ALL and not principal.everything:
            raise out_of_reach(principal)
        if permission.reach is Reach.PATH and not principal.reaches(str(parameters["name"])):
            raise out_of_reach(principal, str(parameters["name"]))

    async def _while_valid(
        self, principal: Principal, scope: Scope, receive: Receive, send: Send, *, ends: bool
    ) -> None:
        """Serve it; what is read (a stream goes on for hours) `ends` when the token does."""
        if principal.token is None or not ends:
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        until = None
        if principal.expires_us is not None:
            until = loop.time() + max(0.0, (principal.expires_us - self._now_us()) / 1e6)
        timeout = asyncio.timeout_at(until)
        mine = self._open.setdefault(principal.token, set())
        try:
            async with timeout:
                mine.add(timeout)
                await self._app(scope, receive, noted)
        except TimeoutError:
            if not timeout.expired():
                raise
            if begun:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                error = Unauthenticated(f"the token {principal.name!r} has ended", hint="use another one")
                await _refused(error)(scope, receive, send)
        finally:
            mine.discard(timeout)
            if not mine:
                self._open.pop(principal.token, None)

    def _end_streams(self, token: str) -> None:
        now_s = asyncio.get_running_loop().time()
        for timeout in self._open.get(token, ()):
            timeout.reschedule(now_s)


class _Narrowed:
    """Serves a request and leaves out of its answer what is out of reach."""

    def __init__(self, app: ASGIApp, names: Sequence[str], principal: Principal) -> None:
        self._app = app
        self._names = names
        self._principal = principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None
        body = b""

        async def cut(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body") or start is None:
                return
            if start["status"] >= 300:
                await send(start)
                await send({"type": "http.response.body", "body": body})
                return
            left = narrowed(exact_numbers.decode(body), self._names, self._principal)
            if left is None:
                await _refused(out_of_reach(self._principal, _path(scope)[:200]))(scope, receive, send)
                return
            headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            fresh = exact_numbers.encode(left)
            await send({**start, "headers": [*headers, (b"content-length", b"%d" % len(fresh))]})
            await send({"type": "http.response.body", "body": fresh})

        await self._app(scope, receive, cut)


def _acted_for(headers: Mapping[bytes, bytes]) -> tuple[Principal | None, Peer | None]:
    """For whom a gateway asks by the project's socket, and where that one is; nobody where the owner asks itself."""
    forwarded = headers.get(FORWARDED_FOR.encode())
    if forwarded is not None:
        address, _, subject = forwarded.decode("latin-1").partition(" ")
        return None, Peer(address, unquote(subject) or None)
    said = headers.get(ACTING_FOR.encode())
    if said is None:
        return None, None
    principal, address = read_acting_for(said.decode("latin-1"))
    return (None, None) if principal is OWNER else (principal, Peer(address))


def _refused(error: CaxtonError) -> Response:
    response = refused(error)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="caxton"'
    return response


def _path(scope: Scope) -> str:
    return redacted(str(scope["path"]))[:500]


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """The client's own where it sent one that is short and plain, else a new one."""
    said = headers.get(b"x-request-id", b"")
    return said.decode() if _ID.fullmatch(said) else secrets.token_hex(8)


def host_name(host: str) -> str:
    """The name in a Host header, without its port, in small letters."""
    with suppress(ValueError):
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    return ""
