"""`/health`, `/ready`, `/metrics`, `/api/v1/status` and the daemon's end."""

from __future__ import annotations

import os
from collections import Counter
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

import caxton
from caxton.agents import AgentView
from caxton.agents.record import RECOVERING, UNBUILT
from caxton.agents.waits import Wait
from caxton.api.meter_sources import readings
from caxton.api.openapi import described
from caxton.api.responses import REFUSALS, answer, view_body
from caxton.api.routing import Route, noun_router
from caxton.api.services import Services, services_of
from caxton.schemas.daemon import HealthBody, ReadyBody, StatusBody
from caxton.schemas.shape import iso
from caxton.telemetry import metrics

probes = APIRouter(tags=["probes"], responses=REFUSALS, route_class=Route)
router = noun_router("", "daemon")

NAMED: Final = 5
"""Agents that recover and are named where one asks whether the daemon is ready."""


@probes.get("/health", response_model=described(HealthBody))
async def health() -> Response:
    """Whether the daemon answers at all."""
    return answer({"status": "ok"})


@probes.get(
    "/ready",
    response_model=described(ReadyBody),
    responses={503: {"model": described(ReadyBody), "description": "Not ready: `why` says what is missing."}},
)
async def ready(request: Request) -> Response:
    """200 where messages are taken and handled; 503 with the reasons where not. Agents whose memory comes back are
    named, with how far it is: what is sent to them waits."""
    services = services_of(request)
    missing = _missing(services)
    why = [reason for reason in missing.values() if reason is not None]
    named = [_progress(view) for view in services.agents.views() if view.recovery is not None]
    if len(named) > NAMED:
        named[NAMED:] = [f"{len(named) - NAMED:,} others are recovering"]
    parts = {part: reason is None for part, reason in missing.items()}
    return answer({"ready": not why, "why": [*why, *named], "parts": parts}, 503 if why else 200)


@probes.get("/metrics", response_class=Response)
async def prometheus(request: Request) -> Response:
    """Every meter as Prometheus text, or as OpenMetrics, which has exemplars, where the client takes that."""
    services, app = services_of(request), request.app.state
    open_metrics = "application/openmetrics-text" in request.headers.get("accept", "")
    exemplars = await app.row_meters.exemplars(services.reader) if open_metrics else None
    text = metrics.render(readings(services, app.hub, app.row_meters, exemplars), open_metrics=open_metrics)
    return Response(text, media_type=metrics.OPEN_METRICS if open_metrics else metrics.TEXT)


@router.get("/status", response_model=described(StatusBody))
async def status(request: Request) -> Response:
    """The daemon, its cells, agents and journal at a glance."""
    services = services_of(request)
    stored = await services.reader.stats()
    states = Counter(view.state for view in services.agents.views())
    return answer(
        {
            "version": caxton.__version__,
            "pid": os.getpid(),
            "project": services.config.config.name,
            "folder": str(services.config.folder),
            "platform": services.config.config.platform,
            "started_at": iso(services.started_us),
            "uptime_s": (services.clock.now_us() - services.started_us) / 1e6,
            "cells": [view_body(view) for view in services.cells.views()],
            "agents": {
                "total": states.total(),
                "running": states["running"],
                "unbuilt": states[UNBUILT],
                "recovering": states[RECOVERING] + states["unloaded"],
                "suspended": states["suspended"],
                "stopped": states["loaded"] + states["draining"],
                "failed": states["failed"],
            },
            "journal": {
                "first_seq": stored.first_seq or None,
                "last_seq": stored.last_seq,
                "committed_seq": services.journal.committed,
                "rows": stored.last_seq - stored.trimmed_upto,
                "bytes": stored.used_bytes,
                "waiting_rows": services.journal.waiting_rows,
                "commits": services.journal.counts.commits,
                "commit_us": services.journal.counts.commit_us,
                "failed": services.journal.failed,
            },
            "held": {"messages": len(services.hold), "break_points": len(services.hold.points.on)},
            "approvals": {
                "waiting": len(services.hold.approvals),
                "rules": len(services.hold.approvals.rules.by_name),
            },
            "counts": services.bus.counts.plain(),
            "waits": [[_wait(one) for one in cycle] for cycle in services.waits.cycles],
            "loops": [
                {
                    "agents": [_local(name) for name in one.agents],
                    "conversation_id": one.conversation_id,
                    "times": one.times,
                    "since": iso(one.since_us),
                    "model": one.model,
                }
                for one in services.loops.all
            ],
        }
    )


@router.post("/daemon/stop", status_code=202, response_model=described(HealthBody))
async def stop(request: Request) -> Response:
    """Begin the daemon's end: intake stops, turns finish, the journal is closed. Answers before that."""
    services_of(request).stop()
    return answer({"status": "stopping"}, 202)


def _wait(wait: Wait) -> dict[str, object]:
    """Who waits for whom, since when and for the answer to what."""
    return {
        "agent": _local(wait.agent),
        "awaits": _local(wait.awaits),
        "since": iso(wait.since_us),
        "conversation_id": wait.conversation_id,
        "seq": wait.seq,
    }


def _local(name: str) -> str:
    """A full name's first part."""
    return name.partition("@")[0]


def _progress(view: AgentView) -> str:
    """An agent that recovers, and how far it is."""
    assert view.recovery is not None
    left = "" if view.recovery.left_s is None else f", about {view.recovery.left_s:.0f} s left"
    return f"{view.name} is recovering: {view.recovery.percent} %{left}"


def _missing(services: Services) -> dict[str, str | None]:
    """By part of the daemon, why it is not ready; None where it is."""
    agents = None
    if not services.started():
        views, named = services.agents.views(), len(services.config.config.agents)
        up = sum(view.state == "running" for view in views)
        agents = f"agents are being started: {up:,} of {max(named, len(views)):,} run"
    failed = services.journal.failed
    waiting = [str(view.no) for view in services.cells.views() if view.state != "ready"]
    return {
        "agents": agents,
        "journal": None if failed is None else f"the journal cannot be written: {failed}",
        "cells": f"cells not ready: {', '.join(waiting)}" if waiting else None,
    }
