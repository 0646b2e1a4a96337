"""A project's configuration: `caxton.toml`, the environment, and the defaults, as one frozen value.

In: a folder. Out: a `Project` whose every value has been checked, with the place each value comes from.
Unknown keys are refused with file, line, key and what is allowed; nothing is guessed. Reading it starts
nothing and writes nothing.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel, ValidationError

from caxton import toml_file
from caxton.config.agent_names import alike, check_agent_name
from caxton.config.approval_table import ApprovalTable
from caxton.config.effect_tables import EffectTable, HttpTable, ModelTable, RemoteTable, ToolTable
from caxton.config.tables import AgentTable, BuildTable, Config
from caxton.daemon_socket import STATE_FOLDER
from caxton.errors import ConfigurationError
from caxton.limits import BOUNDS

FILE_NAME = "caxton.toml"
CONFIG_PATH = "CAXTON_CONFIG_PATH"
IMPLIED = f"{STATE_FOLDER}/implied.toml"
"""The configuration of a folder that has none of its own: `caxton dev` writes it for a single agent."""


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
    named: Path | None = None
    """The configuration file that the environment named, which stands elsewhere; its paths are relative to it."""

    @property
    def state(self) -> Path:
        """Where the journal, the socket and the log live; may not exist yet."""
        return self.folder / STATE_FOLDER

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.named or configuration_file(self.folder) or self.folder / FILE_NAME

    @property
    def base(self) -> Path:
        """What paths in the configuration are relative to."""
        return self.folder if self.named is None else self.named.parent

    def module(self, agent: str) -> Path:
        """The module of an agent of the configuration, as an absolute path."""
        return (self.base / self.config.agents[agent].wasm).resolve()

    def protocol_tables(self) -> list[Path]:
        """The files of the project's own protocols; a pattern that fits none stands for itself."""
        found: list[Path] = []
        for pattern in self.config.referee.tables:
            found += sorted(self.base.glob(pattern)) or [self.base / pattern]
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

    `environ` (the process's own by default) may override values as CAXTON_<KEY> or CAXTON_<SECTION>_<KEY>, and name
    the file itself (CAXTON_CONFIG_PATH); then the working folder is a project, whatever is in it.
    Raises ConfigurationError.
    """
    environ = os.environ if environ is None else environ
    named = Path(environ[CONFIG_PATH]).resolve() if environ.get(CONFIG_PATH) else None
    if named is None:
        found = find_folder(Path.cwd()) if folder is None else folder.resolve()
        path = configuration_file(found) if found else None
    else:
        found = Path.cwd() if folder is None else folder.resolve()
        path = named
    if found is None or path is None:
        where = f"in {found}" if found else "here or in a folder above"
        raise ConfigurationError(
            f"there is no {FILE_NAME} {where}",
            hint=f"go to your project or name it with --project; an empty {FILE_NAME} makes a new one",
        )
    text, data = toml_file.read(path)
    sources = {key: FILE_NAME for key, _ in _leaves(data)}
    for name, raw in environ.items():
        for place in _environment_key(name):
            _put(data, place, _environment_value(raw))
            sources[".".join(place)] = name
    try:
        config = Config.model_validate(data)
        for names in (
            config.agents,
            config.approvals,
            config.effects,
            config.http,
            config.models,
            config.tools,
            config.a2a,
        ):
            known: dict[str, str] = {}
            for name in names:
                check_agent_name(name)
                if (other := known.setdefault(name.casefold(), name)) != name:
                    raise alike(name, other)
    except ValidationError as error:
        raise toml_file.explain(path, text, error, Config, lambda key: _elsewhere(sources, key)) from error
    if not config.name:
        config = config.model_copy(update={"name": found.name or "caxton"})
    return Project(found, config, sources, named)


def keys(model: type[BaseModel] = Config, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every key that may be written, dotted, with its sentence; the documentation is held against this."""
    for name, info in model.model_fields.items():
        inner = info.annotation
        if name == "agents" and model is Config:
            yield from keys(AgentTable, "agents.NAME.")
        elif name in _NAMED and model is Config:
            yield from keys(_NAMED[name], f"{name}.NAME.")
        elif name == "build" and model is AgentTable:
            yield from keys(BuildTable, f"{prefix}build.")
        elif isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", info.description or ""


_NAMED: dict[str, type[BaseModel]] = {
    "approvals": ApprovalTable,
    "effects": EffectTable,
    "http": HttpTable,
    "models": ModelTable,
    "tools": ToolTable,
    "a2a": RemoteTable,
}
"""Tables that have a name each."""


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
    if section not in _SECTIONS:
        return []
    allowed = _SECTIONS[section]
    if key not in allowed:
        choices = ", ".join(f"CAXTON_{section}_{key}".upper() for key in allowed)
        raise ConfigurationError(f"the environment's {name} is no setting", hint=f"allowed: {choices}")
    return [(section, key)]


_SECTIONS: dict[str, list[str]] = {"limits": list(BOUNDS)} | {
    name: list(info.annotation.model_fields)
    for name, info in Config.model_fields.items()
    if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
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
