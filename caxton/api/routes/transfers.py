"""`/api/v1/agents/{name}/export` and its like: agents that leave this project, and agents that come to it."""

from __future__ import annotations

import base64
import binascii

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.responses import answer
from caxton.api.routes.agents import Name, agent_body
from caxton.api.routes.deployments import deployment_body
from caxton.api.routing import noun_router
from caxton.api.services import durable, services_of
from caxton.errors import BundleError
from caxton.schemas.daemon import AgentBody, ExportBody
from caxton.schemas.deployments import ImportBody

router = noun_router("/agents", "transfers")


class ExportRequest(BaseModel):
    """How an agent is to be exported."""

    model_config = ConfigDict(extra="forbid")

    keep: bool = Field(default=False, description="It goes on here; else it is suspended, until it leaves.")
    force: bool = Field(default=False, description="Leave behind what cannot come along.")


class LeaveRequest(BaseModel):
    """Which bundle is kept somewhere."""

    model_config = ConfigDict(extra="forbid")

    moment: int = Field(ge=0, lt=1 << 62, description="As its export said it.")


class ImportRequest(BaseModel):
    """A bundle."""

    model_config = ConfigDict(extra="forbid")

    bundle: str = Field(
        description="Its bytes, in base64.",
        json_schema_extra={"contentEncoding": "base64", "format": "byte"},
    )
    force: bool = Field(default=False, description="Do without what would be lost.")


@router.post("/{name}/export", response_model=described(ExportBody))
async def export(request: Request, name: Name, body: ExportRequest) -> Response:
    """A bundle of an agent that runs, as it is after its present turn. Without `keep` it is suspended then; it leaves
    with `/leave`, or goes on with `/resume`."""
    services = services_of(request)
    async with durable(services):
        made = await services.transfer.export(name, keep=body.keep, force=body.force)
    return answer(
        {
            "agent": made.manifest.name,
            "revision": made.manifest.revision,
            "moment": made.manifest.moment,
            "ran": made.ran,
            "memory_bytes": made.manifest.memory_bytes,
            "timers": len(made.manifest.timers),
            "subscriptions": len(made.manifest.subscriptions),
            "lost": made.manifest.lost,
            "bundle": base64.b64encode(made.data).decode(),
        }
    )


@router.post("/{name}/leave", response_model=described(AgentBody))
async def leave(request: Request, name: Name, body: LeaveRequest) -> Response:
    """The bundle is kept: stop the agent here, end its conversations, drop its timers and registrations."""
    services = services_of(request)
    async with durable(services):
        return answer(agent_body(services, await services.transfer.leave(name, body.moment)))


@router.post("/import", status_code=201, response_model=described(ImportBody))
async def take_in(request: Request, body: ImportRequest) -> Response:
    """Bring the agent of a bundle to work here, as it was. Refused where it would be less, with `lost` in the
    details, and then nothing of it is here."""
    services = services_of(request)
    try:
        data = base64.b64decode(body.bundle, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BundleError("bundle is not base64") from error
    async with durable(services):
        done = await services.transfer.take_in(data, force=body.force)
    return answer(
        {
            "agent": done.manifest.name,
            "deployment": deployment_body(done.deployment),
            "memory_bytes": done.manifest.memory_bytes,
            "lost": [*done.manifest.lost, *done.lost],
        },
        201,
    )
