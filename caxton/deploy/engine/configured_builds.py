"""What caxton.toml offers an agent at a start of the daemon, and what is not taken in, because it was refused before.

In: a module as it stands at `wasm`, and the agent's deployments. Out: the agent as it was accepted last: a build that
an operator dropped or took back, that came back by itself, or that waits at a gate, does not get in by a restart, nor
does a file that says only what it said before. A file that says something new is taken in: somebody put it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from caxton.agents import AgentConfig, KeptOut, Supervisor
from caxton.deploy.engine.engine import Engine
from caxton.deploy.record import ALL, Origin
from caxton.deploy.replay_gate import DROPPED
from caxton.deploy.states import ABORTED, DAEMON_STOPPED
from caxton.journal import DeploymentRow, Reader
from caxton.sandbox.compiler import Compiler
from caxton.sandbox.profiles import Profile

REPLACED: Final = "replaced"
"""Why a build is not taken in that nobody refused: the file says what it said before, and something else was deployed
since."""
_ACCEPTED: Final = ("running", "draining")


class Why(StrEnum):
    """How a build was refused."""

    WAITED = "waited"
    """A gate or a trial had not decided when something else came, or the daemon's end."""
    DROPPED = "dropped"
    """An operator dropped it at the gate."""
    ABORTED = "aborted"
    """An operator took it back while both revisions lived."""
    FALTERED = "faltered"
    """It was taken back by itself."""
    SHADOW = "shadow"
    """It ran as a shadow, and nobody promoted it."""
    ROLLED_BACK = "rolled_back"
    """An operator undid its deployment."""


_WORDS: Final = {
    Why.WAITED: "was not let in yet",
    Why.DROPPED: "was dropped at the gate",
    Why.ABORTED: "was taken back",
    Why.FALTERED: "was taken back by itself",
    Why.SHADOW: "ran as a shadow",
    Why.ROLLED_BACK: "was rolled back",
}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One build that the agent does not run because it was refused. `at_us`: microseconds since 1970."""

    revision: str
    why: Why
    reason: str
    """What the deployment ended with, in words."""
    deployment: str
    at_us: int

    def __str__(self) -> str:
        """What a person is told after the build's name."""
        return f"{_WORDS[self.why]} ({self.deployment}: {self.reason})"


class _GateVerdict(msgspec.Struct, frozen=True):
    stopped: bool = False


class _Detail(Origin, frozen=True, kw_only=True):
    """What a row says besides its columns."""

    gate: _GateVerdict | None = None


def refusals(rows: Sequence[DeploymentRow], builds: dict[int, str]) -> list[Refusal]:
    """Every build of an agent that was refused last, the newest first. `rows`: its deployments, the newest first;
    `builds`: the sha256 of revisions by number."""
    seen = dict.fromkeys(builds[row.revision_no] for row in rows if row.revision_no in builds)
    return [found for sha256 in seen if (found := refusal(rows, builds, sha256)) is not None]


def refusal(rows: Sequence[DeploymentRow], builds: dict[int, str], sha256: str) -> Refusal | None:
    """How that build was refused, where it was, and was not accepted since."""
    for row in rows:
        if builds.get(row.revision_no) == sha256:
            if row.state in _ACCEPTED:
                return None
            why = _why(row, _detail(row))
            if why is not None:
                return Refusal(
                    revision=sha256,
                    why=why,
                    reason=row.reason or row.state,
                    deployment=row.id,
                    at_us=row.updated_us,
                )
        elif row.previous_no is not None and builds.get(row.previous_no) == sha256:
            rollback_target = _detail(row).takes_back
            if rollback_target is not None and row.state in _ACCEPTED:
                return Refusal(
                    revision=sha256,
                    why=Why.ROLLED_BACK,
                    reason=f"by {row.id}",
                    deployment=rollback_target,
                    at_us=row.updated_us,
                )
    return None


def _why(row: DeploymentRow, detail: _Detail) -> Why | None:
    """How a deployment that did not end well refused its build; None where that says nothing about the build."""
    reason = row.reason or ""
    interrupted = reason.startswith(DAEMON_STOPPED)
    match row.state:
        case "rolled_back":
            if interrupted:
                return Why.WAITED
            if reason == ABORTED:
                return Why.ABORTED
            return Why.SHADOW if row.strategy == "shadow" else Why.FALTERED
        case "failed":
            if reason.startswith(DROPPED):
                return Why.DROPPED
            stopped = detail.gate is not None and detail.gate.stopped
            return Why.WAITED if stopped or (interrupted and detail.gated) else None
        case _:
            return Why.WAITED


def _detail(row: DeploymentRow) -> _Detail:
    return msgspec.json.decode(row.detail or "{}", type=_Detail)


class ConfiguredBuilds:
    """Brings what caxton.toml says to the agents, once, when the daemon starts."""

    def __init__(self, engine: Engine, agents: Supervisor, compiler: Compiler, reader: Reader) -> None:
        self._engine = engine
        self._agents = agents
        self._compiler = compiler
        self._reader = reader

    async def apply(
        self, name: str, wasm: bytes, config: AgentConfig, *, file: str, wat: bool = False
    ) -> bool:
        """Bring that module with that configuration to the agent, if the file says something new; whether it did.
        `file`: where the module stands, for people.

        What is not taken in is told to the viewers and stands in the agent's view. Raises CaxtonError where it
        should have been taken in and could not.
        """
        record = self._agents.registry.agents.get(name)
        if record is None or record.revision is None:
            await self._deploy(name, wasm, config, wat=wat)
            return True
        config = msgspec.structs.replace(config, desired=record.config.desired)
        compiled = await self._compiler.compile(wasm, Profile(config.profile), wat=wat)
        if compiled.sha256 == record.revision.sha256 and config == record.config:
            return False
        rows = await self._reader.deployments(agent_no=record.number, limit=ALL)
        builds = {row.no: row.sha256 for row in await self._reader.revisions()}
        last = next(_offered(rows, builds), None)
        kept_out = _kept_out(rows, builds, last, record.revision.sha256, compiled.sha256, config)
        if kept_out is None:
            await self._deploy(name, wasm, config, wat=wat)
            return True
        news = kept_out.revision != record.revision.sha256 and config != record.config
        news = news and (last is None or last[1] != _told(config))
        if news:
            # what else the file says is for the build that stays
            running = await self._compiler.wasm(record.revision.sha256)
            await self._deploy(name, running, config, configured=False)
        record.kept_out = kept_out
        self._agents.tell(
            record,
            "kept",
            offered=kept_out.revision,
            why=kept_out.why,
            reason=f"{kept_out.revision[:8]} {kept_out.reason}",
            hint=f"to take it in: caxton agent deploy {name} {file}",
        )
        return news

    async def _deploy(
        self, name: str, wasm: bytes, config: AgentConfig, *, wat: bool = False, configured: bool = True
    ) -> None:
        await self._engine.deploy(
            name,
            wasm,
            wat=wat,
            settings=config.settings,
            limits=config.limits,
            profile=config.profile,
            recover=config.recover,
            configured=configured,
        )


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
        detail = _detail(row)
        if detail.offered is not None and (row.state != "failed" or _why(row, detail) is not None):
            yield builds.get(row.revision_no, ""), _told(detail.offered)


def _told(config: AgentConfig) -> AgentConfig:
    """What an agent is told, whatever its operator wants of it now."""
    return msgspec.structs.replace(config, desired=AgentConfig().desired)
