"""The application: every router of the API, one refusal shape, caps on what comes in.

In: the services. Out: an ASGI app. One router file for each noun.
"""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from caxton.api import responses
from caxton.api.body_limits import BodyLimits
from caxton.api.ending import Ending
from caxton.api.guard import Guard
from caxton.api.idempotency import Keys
from caxton.api.routes import (
    access,
    agents,
    approvals,
    break_points,
    conversations,
    dead_letters,
    deployments,
    df,
    document,
    effects,
    gateways,
    journal,
    mailboxes,
    messages,
    pins,
    replays,
    status,
    tasks,
    timers,
    topics,
    transfers,
    turns,
    usage,
)
from caxton.api.services import Services
from caxton.api.stream import events
from caxton.api.stream.hub import Hub
from caxton.telemetry.row_meters import RowMeters


def build(services: Services) -> FastAPI:
    """The app over these services; `app.state.hub` feeds the event streams from the journal's commits."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.services = services
    app.state.hub = Hub(services.journal, services.reader, services.config.config.platform)
    app.state.row_meters = RowMeters(services.journal)
    app.state.keys = Keys()
    app.add_middleware(BodyLimits)
    app.add_middleware(
        Guard,
        routes=app.router.routes,
        tokens=services.tokens,
        table=services.config.config.listen,
        platform=services.config.config.platform,
        now_us=services.clock.now_us,
        audit=partial(access.write_down, services),
    )
    app.add_middleware(Ending)
    responses.install(app)
    nouns = (
        access,
        status,
        agents,
        mailboxes,
        messages,
        conversations,
        deployments,
        replays,
        pins,
        approvals,
        break_points,
        tasks,
        turns,
        df,
        timers,
        topics,
        effects,
        usage,
        transfers,
        journal,
        dead_letters,
        events,
        document,
    )
    for router in (status.probes, break_points.breaks, gateways.router, *(noun.router for noun in nouns)):
        app.router.routes.extend(router.routes)
    return app
