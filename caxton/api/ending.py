"""What requests get that still wait when the daemon stops: a refusal that says so, instead of a cut.

In: requests whose task the server cancels at its end. Out: 503. What was acknowledged stays; who asks again with the
same `Idempotency-Key`, or by the same id, goes on where it was.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from caxton.api.responses import refused
from caxton.errors import Unreachable


class Ending:
    """ASGI middleware around all that may wait."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        began = False

        async def noted(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if began or task is None or scope["type"] != "http":
                raise
            task.uncancel()
            await refused(stops())(scope, receive, send)


def stops() -> Unreachable:
    """The refusal: at once for who waits for replies, for everybody else when the daemon's patience ends."""
    return Unreachable(
        "the daemon stops; what was acknowledged is kept", hint="ask again when it is there: caxton up"
    )
