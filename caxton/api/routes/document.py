"""`/api/v1/openapi.json`: what there is, what it takes and what it answers.

The first who asks waits while it is made, and nobody else does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response
from starlette.routing import BaseRoute

import caxton
from caxton.api.responses import answer
from caxton.api.routing import PREFIX, Route

router = APIRouter()


@router.get(f"{PREFIX}/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The document."""
    return answer(await asyncio.to_thread(document, request.app.routes))


def document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    found = get_openapi(
        title="Caxton",
        summary="Agents that speak FIPA-ACL in WebAssembly sandboxes.",
        version=caxton.__version__,
        routes=[route.described() if isinstance(route, Route) else route for route in routes],
    )
    for operations in found["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _sent(parameter["schema"])
    return found


def _sent(schema: dict[str, Any]) -> dict[str, Any]:
    """What a parameter may be where it is there: nobody can send `null` in a path, a query or a header."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**kinds[0], **{key: value for key, value in schema.items() if key != "anyOf"}}
