"""Where the routes of one noun stand: below the API's prefix, with the refusals that all of them share.

In: a noun's path and its heading. Out: a router for a file of `routes`. The app takes the finished routes of all
routers as they are; `include_router` would build each of them again at an app's first request, half a second of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute

from caxton.api.responses import REFUSALS

PREFIX = "/api/v1"


class Route(APIRoute):
    """A route whose answers are described when the document is asked for. What FastAPI makes of them is read for that
    only, and was a third of what a daemon's start costs."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        response_model: Any,
        responses: dict[int | str, dict[str, Any]] | None,
        **more: Any,
    ) -> None:
        super().__init__(path, endpoint, response_model=None, **more)
        self.described: Callable[[], APIRoute] = partial(
            APIRoute, path, endpoint, response_model=response_model, responses=responses, **more
        )
        """The same route with its answers."""


def noun_router(path: str, tag: str) -> APIRouter:
    """A router for `/api/v1{path}`, under that heading."""
    return APIRouter(prefix=PREFIX + path, tags=[tag], responses=REFUSALS, route_class=Route)
