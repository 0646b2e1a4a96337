"""What caxton.toml offers an agent at a start of the daemon, and what is not taken in, because it was refused before.

In: a module as it stands at `wasm`, and the agent's deployments. Out: the agent as it was accepted last: a build that
an operator dropped or took back, that came back by itself, or that waits at a gate, does not get in by a restart, nor
does a file that says only what it said before. A file that says something new is taken in: somebody put it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from caxton.agents import AgentConfig, KeptOut, Supervisor
from caxton.deploy.engine.engine import Engine
from caxton.deploy.engine.records import ALL
from caxton.deploy.engine.refusals import detail_of, refusal, refused_how
from caxton.deploy.request import DeploymentRequest
from caxton.journal import DeploymentRow, Reader
from caxton.sandbox.compile.compiler import Compiler
from caxton.sandbox.profiles import Profile

REPLACED: Final = "replaced"
"""Why a build is not taken in that nobody refused: the file says what it said before, and something else was deployed
since."""


class ConfiguredBuilds:
    """Brings what caxton.toml says to the agents, once, when the daemon starts."""

    def __init__(self, engine: Engine, agents: Supervisor, compiler: Compiler, reader: Reader) -> None:
        self._engine = engine
        self._agents = agents
        self._compiler = compiler
        self._reader = reader

    async def apply(self, request: DeploymentRequest, *, file: str) -> bool:
        """Bring that module with its settings to the agent, if the file says something new; whether it did. `file`:
        where the module stands, for people.

        What is not taken in is told to the viewers and stands in the agent's view. Raises CaxtonError where it
        should have been taken in and could not.
        """
        agent = self._agents.registry.agents.get(request.agent)
        if agent is None or agent.revision is None:
            await self._engine.deploy(request)
            return True
        config = msgspec.structs.replace(request.config(agent.config), desired=agent.config.desired)
        compiled = await self._compiler.compile(request.wasm, Profile(request.profile), wat=request.wat)
        if compiled.sha256 == agent.revision.sha256 and config == agent.config:
            return False
        rows = await self._reader.deployments(agent_no=agent.number, limit=ALL)
        builds = {row.no: row.sha256 for row in await self._reader.revisions()}
        last = next(_offered(rows, builds), None)
        kept_out = _kept_out(rows, builds, last, agent.revision.sha256, compiled.sha256, config)
        if kept_out is None:
            await self._engine.deploy(request)
            return True
        news = kept_out.revision != agent.revision.sha256 and config != agent.config
        news = news and (last is None or last[1] != _told(config))
        if news:
            # what else the file says is for the build that stays
            running = await self._compiler.wasm(agent.revision.sha256)
            await self._engine.deploy(replace(request, wasm=running, wat=False, configured=False))
        agent.keep_out(kept_out)
        self._agents.events.tell(
            agent,
            "kept",
            offered=kept_out.revision,
            why=kept_out.why,
            reason=f"{kept_out.revision[:8]} {kept_out.reason}",
            hint=f"to take it in: caxton agent deploy {request.agent} {file}",
        )
        return news


def _kept_out(
    rows: Sequence[DeploymentRow],
    builds: dict[int, str],
    last: tuple[str, AgentConfig] | None,
    running: str,
    offered: str,
    config: AgentConfig,
) -> KeptOut | None:
    """Why a build with that configuration is not taken in; None where it is. `last`: what was offered last."""
    if offered == running:
        if last != (offered, _told(config)):
            return None
        return KeptOut(
            revision=offered, why=REPLACED, reason="was given other settings since", deployment=None
        )
    refused = refusal(rows, builds, offered)
    if refused is not None:
        return KeptOut(revision=offered, why=refused.why, reason=str(refused), deployment=refused.deployment)
    if last is None or last[0] != offered:
        return None
    return KeptOut(
        revision=offered,
        why=REPLACED,
        reason="was offered before, and another build was deployed since",
        deployment=None,
    )


def _offered(rows: Sequence[DeploymentRow], builds: dict[int, str]) -> Iterator[tuple[str, AgentConfig]]:
    """What caxton.toml said, the last first, but for what did not work and may work now."""
    for row in rows:
        detail = detail_of(row)
        if detail.offered is not None and (row.state != "failed" or refused_how(row, detail) is not None):
            yield builds.get(row.revision_no, ""), _told(detail.offered)


def _told(config: AgentConfig) -> AgentConfig:
    """What an agent is told, whatever its operator wants of it now."""
    return msgspec.structs.replace(config, desired=AgentConfig().desired)
