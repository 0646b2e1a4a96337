"""What a run has used, kept in a file so that later runs can be held to it: fuel is exact, so nothing here is noise.

In: a host whose run is over. Out: for each agent the size of its module and of its memory, and by the act of the
message the fuel of its turns; as TOML that a person can read and compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from caxton import toml_file
from caxton.errors import AgentNotFound
from caxton.scenario.host import Host
from caxton.scenario.toml_text import inline, key

SUFFIX: Final = ".baseline"
"""Of the file beside a scenario."""
_HEAD: Final = """\
# What the agents have used, written by caxton. Keep it with the scenarios; do not edit it, have it written anew.
# module and memory are bytes; fuel, by the act of the message: the turns, the most that one used, and all together.
format = 1
"""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Fuel(_Table):
    """Of the turns on messages of one act."""

    turns: int = Field(ge=1)
    most: int = Field(ge=0)
    total: int = Field(ge=0)

    def __add__(self, other: Fuel) -> Fuel:
        return Fuel(
            turns=self.turns + other.turns,
            most=max(self.most, other.most),
            total=self.total + other.total,
        )


class AgentUse(_Table):
    """Of one agent; None for what nobody can see."""

    module: int | None = None
    memory: int | None = None
    fuel: dict[str, Fuel] = Field(default_factory=dict[str, Fuel])


class Baseline(_Table):
    """Of a run, or of several."""

    format: Literal[1] = 1
    agents: dict[str, AgentUse] = Field(default_factory=dict[str, AgentUse])

    def fuel(self, agent: str, act: str) -> int | None:
        """The most that a turn of that agent on such a message used; None where there was none."""
        there = self.agents.get(agent, AgentUse()).fuel.get(act)
        return None if there is None else there.most

    def memory(self, agent: str) -> int | None:
        """Of that agent, at the end."""
        return self.agents.get(agent, AgentUse()).memory

    def text(self) -> str:
        """As a file has it."""
        return "\n".join(
            [_HEAD, *(line for name, use in sorted(self.agents.items()) for line in _lines(name, use))]
        )


def _lines(name: str, use: AgentUse) -> Iterator[str]:
    yield f"[agents.{key(name)}]"
    for what in ("module", "memory"):
        size: int | None = getattr(use, what)
        if size is not None:
            yield f"{what} = {size}"
    for act, fuel in sorted(use.fuel.items()):
        yield f"fuel.{act} = {inline(fuel.model_dump())}"
    yield ""


NOTHING: Final = Baseline()


def measured(host: Host) -> Baseline:
    """What every agent that had a turn has used so far."""
    found: dict[str, dict[str, Fuel]] = {}
    for one in host.messages():
        act = one.message.performative
        for turn in one.turns or ():
            if turn.revision is None:
                continue  # the platform's own have no fuel
            of_agent = found.setdefault(turn.agent.removesuffix(f"@{host.platform}"), {})
            fuel = Fuel(turns=1, most=turn.fuel, total=turn.fuel)
            of_agent[act] = of_agent[act] + fuel if act in of_agent else fuel
    return Baseline(
        agents={
            agent: AgentUse(module=host.module_bytes(agent), memory=_memory(host, agent), fuel=fuel)
            for agent, fuel in found.items()
        }
    )


def _memory(host: Host, agent: str) -> int | None:
    try:
        return host.memory_bytes(agent)
    except AgentNotFound:
        return None


def together(parts: Iterable[Baseline]) -> Baseline:
    """Several runs as one: turns and their fuel are added up, of sizes the largest stays."""
    agents: dict[str, AgentUse] = {}
    for part in parts:
        for name, use in part.agents.items():
            before = agents.get(name, AgentUse())
            fuel = dict(before.fuel)
            for act, one in use.fuel.items():
                fuel[act] = fuel[act] + one if act in fuel else one
            agents[name] = AgentUse(
                module=_larger(before.module, use.module),
                memory=_larger(before.memory, use.memory),
                fuel=fuel,
            )
    return Baseline(agents=agents)


def _larger(one: int | None, other: int | None) -> int | None:
    return max((size for size in (one, other) if size is not None), default=None)


def read_baseline(path: Path) -> Baseline:
    """Raises ConfigurationError."""
    text, data = toml_file.read(path)
    try:
        return Baseline.model_validate(data)
    except ValidationError as error:
        raise toml_file.explain(path, text, error, Baseline) from error


def beside(scenario: Path) -> Path:
    """The file that belongs to a scenario."""
    return scenario.with_suffix(SUFFIX)
