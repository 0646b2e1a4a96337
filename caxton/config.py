"""A project's configuration: `caxton.toml`, the environment, and the defaults, as one frozen value.

In: a folder. Out: a `Project` whose every value has been checked, with the place each value comes from.
Unknown keys are refused with file, line, key and what is allowed; nothing is guessed. Reading it starts
nothing and writes nothing.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from caxton.daemon_socket import STATE_FOLDER as STATE_FOLDER
from caxton.duration import seconds
from caxton.errors import ConfigurationError
from caxton.limits import BOUNDS, TREE_WAITING, Limits
from caxton.toml_complaints import explain

FILE_NAME = "caxton.toml"
IMPLIED = f"{STATE_FOLDER}/implied.toml"
"""The configuration of a folder that has none of its own: `caxton dev` writes it for a single agent."""
RESERVED_NAMES = frozenset({"ams", "df", "timer", "operator"})

_AGENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)")
_SIZE_UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def check_agent_name(name: str) -> str:
    """The name itself where an agent may have it; ConfigurationError where not."""
    if not _AGENT_NAME.fullmatch(name) or ".." in name:
        raise ConfigurationError(
            f"{name[:80]!r} cannot be the name of an agent",
            hint="use 1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
        )
    folded = name.casefold()
    if folded in RESERVED_NAMES or folded.startswith("operator."):
        raise ConfigurationError(
            f"the name {name!r} belongs to the platform",
            hint=f"these names are taken: {', '.join(sorted(RESERVED_NAMES))}, and operator.NAME for clients",
        )
    return name


def alike(name: str, other: str) -> ConfigurationError:
    """The refusal of a name that another agent has in other letters: files and topics could not tell them apart."""
    return ConfigurationError(
        f"{name!r} differs from the agent {other!r} by capital letters only", hint="choose another name"
    )


def byte_size(value: int | str) -> int:
    """Bytes from `1024` or `"16MiB"` (B, KiB, MiB, GiB); ValueError otherwise."""
    if isinstance(value, int):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError('a size is a number of bytes or text such as "256KiB" or "16MiB"')
    return int(match[1]) * _SIZE_UNITS[match[2]]


def _limit_table(value: object) -> object:
    """A [limits] table as whole numbers inside their bounds: sizes in bytes, `wall_ms` in milliseconds."""
    if not isinstance(value, Mapping):
        raise ValueError("limits are a table")
    table: dict[str, int] = {}
    for key, given in cast("Mapping[str, object]", value).items():
        bounds = BOUNDS.get(key)
        if bounds is None:
            close = difflib.get_close_matches(key, BOUNDS, n=1)
            meant = f", did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"there is no limit {key!r}{meant} (limits: {', '.join(BOUNDS)})")
        if isinstance(given, bool) or not isinstance(given, int | str):
            raise ValueError(f"{key} must be a whole number")
        if isinstance(given, int):
            number = given
        elif key.endswith("_bytes"):
            number = byte_size(given)
        elif key.endswith("wall_ms"):
            number = round(seconds(given) * 1000)
        else:
            raise ValueError(f"{key} must be a whole number")
        if not bounds[0] <= number <= bounds[1]:
            raise ValueError(f"{key} = {number} is outside {bounds[0]} to {bounds[1]}")
        table[key] = number
    return table


def limits_from(table: object, over: Limits | None = None) -> Limits:
    """`over` (or the defaults) with what a [limits] table says; ValueError names what is wrong."""
    changes = _limit_table(table)
    assert isinstance(changes, dict)
    return msgspec.structs.replace(over or Limits(), **changes)


LimitTable = Annotated[dict[str, int], BeforeValidator(_limit_table)]
Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=86_400)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


class JournalTable(_Table):
    """[journal]: how long rows are kept, and how often an agent's state is."""

    keep_days: int = Field(
        default=30,
        ge=0,
        description="Days a message is kept; 0 keeps them for ever. Pinned conversations stay.",
    )
    keep_mib: int = Field(
        default=4096,
        ge=0,
        description="Size in MiB above which the oldest go; 0: no bound. Pinned conversations stay.",
    )
    keys_days: int = Field(
        default=7, ge=0, description="Days an Idempotency-Key is known; 0: for ever. Messages may go before."
    )
    memory_mib: int = Field(
        default=256,
        ge=0,
        description="MiB kept beside keep_mib for one agent's memory; above, it is suspended. 0: no bound.",
    )
    snapshot_every: int = Field(
        default=100, ge=0, description="Turns between two snapshots; 0: at shutdown only."
    )
    replay_turns: int = Field(
        default=1_000_000,
        ge=0,
        description="Most turns run again to bring one agent's memory back; 0: no bound.",
    )


class LogTable(_Table):
    """[log]: what the daemon writes to its log and in which shape."""

    format: Literal["text", "json"] = Field(
        default="text", description="Readable lines, or one JSON object a line."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The lowest level that is kept."
    )


class TelemetryTable(_Table):
    """[telemetry]: where the daemon's log records and meters go beside its own log and /metrics."""

    exporter: Literal["none", "console"] = Field(
        default="none", description="console: OpenTelemetry's records as JSON lines in the daemon's log."
    )
    interval_s: Seconds = Field(default=60.0, description="Time between two exports of the meters.")


RefereeMode = Literal["enforce", "warn", "off"]


class RefereeTable(_Table):
    """[referee]: what is done about a message that breaks its protocol, and which protocols there are."""

    mode: RefereeMode = Field(
        default="enforce",
        description="enforce: violations are not delivered; warn: delivered and marked; off: not checked.",
    )
    protocols: dict[str, RefereeMode] = Field(
        default_factory=dict[str, RefereeMode], description="Another setting for single protocols, by name."
    )
    tables: list[str] = Field(
        default_factory=list[str],
        description="Protocols of the project's own: TOML files, or patterns, relative to its folder.",
    )


class DeployTable(_Table):
    """[deploy]: how deployments go of which nothing else was said."""

    probation_turns: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Good turns of a new revision until the old one ends (blue-green).",
    )
    probation_s: Seconds = Field(
        default=10.0, description="Time after which the old one ends anyway: the warm-up."
    )
    drain_s: Seconds = Field(
        default=60.0, description="How long the old revision may take to end its conversations (drain)."
    )
    quiet_s: Seconds = Field(
        default=5.0,
        description="How long those without a protocol must have been silent for it to end earlier (drain).",
    )
    canary_stages: str = Field(
        default="5:5m,25:10m,50:10m",
        description="Percentages of the new conversations and durations, by stage.",
    )
    rollback_on: str = Field(
        default="error_rate>1%", description="Conditions on which a canary is rolled back; empty for none."
    )
    canary_turns: int = Field(
        default=20, ge=1, le=1_000_000, description="Turns of a stage before it is judged."
    )
    shadow_s: Seconds = Field(default=300.0, description="How long a shadow runs.")
    compare: str = Field(default="output,errors,fuel,time", description="What a shadow is compared in.")
    probe: bool = Field(default=True, description="Whether a new revision is probed before any traffic.")


class BusTable(_Table):
    """`[bus]`: what messages there may be at a time."""

    held: int = Field(
        default=10_000,
        ge=1,
        le=100_000,
        description="Messages that break points hold at a time; at that number every break point is removed.",
    )
    tree_waiting: int = Field(
        default=TREE_WAITING,
        ge=1,
        le=1_000_000,
        description="Messages of one causal tree that wait at a time; beyond that number the tree is ended.",
    )


class CompileTable(_Table):
    """[compile]: what the child that compiles modules may use."""

    wall_s: Seconds = Field(
        default=10.0, description="Processor time of one compilation; ten times as long on the clock."
    )
    memory_mib: int = Field(
        default=2048, ge=128, le=65_536, description="Address space of the child (Linux only)."
    )
    max_module_mib: int = Field(default=16, ge=1, le=48, description="Largest module that is accepted.")


class BuildTable(_Table):
    """[agents.NAME.build]: the command by which `caxton dev` makes the module."""

    command: list[str] = Field(
        min_length=1, description="Program and arguments; no shell, run in the folder of the agent's source."
    )
    output: str | None = Field(
        default=None,
        min_length=1,
        description="The module that it writes, or the agent in Python (`.py`), relative to there; `wasm` otherwise.",
    )
    watch: list[str] = Field(
        default_factory=list[str],
        description="What it reads, as in a .gitignore, relative to there; everything otherwise.",
    )
    timeout: Seconds = Field(default=60.0, description="How long it may take.")


class PythonTable(_Table):
    """[python]: where agents in Python find modules of their own."""

    path: list[str] = Field(
        default_factory=list[str],
        description="Folders with modules that agents in Python may import, relative to the project's folder.",
    )
    requirements: list[str] = Field(
        default_factory=list[str],
        description="Packages in pure Python that they may import, as pip writes them.",
    )
    wheels: list[str] = Field(
        default_factory=list[str],
        description="Folders with wheels, relative to there; packages come from nowhere else then.",
    )


class AgentTable(_Table):
    """[agents.NAME]: an agent that the daemon brings up by itself."""

    wasm: str = Field(
        description="The module, .wasm or .wat, or a Python agent's source, .py, relative to the project's folder.",
        min_length=1,
    )
    source: str | None = Field(
        default=None,
        min_length=1,
        description="What `caxton dev` builds it from, a file or a folder; the source beside it otherwise.",
    )
    build: BuildTable | None = Field(
        default=None, description="The command that builds it, where it has one."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict[str, Any], description="Given to caxton_init as JSON."
    )
    limits: LimitTable = Field(
        default_factory=dict[str, int], description="Limits that differ from the project's."
    )
    profile: Literal["standard", "strict"] = Field(
        default="standard", description="Wasm features that are on."
    )
    start: bool = Field(default=True, description="Whether it starts with the daemon.")
    recover: Literal["replay", "snapshot", "fresh"] = Field(
        default="replay", description="How its memory comes back after a restart or a crash."
    )
    may: list[Literal["create", "destroy", "suspend", "resume"]] = Field(
        default_factory=list[Literal["create", "destroy", "suspend", "resume"]],
        description="Its rights: to have agents made by `ams`, and to change the lives of others than its own.",
    )
    on_failure: Literal["restart", "tell", "end-all"] = Field(
        default="restart",
        description="What is done when a child breaks down, where its `create` says nothing.",
    )
    children: int = Field(
        default=100, ge=0, le=100_000, description="Agents that it and its children may have made at a time."
    )
    children_mib: int = Field(
        default=0, ge=0, description="MiB that their limits of memory may sum up to; 0: no bound of its own."
    )
    children_per_s: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Agents that may be made for it and its children in a second.",
    )


class Config(_Table):
    """Everything that `caxton.toml` may say."""

    name: str = Field(
        default="", max_length=100, description="The project's name; its folder's name otherwise."
    )
    platform: str = Field(
        default="local",
        pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$",
        description="The part after @ in the agents' names.",
    )
    cells: int | None = Field(
        default=None, ge=1, le=256, description="Worker processes; one less than the processors otherwise."
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        le=(1 << 63) - 1,
        description="What all ids and the randomness of agents are drawn from; chance otherwise.",
    )
    nice: int = Field(
        default=5, ge=0, le=19, description="How far the daemon gives way to terminals; 0: not at all."
    )
    limits: LimitTable = Field(default_factory=dict[str, int], description="Limits of every agent.")
    journal: JournalTable = Field(default_factory=JournalTable)
    python: PythonTable = Field(default_factory=PythonTable)
    log: LogTable = Field(default_factory=LogTable)
    telemetry: TelemetryTable = Field(default_factory=TelemetryTable)
    bus: BusTable = Field(default_factory=BusTable)
    compile: CompileTable = Field(default_factory=CompileTable)
    deploy: DeployTable = Field(default_factory=DeployTable)
    referee: RefereeTable = Field(default_factory=RefereeTable)
    agents: dict[str, AgentTable] = Field(default_factory=dict[str, AgentTable])

    def cell_count(self) -> int:
        """How many cells to run: what was said, else one less than the processors, at least one."""
        return self.cells or max(1, (os.cpu_count() or 2) - 1)

    def default_limits(self) -> Limits:
        """The limits of an agent that has none of its own."""
        return limits_from(self.limits)

    def limits_of(self, agent: str) -> Limits:
        """The limits of that agent: its own over the project's over the defaults."""
        table = self.agents.get(agent)
        return limits_from(table.limits if table else {}, self.default_limits())


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective value: dotted key, the value as plain data, and where it comes from."""

    key: str
    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with its configuration. `sources` maps dotted keys to where they were said."""

    folder: Path
    config: Config
    sources: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def state(self) -> Path:
        """Where the journal, the socket and the log live; may not exist yet."""
        return self.folder / STATE_FOLDER

    @property
    def file(self) -> Path:
        """The configuration file."""
        return configuration_file(self.folder) or self.folder / FILE_NAME

    def module(self, agent: str) -> Path:
        """The module of an agent of the configuration, as an absolute path."""
        return (self.folder / self.config.agents[agent].wasm).resolve()

    def protocol_tables(self) -> list[Path]:
        """The files of the project's own protocols; a pattern that fits none stands for itself."""
        found: list[Path] = []
        for pattern in self.config.referee.tables:
            found += sorted(self.folder.glob(pattern)) or [self.folder / pattern]
        return found

    def effective(self) -> Iterator[Setting]:
        """Every value in force, defaults too, in the order of the documentation."""
        data = self.config.model_dump()
        data["limits"] = msgspec.structs.asdict(self.config.default_limits())
        data["cells"] = self.config.cell_count()
        for key, value in _leaves(data):
            yield Setting(key, value, self.sources.get(key, "default"))

    def problems(self) -> list[str]:
        """What a daemon would stumble over that the values alone do not show, one sentence each."""
        found: list[str] = []
        for name, agent in self.config.agents.items():
            path = self.module(name)
            if not path.is_file():
                built = f"; `caxton dev` builds it from {agent.source}" if agent.source is not None else ""
                found.append(f"[agents.{name}] wasm: there is no file {path}{built}")
            elif path.stat().st_size > self.config.compile.max_module_mib * 1024**2:
                found.append(f"[agents.{name}] wasm: {path} is larger than compile.max_module_mib")
        return found


def configuration_file(folder: Path) -> Path | None:
    """The `caxton.toml` of that folder, else the one that `caxton dev` implied for it, else None."""
    return next((file for file in (folder / FILE_NAME, folder / IMPLIED) if file.is_file()), None)


def find_folder(start: Path) -> Path | None:
    """The nearest folder at or above `start` that has a configuration, or None."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if configuration_file(folder)), None)


def load(folder: Path | None = None, environ: Mapping[str, str] | None = None) -> Project:
    """The project in `folder`, or the nearest one above the working folder where that is None.

    `environ` (the process's own by default) may override values as CAXTON_<KEY> or CAXTON_<SECTION>_<KEY>.
    Raises ConfigurationError.
    """
    found = find_folder(Path.cwd()) if folder is None else folder.resolve()
    path = configuration_file(found) if found else None
    if found is None or path is None:
        where = f"in {found}" if found else "here or in a folder above"
        raise ConfigurationError(
            f"there is no {FILE_NAME} {where}",
            hint=f"go to your project or name it with --project; an empty {FILE_NAME} makes a new one",
        )
    try:
        text = path.read_text("utf-8-sig")
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: {error}", hint="the file must be TOML 1.0") from error
    sources = {key: FILE_NAME for key, _ in _leaves(data)}
    for name, raw in (os.environ if environ is None else environ).items():
        for place in _environment_key(name):
            _put(data, place, _environment_value(raw))
            sources[".".join(place)] = name
    try:
        config = Config.model_validate(data)
        known: dict[str, str] = {}
        for name in config.agents:
            check_agent_name(name)
            if (other := known.setdefault(name.casefold(), name)) != name:
                raise alike(name, other)
    except ValidationError as error:
        raise explain(path, text, error, Config, lambda key: _elsewhere(sources, key)) from error
    if not config.name:
        config = config.model_copy(update={"name": found.name or "caxton"})
    return Project(found, config, sources)


def keys(model: type[BaseModel] = Config, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every key that may be written, dotted, with its sentence; the documentation is held against this."""
    for name, info in model.model_fields.items():
        inner = info.annotation
        if name == "agents" and model is Config:
            yield from keys(AgentTable, "agents.NAME.")
        elif name == "build" and model is AgentTable:
            yield from keys(BuildTable, f"{prefix}build.")
        elif isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", info.description or ""


def _leaves(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict) and value and not key.startswith("settings"):
            yield from _leaves(value, f"{prefix}{key}.")  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield f"{prefix}{key}", value


def _environment_key(name: str) -> list[tuple[str, ...]]:
    """Where an environment variable belongs, as zero or one path; a mistyped key of a section is refused."""
    if not name.startswith("CAXTON_"):
        return []
    rest = name.removeprefix("CAXTON_").lower()
    if rest in {"name", "platform", "cells", "nice", "seed"}:
        return [(rest,)]
    section, _, key = rest.partition("_")
    if section not in {"limits", "journal", "log", "compile"}:
        return []
    allowed = list(BOUNDS) if section == "limits" else list(_SECTIONS[section].model_fields)
    if key not in allowed:
        choices = ", ".join(f"CAXTON_{section}_{key}".upper() for key in allowed)
        raise ConfigurationError(f"the environment's {name} is no setting", hint=f"allowed: {choices}")
    return [(section, key)]


_SECTIONS: dict[str, type[BaseModel]] = {
    "journal": JournalTable,
    "log": LogTable,
    "compile": CompileTable,
}


def _environment_value(raw: str) -> object:
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return raw


def _put(data: dict[str, Any], place: tuple[str, ...], value: object) -> None:
    for name in place[:-1]:
        inner = data.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        data = inner  # pyright: ignore[reportUnknownVariableType]
    data[place[-1]] = value


def _elsewhere(sources: Mapping[str, str], key: str) -> str | None:
    """What said a key, where it was not the file."""
    said = sources.get(key, FILE_NAME)
    return None if said == FILE_NAME else said
