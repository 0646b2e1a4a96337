"""The routes of the gateways.

In: a request. Out: what its gateway answers.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from caxton.api.services import services_of
from caxton.errors import Unreachable


async def _mcp(request: Request) -> Response:
    return await _passed("mcp", request)


async def _passed(name: str, request: Request) -> Response:
    gateway = services_of(request).gateways.get(name)
    if gateway is None:
        raise Unreachable("this process has no gateways", hint="caxton up starts a daemon that has")
    return await gateway.answer(request)


router = Router([Route("/mcp", _mcp, methods=["POST"])])
