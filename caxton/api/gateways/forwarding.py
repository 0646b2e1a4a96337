"""The way of a request to a gateway's process and of its answer back.

In: a request that was let through. Out: the answer of the process, as it comes. The process is not told the credential
but whose it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing
from pathlib import Path
from typing import Final, cast

import httpcore
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from caxton.access import acting_for
from caxton.api.principals import principal_of
from caxton.errors import Unreachable
from caxton.schemas.access import ACTING_FOR

SILENCE_S: Final = 120.0
"""An answer that says nothing for so long is broken: what lasts says something every few seconds."""
LONGEST_S: Final = 3600.0
_OURS: Final = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
        "x-forwarded-proto",
        ACTING_FOR,
    }
)
"""Headers that are not passed on."""
_TIMEOUTS: Final = {"connect": 5.0, "read": SILENCE_S, "write": 30.0, "pool": 5.0}


class Forwarding:
    """To the process behind that socket."""

    def __init__(self, socket: Path) -> None:
        self._pool = httpcore.AsyncConnectionPool(uds=str(socket), max_connections=None, keepalive_expiry=5.0)

    async def answer(
        self, request: Request, body: bytes, counted: Callable[[], AbstractContextManager[None]]
    ) -> Response:
        """What the process answers; an answer that goes on is `counted` to its end."""
        address = request.client.host if request.client else ""
        headers = [(name, value) for name, value in request.headers.items() if name not in _OURS]
        headers += [
            (ACTING_FOR, acting_for(principal_of(request), address)),
            ("x-forwarded-proto", request.url.scheme),
            ("content-length", f"{len(body)}"),
        ]
        url = f"http://caxton{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        asked = httpcore.Request(
            request.method, url, headers=headers, content=body, extensions={"timeout": _TIMEOUTS}
        )
        try:
            said = await self._pool.handle_async_request(asked)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise Unreachable(
                f"the gateway did not answer: {type(error).__name__}", hint="ask again"
            ) from error
        told = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in said.headers
            if name.decode("latin-1").lower() not in _OURS
        }
        return _Passed(said, told, counted)


class _Passed(StreamingResponse):
    """An answer that comes from the process; given up with the one who wanted it."""

    def __init__(
        self,
        said: httpcore.Response,
        headers: dict[str, str],
        counted: Callable[[], AbstractContextManager[None]],
    ) -> None:
        super().__init__(_parts(said), said.status, headers)
        self._said = said
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._counted():
            try:
                async with asyncio.timeout(LONGEST_S):
                    await super().__call__(scope, receive, send)
            except TimeoutError:
                # whoever still listens asks again
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                await self._said.aclose()


async def _parts(said: httpcore.Response) -> AsyncIterator[bytes]:
    try:
        async with aclosing(cast("AsyncGenerator[bytes]", said.aiter_stream())) as parts:
            async for part in parts:
                yield part
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        # the process ended, and with it its answer
        return
