"""`/api/v1/agents`: bring them up, look at them, start and stop them, read what they log."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from caxton.api.answers import answer, page, view_body
from caxton.api.rooms import durable, full_name, rooms_of
from caxton.api.rows import log_body, with_outcome
from caxton.api.shapes import AgentBody, Agents, DeploymentBody, Logs, Messages
from caxton.config import check_agent_name, limits_from
from caxton.errors import ConfigurationError, InvalidModule

router = APIRouter(prefix="/agents", tags=["agents"])

Name = Annotated[str, Path(description="The agent's local name.", max_length=63)]
Limit = Annotated[int, Query(ge=1, le=1000, description="The most items of one page.")]
After = Annotated[int, Query(ge=0, description="Only rows with a greater number.")]


class DeployBody(BaseModel):
    """A module to bring to an agent; the agent is made where it does not exist."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="The agent's local name.")
    wasm_module: str = Field(description="The module in base64; text in the WAT format is taken too.")
    settings: dict[str, Any] | None = Field(default=None, description="Given to caxton_init.")
    limits: dict[str, int | str] | None = Field(default=None, description="Limits that differ.")
    profile: Literal["standard", "strict"] = "standard"
    strategy: Literal["direct", "blue-green"] = Field(
        default="direct", description="How the new revision takes over."
    )
    recover: Literal["replay", "snapshot", "fresh"] | None = Field(
        default=None, description="How its memory comes back after a restart."
    )
    fresh_state: bool = Field(default=False, description="Begin without the old revision's state.")
    probation_turns: int | None = Field(
        default=None, ge=1, le=1000, description="Good turns until the old revision goes (blue-green)."
    )
    probation_s: float | None = Field(
        default=None, gt=0, le=3600, description="Seconds after which it goes anyway (blue-green)."
    )


@router.get("", response_model=Agents)
async def list_agents(request: Request) -> Response:
    """Every agent, in the order of their names."""
    return page([view_body(view) for view in rooms_of(request).agents.views()], None)


@router.post(
    "",
    status_code=201,
    response_model=DeploymentBody,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": DeployBody.model_json_schema()}},
        }
    },
)
async def deploy(request: Request) -> Response:
    """Compile a module and bring it to an agent; answers when the agent runs it, or says why it does not."""
    rooms = rooms_of(request)
    try:
        body = DeployBody.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{place or 'the body'}: {first['msg']}") from error
    name = check_agent_name(body.name)
    try:
        module = base64.b64decode(body.wasm_module, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidModule("wasm_module is not base64") from error
    limits = None
    if body.limits is not None:
        try:
            limits = limits_from(body.limits, rooms.config.config.limits_of(name))
        except ValueError as error:
            raise ConfigurationError(f"limits: {error}") from error
    known = rooms.agents.registry.agents.get(name)
    async with durable(rooms):
        view = await rooms.engine.deploy(
            name,
            module,
            wat=not module.startswith(b"\0"),
            settings=body.settings,
            limits=limits,
            profile=body.profile,
            strategy=body.strategy,
            recover=body.recover or (known.config.recover if known else "replay"),
            fresh_state=body.fresh_state,
            probation=rooms.engine.probation(body.probation_turns, body.probation_s),
        )
    return answer(view_body(view), 201)


@router.get("/{name}", response_model=AgentBody)
async def show(request: Request, name: Name) -> Response:
    """One agent as it is now."""
    return answer(view_body(rooms_of(request).agents.view(name)))


@router.delete("/{name}", status_code=204, response_class=Response)
async def remove(request: Request, name: Name) -> Response:
    """Stop an agent and forget it; what it said stays in the journal."""
    rooms = rooms_of(request)
    async with durable(rooms):
        await rooms.agents.remove(name)
    return Response(status_code=204)


@router.post("/{name}/start", response_model=AgentBody)
async def start(request: Request, name: Name) -> Response:
    """Start an agent that is stopped or failed."""
    rooms = rooms_of(request)
    async with durable(rooms):
        return answer(view_body(await rooms.agents.start(name)))


@router.post("/{name}/stop", response_model=AgentBody)
async def stop(request: Request, name: Name) -> Response:
    """Stop an agent after its present turn; what waits for it becomes dead letters."""
    rooms = rooms_of(request)
    async with durable(rooms):
        return answer(view_body(await rooms.agents.stop(name, drain=False)))


@router.post("/{name}/drain", response_model=AgentBody)
async def drain(request: Request, name: Name) -> Response:
    """Take nothing new for an agent, let it handle what waits, then stop it."""
    rooms = rooms_of(request)
    async with durable(rooms):
        return answer(view_body(await rooms.agents.stop(name, drain=True)))


@router.post("/{name}/suspend", response_model=AgentBody)
async def suspend(request: Request, name: Name) -> Response:
    """Let an agent take no turn; its mail waits. Answers when its present turns are over."""
    rooms = rooms_of(request)
    async with durable(rooms):
        return answer(view_body(await rooms.agents.suspend(name)))


@router.post("/{name}/resume", response_model=AgentBody)
async def resume(request: Request, name: Name) -> Response:
    """Let a suspended agent go on, with what waited first."""
    rooms = rooms_of(request)
    async with durable(rooms):
        return answer(view_body(await rooms.agents.resume(name)))


@router.post("/{name}/restart", response_model=AgentBody)
async def restart(request: Request, name: Name) -> Response:
    """Let an agent handle what waits, stop it, and start it again from the state that it had."""
    rooms = rooms_of(request)
    async with durable(rooms):
        return answer(view_body(await rooms.agents.restart(name)))


@router.get("/{name}/logs", response_model=Logs)
async def logs(request: Request, name: Name, after: After = 0, limit: Limit = 100) -> Response:
    """What the agent logged, oldest first."""
    rooms = rooms_of(request)
    rooms.agents.view(name)
    rows = await rooms.reader.events(kind="log", agent=full_name(rooms, name), after_seq=after, limit=limit)
    return page([log_body(row) for row in rows], rows[-1].seq if len(rows) == limit else None)


@router.get("/{name}/messages", response_model=Messages)
async def of_agent(request: Request, name: Name, after: After = 0, limit: Limit = 100) -> Response:
    """Messages that the agent sent or received, oldest first, with what became of them."""
    rooms = rooms_of(request)
    rooms.agents.view(name)
    rows = await rooms.reader.messages(agent=full_name(rooms, name), after_seq=after, limit=limit)
    bodies = await with_outcome(rooms.reader, rows)
    return page(bodies, rows[-1].seq if len(rows) == limit else None)
