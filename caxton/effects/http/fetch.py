"""One HTTP request: to an address that was checked, along redirects that stay inside, with a bounded answer.

In: a call of the daemon. Out: status, headers and body, or Failed with a code.
"""

from __future__ import annotations

import base64
import ipaddress
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast
from urllib.parse import urljoin

import httpcore
import msgspec

from caxton.effects.http.addresses import Closed, Network, resolved
from caxton.effects.http.vocabulary import is_allowed, place_of
from caxton.effects.own_process import Call, Failed
from caxton.errors import InvalidMessage

REDIRECTS_MAX: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
HEADER_BYTES: Final = 2_000
Json = dict[str, Any]


class Reach(msgspec.Struct):
    """What a process may reach, and what it says of itself: `headers` are names of environment variables."""

    hosts: list[str]
    methods: list[str]
    private: list[str]
    response_bytes: int
    headers: dict[str, str]


class Line(msgspec.Struct):
    """A request, as the agent passes it on."""

    url: str
    method: str
    headers: dict[str, str]
    body: bytes


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, private: list[Network]) -> None:
        self._private = private
        self._plain = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the host's addresses."""
        problem: httpcore.ConnectError | None = None
        for address in await resolved(host, port, self._private):
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                problem = error
        raise problem or httpcore.ConnectError(f"{host} has no address")


class Fetcher:
    """Fetches, for one `[http.NAME]`. `environ` has the values of its headers."""

    def __init__(self, reach: Reach, environ: Mapping[str, str]) -> None:
        self._reach = reach
        self._own = {
            name: environ[variable] for name, variable in reach.headers.items() if variable in environ
        }
        self._missing = [one for one in reach.headers.values() if one not in environ]
        networks = [ipaddress.ip_network(one, strict=False) for one in reach.private]
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(), network_backend=_CheckedBackend(networks)
        )

    async def do(self, call: Call) -> object:
        """Answer a call."""
        if self._missing:
            raise Failed("no-key", f"the environment variable {self._missing[0]} is not set")
        asked = msgspec.convert(call.request, Line)
        url, method, body, began_at = asked.url, asked.method, asked.body, place_of(asked.url).netloc
        for _ in range(REDIRECTS_MAX + 1):
            # what is ours is said to the first host only
            headers = asked.headers | self._own if place_of(url).netloc == began_at else {}
            try:
                status, told, payload = await self._once(method, url, headers, body)
            except Closed as error:
                raise Failed("address-not-allowed", f"{error}") from error
            except (
                httpcore.NetworkError,
                httpcore.ProtocolError,
                httpcore.TimeoutException,
                OSError,
            ) as error:
                raise Failed("http", f"{type(error).__name__}: {error}") from error
            location = told.get("location")
            if status not in REDIRECTS or location is None:
                return {"status": status, "url": url, "headers": told, **_content(told, payload)}
            url = self._inside(urljoin(url, location))
            if status == 303 or (status in (301, 302) and method == "POST"):
                method, body = ("HEAD" if method == "HEAD" else "GET"), b""
            if method not in self._reach.methods:
                raise Failed("redirect-not-allowed", f"the redirect wants {method}, which is not allowed")
        raise Failed("redirect-not-allowed", f"there were more than {REDIRECTS_MAX} redirects")

    async def close(self) -> None:
        """Close what is open."""
        await self._pool.aclose()

    def _inside(self, url: str) -> str:
        """The place that a redirect leads to, where it may."""
        try:
            if is_allowed(place_of(url), self._reach.hosts):
                return url
        except InvalidMessage:
            pass
        raise Failed("redirect-not-allowed", f"the redirect to {url[:200]} leads out of what is allowed")

    async def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        sent = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "caxton", **_lower(headers)}
        pairs = [("host", place_of(url).netloc), *sent.items()]
        if body or method not in ("GET", "HEAD"):
            pairs.append(("content-length", str(len(body))))
        most, payload = self._reach.response_bytes, b""
        async with self._pool.stream(method, url, headers=pairs, content=body) as response:
            async for part in response.aiter_stream():
                payload += part
                if len(payload) > most:
                    raise Failed(
                        "too-long", f"the answer has more than {most:,} bytes", status=response.status
                    )
            told: dict[str, str] = {}
            for name, value in response.headers:
                text = value.decode("latin-1")[:HEADER_BYTES]
                told[name.decode("latin-1").lower()] = text
        return response.status, told, payload


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _content(headers: Mapping[str, str], payload: bytes) -> Json:
    """The body: as JSON where it says that it is, as text where it is UTF-8, else as base64."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(payload).decode()}
    if "json" in headers.get("content-type", ""):
        try:
            return {"json": msgspec.json.decode(payload)}
        except (msgspec.MsgspecError, RecursionError):
            pass
    return {"text": text}
