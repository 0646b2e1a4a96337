"""The application: every router of the API, one refusal shape, caps on what comes in.

In: the rooms. Out: an ASGI app. One router file for each noun.
"""

from __future__ import annotations

from fastapi import FastAPI

import caxton
from caxton.api import (
    agents,
    answers,
    conversations,
    dead_letters,
    deployments,
    df,
    events,
    holds,
    messages,
    pins,
    replays,
    status,
    tasks,
    turns,
)
from caxton.api.hub import Hub
from caxton.api.intake import Intake
from caxton.api.rooms import Rooms

PREFIX = "/api/v1"


def build(rooms: Rooms) -> FastAPI:
    """The app over these rooms; `app.state.hub` feeds the event streams from the journal's commits."""
    app = FastAPI(
        title="Caxton",
        summary="Agents that speak FIPA-ACL in WebAssembly sandboxes.",
        version=caxton.__version__,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=answers.REFUSALS,
        redirect_slashes=False,
    )
    app.state.rooms = rooms
    app.state.hub = Hub(rooms.journal, rooms.reader, rooms.config.config.platform)
    app.state.keys = messages.Keys()
    app.add_middleware(Intake)
    answers.install(app)
    app.include_router(status.probes)
    app.include_router(holds.breaks, prefix=PREFIX)
    nouns = (
        status,
        agents,
        messages,
        conversations,
        deployments,
        replays,
        pins,
        holds,
        tasks,
        turns,
        df,
        dead_letters,
        events,
    )
    for room in nouns:
        app.include_router(room.router, prefix=PREFIX)
    return app
