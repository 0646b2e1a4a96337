"""`/api/v1/deployments`: the moves of agents to other revisions, finished and in progress."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import Response

from caxton import exact_numbers
from caxton.api.openapi import described
from caxton.api.parameters import Limit
from caxton.api.principals import within_reach
from caxton.api.responses import answer, page, view_body
from caxton.api.routes.replays import verdict_body
from caxton.api.routing import noun_router
from caxton.api.services import durable, services_of
from caxton.deploy import DeploymentView
from caxton.errors import DeploymentNotFound
from caxton.journal import DeploymentRow, Reader
from caxton.schemas.deployments import DeploymentBody, Deployments
from caxton.schemas.shape import iso

router = noun_router("/deployments", "deployments")

ALL = 1_000_000
"""Deployments are few; one is found by reading them."""


@router.get("", response_model=described(Deployments))
async def list_deployments(
    request: Request,
    agent: Annotated[str | None, Query(max_length=63)] = None,
    before: Annotated[
        str | None, Query(max_length=64, description="Only those that began before this one, by its id.")
    ] = None,
    limit: Limit = 50,
) -> Response:
    """Deployments, the newest first; what their gates found is there in figures, turn by turn it is in each."""
    services = services_of(request)
    number: int | None = None
    if agent is not None:
        number = services.agents.registry.find(agent).number
    rows = await services.reader.deployments(agent_no=number, before=before, limit=limit)
    lives = {row.id: services.engine.live(row.id) for row in rows}
    known = await _bodies(services.reader, [row for row in rows if lives[row.id] is None])
    ended = {body["id"]: body for body in known}
    bodies = [ended[id] if live is None else deployment_body(live) for id, live in lives.items()]
    for body in bodies:
        if body["gate"] is not None:
            body["gate"] = {**body["gate"], "turns": []}
    return page(bodies, rows[-1].id if len(rows) == limit else None)


@router.get("/{id}", response_model=described(DeploymentBody))
async def show(request: Request, id: Annotated[str, Path(max_length=64)]) -> Response:
    """One deployment."""
    services = services_of(request)
    row = await _row(services.reader, id)
    live = services.engine.live(id)
    if live is not None:
        return answer(deployment_body(live))
    return answer((await _bodies(services.reader, [row]))[0])


@router.post("/{id}/rollback", status_code=201, response_model=described(DeploymentBody))
async def rollback(request: Request, id: Annotated[str, Path(max_length=64)]) -> Response:
    """Undo a deployment: a new one brings the revision, settings and limits back that the agent had before it."""
    services = services_of(request)
    row = await _in_reach(request, id)
    async with durable(services):
        view = await services.engine.rollback(row)
    return answer(deployment_body(view), 201)


@router.post("/{id}/promote", response_model=described(DeploymentBody))
async def promote(request: Request, id: Annotated[str, Path(max_length=64)]) -> Response:
    """Let the new revision take over now, whatever stage or time is left; answers when it has."""
    services = services_of(request)
    await _in_reach(request, id)
    async with durable(services):
        view = await services.engine.promote(id)
    return answer(deployment_body(view))


@router.post("/{id}/abort", response_model=described(DeploymentBody))
async def abort(request: Request, id: Annotated[str, Path(max_length=64)]) -> Response:
    """Take the new revision back; the old one goes on alone, with nothing lost. Answers when it does."""
    services = services_of(request)
    await _in_reach(request, id)
    async with durable(services):
        view = await services.engine.abort(id)
    return answer(deployment_body(view))


@router.post("/{id}/ask-live", response_model=described(DeploymentBody))
async def ask_live(request: Request, id: Annotated[str, Path(max_length=64)]) -> Response:
    """Ask models and tools for real what a build that waits asks anew, within `budgets.replay`, and judge it by what
    comes of that; answers when it waits again, or has gone in."""
    services = services_of(request)
    await _in_reach(request, id)
    async with durable(services):
        view = await services.engine.ask_live(id)
    return answer(deployment_body(view))


async def _in_reach(request: Request, id: str) -> DeploymentRow:
    """The deployment, where its agent is within the reach of who asks."""
    reader = services_of(request).reader
    row = await _row(reader, id)
    within_reach(request, *(agent.name for agent in await reader.agents() if agent.no == row.agent_no))
    return row


async def _row(reader: Reader, id: str) -> DeploymentRow:
    for row in await reader.deployments(limit=ALL):
        if row.id == id:
            return row
    raise DeploymentNotFound(f"there is no deployment {id!r}", hint="see: caxton deploy list")


async def _bodies(reader: Reader, rows: list[DeploymentRow]) -> list[dict[str, Any]]:
    """Rows with names and sha256 instead of the journal's numbers."""
    agents = {row.no: row.name.partition("@")[0] for row in await reader.agents()}
    builds = {row.no: row.sha256 for row in await reader.revisions()}
    return [
        {
            "id": row.id,
            "agent": agents.get(row.agent_no),
            "revision": builds.get(row.revision_no),
            "previous": None if row.previous_no is None else builds.get(row.previous_no),
            "strategy": row.strategy,
            "state": row.state,
            "reason": row.reason,
            "created_at": iso(row.created_us),
            "updated_at": iso(row.updated_us),
            **_detail(row.detail),
        }
        for row in rows
    ]


def _detail(detail: str) -> dict[str, Any]:
    kept: dict[str, Any] = exact_numbers.decode(detail)
    return {
        "timings": kept.get("timings"),
        "memory": kept.get("memory"),
        "memory_reason": kept.get("memory_reason"),
        "unchanged": kept.get("unchanged", False),
        "validation": kept.get("validation", []),
        "progress": kept.get("progress"),
        "gate": verdict_body(kept.get("gate")),
        "waits": False,
        "configured": kept.get("offered") is not None,
        "takes_back": kept.get("takes_back"),
    }


def deployment_body(view: DeploymentView) -> dict[str, Any]:
    """A deployment as plain data; moments as ISO times."""
    body = view_body(view)
    verdict_body(body["gate"])
    return body
