"""What is let in: bodies up to a size and within a time.

In: raw requests. Out: the same requests, or a refusal before anything large was kept. Each path has its own
cap; a body is counted while it comes, so a false or missing Content-Length changes nothing.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from caxton.api.responses import refusal
from caxton.limits import KIB, MESSAGE_CEILING, MIB

DEPLOY_CAP: Final = 64 * MIB
BUNDLE_CAP: Final = 192 * MIB
"""A module and a state, both as large as they may be, in base64."""
MESSAGE_CAP: Final = MESSAGE_CEILING
OTHER_CAP: Final = 64 * KIB
BODY_SECONDS: Final = 30.0
"""How long a client may take for one piece of its body."""


_CARRY_MODULES: Final = ("/api/v1/agents", "/api/v1/agents/plan", "/api/v1/replays")
_CARRY_CONTENTS: Final = ("/api/v1/messages", "/api/v1/tasks", "/api/v1/held/", "/mcp", "/a2a/")


def cap_of(path: str) -> int:
    """Bytes that a request to that path may carry: a bundle, a module, a message's content, or none of them."""
    if path == "/api/v1/agents/import":
        return BUNDLE_CAP
    if path in _CARRY_MODULES:
        return DEPLOY_CAP
    return MESSAGE_CAP if path.startswith(_CARRY_CONTENTS) else OTHER_CAP


class BodyLimits:
    """ASGI middleware that caps bodies and the time that they may take."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it with 408, 413 or 415."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cap = cap_of(scope["path"])
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if headers.get(b"content-encoding", b"identity") != b"identity":
            sentence = "compressed bodies are not taken"
            await refusal(415, "unsupported_media_type", sentence)(scope, receive, send)
            return
        if int(headers.get(b"content-length", b"0")) > cap:
            await refusal(413, "too_large", _sentence(cap))(scope, receive, send)
            return
        seen = 0
        complete = False

        async def counted() -> Message:
            nonlocal seen, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the body did not come in time") from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                complete = not message.get("more_body", False)
                if seen > cap:
                    raise HTTPException(413, _sentence(cap))
            return message

        await self._app(scope, counted, send)


def _sentence(cap: int) -> str:
    return f"the body is larger than {cap} bytes, the most that is taken here"
