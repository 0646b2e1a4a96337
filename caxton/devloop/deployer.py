"""Deploys a module to its agent through the daemon's API, and says how that ended as an event.

In: the desired state of an agent. Out: `Deployed`, `Unchanged`, `Running`, `AwaitingDecision`, `Kept` or
`DeployFailed`. The agent's present state is asked of the daemon each time, because others may deploy too.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from caxton.client import AsyncClient
from caxton.config import Project
from caxton.devloop.events import (
    AwaitingDecision,
    Deployed,
    DeployFailed,
    Dropped,
    Event,
    Kept,
    Running,
    Unchanged,
)
from caxton.errors import AgentNotFound, CaxtonError, TimedOut, Unreachable
from caxton.sandbox.compile.module_cache import ModuleCache
from caxton.schemas.daemon import AgentBody
from caxton.schemas.deployments import ASK_LIVE, DeploymentBody

PROBATION_S: Final = 2.0
"""How long a blue-green build proves itself here: somebody waits for the line that says what became of the save."""
UNDECIDED: Final = "waited"
"""Why a build was refused that nobody has decided about."""


@dataclass(frozen=True, slots=True)
class GateOptions:
    """What stands before a build: `none`, `check` or `replay`; the newest conversations, and seconds, at the most."""

    mode: str = "none"
    last: int = 20
    timeout_s: float = 2.0

    def fields(self) -> dict[str, Any]:
        """As the body of a deployment has it."""
        return {"gate": self.mode, "gate_last": self.last, "gate_s": self.timeout_s}


@dataclass(frozen=True, slots=True)
class DesiredAgent:
    """What an agent shall be."""

    agent: str
    revision: str
    settings: dict[str, Any]
    limits: dict[str, int]
    profile: str
    start: bool
    recover: str
    file: str
    """Where its module stands, for people."""

    @classmethod
    def of(cls, project: Project, agent: str, module: bytes) -> DesiredAgent:
        """What the configuration says of that agent, with this module."""
        table = project.config.agents[agent]
        return cls(
            agent,
            hashlib.sha256(module).hexdigest(),
            table.settings,
            msgspec.structs.asdict(project.config.limits_of(agent)),
            table.profile,
            table.start,
            table.recover,
            table.wasm,
        )

    def is_met_by(self, body: AgentBody) -> bool:
        """Whether the agent is that already; one that failed is not."""
        return self.revision == body.revision and self.is_told_to(body) and body.state != "failed"

    def is_told_to(self, body: AgentBody | None) -> bool:
        """Whether the agent was told what this says beside the build."""
        if body is None:
            return False
        is_now = (body.settings, body.limits, body.profile)
        return is_now == (self.settings, self.limits, self.profile)


async def deploy(
    caxton: AsyncClient,
    desired: DesiredAgent,
    module: bytes,
    *,
    strategy: str,
    fresh_state: bool,
    build_ms: float | None,
    at_start: bool,
    saved: bool,
    modules: Path,
    gate: GateOptions,
) -> Event:
    """Bring it there if need be. Raises Unreachable or TimedOut where no daemon answers.

    A build that somebody decided against is brought when it was `saved`, and not because the loop starts or other
    settings were: those are for the build that runs, whose bytes are in the folder `modules`.
    """
    before = await _agent(caxton, desired.agent)
    previous: str | None = before.revision if before else None
    if before is not None and desired.is_met_by(before):
        if at_start:
            return Running(agent=desired.agent, revision=desired.revision, build_ms=build_ms)
        return Unchanged(agent=desired.agent, revision=desired.revision, build_ms=build_ms)
    refused: Kept | None = None
    if not saved and before is not None and previous is not None:
        refused = await _refused(caxton, desired, previous)
    try:
        if refused is not None and previous is not None:
            if desired.is_told_to(before):
                return refused
            module, strategy, gate = (
                await asyncio.to_thread(ModuleCache(modules).bytes_of, previous),
                "direct",
                GateOptions(),
            )
        done = await caxton.deploy(
            desired.agent,
            module,
            settings=desired.settings,
            limits=desired.limits,
            profile=desired.profile,
            recover=desired.recover,
            strategy=strategy,
            fresh_state=fresh_state,
            probation_s=None if strategy == "direct" else PROBATION_S,
            how={**gate.fields(), "configured": refused is None},
        )
        if refused is not None and at_start:
            return refused
        if not desired.start and (before is None or before.state not in ("running", "suspended")):
            await caxton.change_agent(desired.agent, "stop")
    except (Unreachable, TimedOut):
        raise
    except CaxtonError as error:
        return DeployFailed(
            agent=desired.agent,
            revision=desired.revision,
            code=error.code,
            reason=error.message,
            hint=error.hint,
            keeps=previous,
        )
    if at_start and before is not None and before.state == "unbuilt" and done.state == "running":
        return Running(agent=desired.agent, revision=done.revision or desired.revision, build_ms=build_ms)
    if done.waits and done.gate is not None:
        return AwaitingDecision(
            agent=desired.agent,
            revision=desired.revision,
            keeps=previous,
            build_ms=build_ms,
            deployment=done.id,
            reason=done.gate.reason or "",
            gate=done.gate,
        )
    return outcome_event(done, desired.agent, desired.revision, previous, build_ms, settings_of=before)


async def _refused(caxton: AsyncClient, desired: DesiredAgent, keeps: str) -> Kept | None:
    """That somebody decided against this build before; what nobody has decided yet comes to the gate again."""
    for one in await caxton.refusals(desired.agent):
        if one.revision == desired.revision and one.why != UNDECIDED:
            return Kept(
                agent=desired.agent,
                revision=desired.revision,
                keeps=keeps,
                why=one.why,
                reason=one.reason,
                deployment=one.deployment,
                hint=f"save it to try it again, or: caxton agent deploy {desired.agent} {desired.file}",
            )
    return None


async def decide(caxton: AsyncClient, held: AwaitingDecision, step: str) -> Event:
    """Let a build that waits go in (`promote`), drop it (`abort`), or ask for real what it asks anew (`ask-live`).

    Raises CaxtonError where it waits no more."""
    steps = {"promote": caxton.promote, ASK_LIVE: caxton.ask_live, "abort": caxton.abort}
    done = await steps[step](held.deployment)
    if done.waits and done.gate is not None:
        return msgspec.structs.replace(held, reason=done.gate.reason or "", gate=done.gate)
    if step == "abort":
        return Dropped(agent=held.agent, revision=held.revision, keeps=held.keeps)
    return outcome_event(done, held.agent, held.revision, held.keeps, held.build_ms, settings_of=None)


def outcome_event(
    done: DeploymentBody,
    agent: str,
    revision: str,
    previous: str | None,
    build_ms: float | None,
    *,
    settings_of: AgentBody | None,
) -> Event:
    """How a deployment that is over ended."""
    if done.state != "running":
        reason = done.reason or f"the deployment is {done.state}"
        return DeployFailed(
            agent=agent,
            revision=revision,
            code=f"deployment_{done.state}",
            reason=reason,
            hint=f"see: caxton deploy status {done.id}",
            keeps=previous,
        )
    if done.unchanged:
        return Unchanged(agent=agent, revision=revision, build_ms=build_ms)
    timings = done.timings
    return Deployed(
        agent=agent,
        previous=previous,
        revision=done.revision or revision,
        build_ms=build_ms,
        compile_ms=(timings.compile_ms if timings else None) or 0.0,
        cached=timings is not None and timings.cached,
        load_ms=(timings.load_ms if timings else None) or 0.0,
        pause_ms=((timings.pause_us if timings else None) or 0) / 1000,
        state=done.memory,
        state_reason=done.memory_reason,
        settings_changed=settings_of is not None and previous == done.revision,
        deployment=done.id,
        gate=done.gate,
    )


async def keeps(caxton: AsyncClient, agents: list[str]) -> dict[str, str | None]:
    """The revision that each of these agents runs; None for one that is not there or does not run."""
    found: dict[str, str | None] = {}
    for name in agents:
        body = await _agent(caxton, name)
        found[name] = body.revision if body and body.state in ("running", "suspended") else None
    return found


async def _agent(caxton: AsyncClient, name: str) -> AgentBody | None:
    try:
        return await caxton.agent(name)
    except AgentNotFound:
        return None
