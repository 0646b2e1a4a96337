"""The routes of the gateways.

In: a request. Out: what its gateway answers.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from caxton.api.principals import within_reach
from caxton.api.services import services_of
from caxton.errors import AgentNotFound, Unreachable


async def _mcp(request: Request) -> Response:
    return await _passed("mcp", request)


async def _a2a(request: Request) -> Response:
    config = services_of(request).config.config
    shown = [name for name, table in config.agents.items() if table.a2a]
    name = request.path_params.get("name")
    if name is None and len(shown) != 1:
        raise AgentNotFound(
            "there is not one agent here", hint="its card is at /a2a/NAME/.well-known/agent-card.json"
        )
    if name is not None and name not in shown:
        raise AgentNotFound(
            f"{name[:80]!r} is no agent for A2A", hint=f"in caxton.toml: [agents.{name[:80]}] a2a = true"
        )
    within_reach(request, name or shown[0])
    return await _passed("a2a", request)


async def _passed(name: str, request: Request) -> Response:
    gateway = services_of(request).gateways.get(name)
    if gateway is None:
        raise Unreachable("this process has no gateways", hint="caxton up starts a daemon that has")
    return await gateway.answer(request)


router = Router(
    [
        Route("/mcp", _mcp, methods=["POST"]),
        Route("/.well-known/agent-card.json", _a2a, methods=["GET"]),
        Route("/a2a/{name}", _a2a, methods=["POST"]),
        Route("/a2a/{name}/{rest:path}", _a2a, methods=["GET", "POST", "DELETE"]),
    ]
)
