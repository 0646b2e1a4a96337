"""`/api/v1/agents`: bring them up, look at them, start and stop them, read what they log."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from caxton.agents import AgentView
from caxton.api.bodies import read_body
from caxton.api.openapi import described
from caxton.api.parameters import SEQ_MAX, After, Before, Behind, Limit, cut
from caxton.api.principals import within_reach
from caxton.api.responses import answer, page, view_body
from caxton.api.revisions import IfMatch, etag, meant
from caxton.api.routes.deployments import ALL, deployment_body
from caxton.api.routing import noun_router
from caxton.api.rows import log_body, with_outcome
from caxton.api.services import Services, durable, full_name, services_of
from caxton.config import AGENT_NAME, check_agent_name, limits_from
from caxton.deploy import DeploymentOptions, DeploymentRequest, Probation, Refusal, ReplayGate, refusals
from caxton.deploy.options import compared, conditions, stages, with_changes
from caxton.errors import ConfigurationError, InvalidModule
from caxton.limits import Limits
from caxton.schemas.daemon import AgentBody, Agents
from caxton.schemas.deployments import DeploymentBody, PlanBody, Refusals
from caxton.schemas.messages import Logs, Messages
from caxton.schemas.shape import iso

router = noun_router("/agents", "agents")

Name = Annotated[str, Path(description="The agent's local name.", max_length=63)]


class DeployBody(BaseModel):
    """A module to bring to an agent; the agent is made where it does not exist."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        description="The agent's local name.", json_schema_extra={"pattern": AGENT_NAME, "maxLength": 63}
    )
    wasm_module: str = Field(
        description="The module in base64; text in the WAT format is taken too.",
        json_schema_extra={"contentEncoding": "base64", "format": "byte"},
    )
    settings: dict[str, Any] | None = Field(default=None, description="Given to caxton_init.")
    limits: dict[str, int | str] | None = Field(default=None, description="Limits that differ.")
    profile: Literal["standard", "strict"] = "standard"
    strategy: Literal["direct", "blue-green", "canary", "shadow"] = Field(
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
    drain: bool = Field(
        default=False, description="Conversations under way end on the old revision (blue-green)."
    )
    drain_s: float | None = Field(
        default=None, gt=0, le=86_400, description="Seconds that the old revision may take for that."
    )
    canary_stages: str | None = Field(
        default=None, max_length=1000, description='Stages, such as "5:5m,25:10m,50:10m" (canary).'
    )
    rollback_on: str | None = Field(
        default=None, max_length=1000, description='Conditions, such as "error_rate>1%,fuel>+20%" (canary).'
    )
    shadow_s: float | None = Field(
        default=None, gt=0, le=604_800, description="Seconds that the shadow runs (shadow)."
    )
    compare: str | None = Field(
        default=None, max_length=200, description="What is compared: output, errors, fuel, time (shadow)."
    )
    probe: bool | None = Field(
        default=None, description="Whether the new revision is asked something before any traffic."
    )
    gate: Literal["none", "check", "replay"] = Field(
        default="none", description="What its conversations must be answered by the build before it goes in."
    )
    gate_last: int = Field(
        default=20, ge=0, le=1000, description="So many of the newest, beside the pinned ones."
    )
    gate_s: float = Field(default=2.0, gt=0, le=3600, description="Seconds that the gate may take.")
    configured: bool = Field(
        default=False,
        description="It is what caxton.toml says: a start of the daemon does not bring it a second time.",
    )
    wait: bool = Field(default=False, description="Answer when it has ended, not when both revisions live.")

    def as_gate(self) -> ReplayGate | None:
        """What stands before the build, where something does."""
        if self.gate == "none":
            return None
        return ReplayGate(mode=self.gate, last=self.gate_last, timeout_s=self.gate_s)

    def options(self, usual: DeploymentOptions) -> DeploymentOptions:
        """How it is to go; ConfigurationError where the texts cannot be read."""
        probation = Probation(
            turns=self.probation_turns or usual.probation.turns,
            warm_up_s=self.probation_s or usual.probation.warm_up_s,
        )
        return with_changes(
            usual,
            probation=probation,
            drain=self.drain,
            drain_s=self.drain_s,
            stages=None if self.canary_stages is None else stages(self.canary_stages),
            rollback_on=None if self.rollback_on is None else conditions(self.rollback_on),
            shadow_s=self.shadow_s,
            compare=None if self.compare is None else compared(self.compare),
            probe=self.probe,
        )


@router.get("", response_model=described(Agents))
async def list_agents(
    request: Request,
    after: Annotated[str, Query(max_length=63, description="Only agents whose names come after it.")] = "",
    limit: Limit = 1000,
) -> Response:
    """Agents, in the order of their names."""
    services = services_of(request)
    views = services.agents.views(after, limit + 1)
    following = views[limit - 1].name if len(views) > limit else None
    return page([agent_body(services, view) for view in views[:limit]], following)


@router.post(
    "",
    status_code=201,
    response_model=described(DeploymentBody),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": DeployBody.model_json_schema()}},
        }
    },
)
async def deploy(request: Request, if_match: IfMatch = None) -> Response:
    """Compile a module and bring it to an agent; answers when the agent runs it, or says why it does not.

    With two revisions side by side (canary, shadow, drain) it answers as soon as both live, unless `wait` is said.
    """
    services = services_of(request)
    body = read_body(DeployBody, await request.body(), ConfigurationError)
    asked = replace(_deployment_request(request, services, body), instead_of=meant(if_match))
    async with durable(services):
        view = await services.engine.deploy(asked)
    return answer(deployment_body(view), 201)


@router.post(
    "/plan",
    response_model=described(PlanBody),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": DeployBody.model_json_schema()}},
        }
    },
)
async def plan(request: Request) -> Response:
    """What a deployment with the same body would change; the module is compiled, nothing else is done."""
    services = services_of(request)
    body = read_body(DeployBody, await request.body(), ConfigurationError)
    made = await services.engine.plan(_deployment_request(request, services, body))
    return answer(view_body(made))


@router.get("/{name}", response_model=described(AgentBody))
async def show(request: Request, name: Name) -> Response:
    """One agent as it is now."""
    services = services_of(request)
    view = services.agents.view(name)
    return answer(agent_body(services, view), headers=etag(view.revision))


@router.get("/{name}/refusals", response_model=described(Refusals))
async def refused(request: Request, name: Name, after: Behind = "", limit: Limit = 1000) -> Response:
    """Builds that the agent does not run because they were refused, the newest first: dropped or taken back by an
    operator, taken back by themselves, a shadow, or stopped by the gate and not decided."""
    services = services_of(request)
    number = services.agents.registry.find(name).number
    rows = await services.reader.deployments(agent_no=number, limit=ALL)
    builds = {row.no: row.sha256 for row in await services.reader.revisions()}
    found, following = cut(sorted(refusals(rows, builds), key=_newest_first), _newest_first, after, limit)
    return page([refusal_body(one) for one in found], following)


def _newest_first(refusal: Refusal) -> str:
    return f"{SEQ_MAX - refusal.at_us:019d} {refusal.deployment}"


def agent_body(services: Services, view: AgentView) -> dict[str, Any]:
    """An agent as plain data, with what platform agents keep for it."""
    name, topics = services.bus.full_name(view.name), services.topics
    kept = {"timers": services.timer.count(name), "topics": [] if topics is None else topics.of(name)}
    return {**view_body(view), **kept}


def refusal_body(refusal: Refusal) -> dict[str, Any]:
    """A refused build as plain data."""
    return {
        "revision": refusal.revision,
        "why": refusal.why,
        "reason": str(refusal),
        "deployment": refusal.deployment,
        "at": iso(refusal.at_us),
    }


@router.delete("/{name}", status_code=204, response_class=Response)
async def remove(request: Request, name: Name) -> Response:
    """Stop an agent and forget it; what it said stays in the journal."""
    services = services_of(request)
    async with durable(services):
        await services.agents.remove(name)
    return Response(status_code=204)


@router.post("/{name}/start", response_model=described(AgentBody))
async def start(request: Request, name: Name) -> Response:
    """Start an agent that is stopped or failed."""
    services = services_of(request)
    async with durable(services):
        return answer(agent_body(services, await services.agents.start(name)))


@router.post("/{name}/stop", response_model=described(AgentBody))
async def stop(request: Request, name: Name) -> Response:
    """Stop an agent after its present turn; what waits for it becomes dead letters."""
    services = services_of(request)
    async with durable(services):
        return answer(agent_body(services, await services.agents.stop(name, drain=False)))


@router.post("/{name}/drain", response_model=described(AgentBody))
async def drain(request: Request, name: Name) -> Response:
    """Take nothing new for an agent, let it handle what waits, then stop it."""
    services = services_of(request)
    async with durable(services):
        return answer(agent_body(services, await services.agents.stop(name, drain=True)))


@router.post("/{name}/suspend", response_model=described(AgentBody))
async def suspend(request: Request, name: Name) -> Response:
    """Let an agent take no turn; its mail waits. Answers when its present turns are over."""
    services = services_of(request)
    async with durable(services):
        return answer(agent_body(services, await services.agents.suspend(name)))


@router.post("/{name}/resume", response_model=described(AgentBody))
async def resume(request: Request, name: Name) -> Response:
    """Let a suspended agent go on, with what waited first."""
    services = services_of(request)
    async with durable(services):
        return answer(agent_body(services, await services.agents.resume(name)))


@router.post("/{name}/restart", response_model=described(AgentBody))
async def restart(request: Request, name: Name) -> Response:
    """Let an agent handle what waits, stop it, and start it again from the state that it had."""
    services = services_of(request)
    async with durable(services):
        return answer(agent_body(services, await services.agents.restart(name)))


@router.get("/{name}/logs", response_model=described(Logs))
async def logs(
    request: Request,
    name: Name,
    after: After = 0,
    before: Before = None,
    limit: Limit = 100,
    newest: Annotated[bool, Query(description="Newest first.")] = False,
) -> Response:
    """What the agent logged, oldest first unless `newest`."""
    services = services_of(request)
    services.agents.view(name)
    rows = await services.reader.events(
        kind="log",
        agent=full_name(services, name),
        after_seq=after,
        before_seq=before,
        limit=limit,
        newest_first=newest,
    )
    return page([log_body(row) for row in rows], rows[-1].seq if len(rows) == limit else None)


@router.get("/{name}/messages", response_model=described(Messages))
async def of_agent(request: Request, name: Name, after: After = 0, limit: Limit = 100) -> Response:
    """Messages that the agent sent or received, oldest first, with what became of them."""
    services = services_of(request)
    services.agents.view(name)
    rows = await services.reader.messages(agent=full_name(services, name), after_seq=after, limit=limit)
    bodies = await with_outcome(services.reader, rows)
    return page(bodies, rows[-1].seq if len(rows) == limit else None)


def _deployment_request(request: Request, services: Services, body: DeployBody) -> DeploymentRequest:
    """What the body asks for. Raises InvalidModule or ConfigurationError that names the field."""
    name = check_agent_name(body.name)
    within_reach(request, name)
    try:
        module = base64.b64decode(body.wasm_module, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidModule("wasm_module is not base64") from error
    known = services.agents.registry.agents.get(name)
    return DeploymentRequest(
        name,
        module,
        wat=not module.startswith(b"\0"),
        settings=body.settings,
        limits=_limits(services, name, body.limits),
        profile=body.profile,
        recover=body.recover or (known.config.recover if known else "replay"),
        strategy=body.strategy,
        fresh_state=body.fresh_state,
        options=body.options(services.engine.options),
        gate=body.as_gate(),
        configured=body.configured,
        wait=body.wait,
    )


def _limits(services: Services, name: str, given: dict[str, int | str] | None) -> Limits | None:
    """Limits of its own, where any are given."""
    if given is None:
        return None
    try:
        return limits_from(given, services.config.config.limits_of(name))
    except ValueError as error:
        raise ConfigurationError(
            f"limits: {error}",
            hint="sizes as 16777216 or 16MiB, times as 500ms or 1s, others as whole numbers",
        ) from error
