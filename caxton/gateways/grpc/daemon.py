"""The daemon as a call asks it: over the project's socket, in the name of who has called.

In: a route, what is in the request, the caller. Out: what the route answers; CaxtonError where it refuses.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from caxton import exact_numbers
from caxton.client import answers
from caxton.client.answers import EventReader, StreamEvent
from caxton.client.remote import client_of, transport_of
from caxton.client.requests import SILENCE_S, Call, quoted
from caxton.schemas.access import FORWARDED_FOR

_HEADERS = ("if_match", "traceparent", "idempotency_key", "last_event_id")
LONGEST_S = 3700.0
"""Longer than any route waits."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: nobody's `address` is the project's owner, by the socket. `subject`: of a certificate."""

    address: str | None = None
    credential: str | None = None
    subject: str = ""

    def headers(self) -> dict[str, str]:
        """What the guard is to judge."""
        if self.address is None:
            return {}
        said = {FORWARDED_FOR: f"{self.address} {quote(self.subject)}".rstrip()}
        return said if self.credential is None else said | {"Authorization": self.credential}


class Daemon:
    """One daemon by its socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                **transport_of(socket), limits=httpx.Limits(max_connections=256)
            ),
            trust_env=False,
            **client_of(socket, None),
        )

    async def ask(
        self, rest: str, said: dict[str, Any], caller: Caller, allowed: Sequence[int] = ()
    ) -> tuple[dict[str, Any], str | None]:
        """What a route answers, and its revision; `allowed`: statuses that are answers, too."""
        call = call_of(rest, said, caller)
        with answers.translated(self._socket):
            answers.meet(self._socket)
            response = await self._http.send(call.request(self._http, LONGEST_S))
        content = answers.accepted(response, allowed)
        return exact_numbers.decode(content) if content else {}, response.headers.get("etag")

    async def events(self, rest: str, said: dict[str, Any], caller: Caller) -> AsyncGenerator[StreamEvent]:
        """The event stream, until it ends."""
        reader, call = EventReader(), call_of(rest, said, caller)
        with answers.translated(self._socket):
            answers.meet(self._socket)
            request = call.request(self._http, httpx.Timeout(10.0, read=SILENCE_S))
            response = await self._http.send(request, stream=True)
            try:
                if not response.is_success:
                    raise answers.refusal(response.status_code, await response.aread())
                async for chunk in response.aiter_raw():
                    for event in reader.feed(chunk):
                        yield event
            finally:
                await response.aclose()


def call_of(rest: str, said: Mapping[str, Any], caller: Caller) -> Call:
    """The request of a route such as `GET /api/v1/agents/{name}`: what it names goes into the path, `body` is the body,
    the rest is query or header."""
    method, path = rest.split(" ")
    query = dict(said)
    for name in said:
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", quoted(str(query.pop(name))))
    headers: dict[str, str | None] = dict(caller.headers())
    for name in _HEADERS:
        if name in query:
            headers[name.replace("_", "-")] = query.pop(name)
    body = query.pop("body", None)
    given = {name: _text(value) for name, value in query.items()}
    return Call(method, path, given, None if body is None else exact_numbers.encode(body), headers)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
