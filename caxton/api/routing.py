"""Where the routes of one noun stand: below the API's prefix, with the refusals that all of them share.

In: a noun's path and its heading. Out: a router for a file of `routes`. The app takes the finished routes of all
routers as they are; `include_router` would build each of them again at an app's first request, half a second of it.
"""

from __future__ import annotations

from fastapi import APIRouter

from caxton.api.responses import REFUSALS

PREFIX = "/api/v1"


def noun_router(path: str, tag: str) -> APIRouter:
    """A router for `/api/v1{path}`, under that heading."""
    return APIRouter(prefix=PREFIX + path, tags=[tag], responses=REFUSALS)
