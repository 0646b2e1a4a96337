"""Agents as they are to be run: the modules of a project, with what its tables say beside.

In: a project whose modules are there. Out: every agent by name, or NotReady where a module cannot be read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caxton.config import Project
from caxton.errors import CaxtonError
from caxton.limits import Limits
from caxton.sandbox.compile.python_source import pack, unpack
from caxton.sandbox.python.runtime import packed


class NotReady(CaxtonError):
    """Raised when an agent could not be built, or its build not be taken in."""

    code = "agent_not_ready"

    def __str__(self) -> str:
        """With the hint: it is read among a test's results, where nothing else shows it."""
        return f"{self.message}{os.linesep}hint: {self.hint}" if self.hint else self.message


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as it is to be run: its module, and what a table of caxton.toml says beside."""

    module: bytes
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    limits: Limits = field(default_factory=Limits)
    profile: str = "standard"
    recover: str = "replay"
    start: bool = True
    wat: bool = False
    """Whether `module` is WebAssembly's text."""


def as_they_stand(project: Project) -> dict[str, Agent]:
    """The agents of a project with the modules that are there; NotReady where one is not."""
    agents: dict[str, Agent] = {}
    for name in project.config.agents:
        path = project.module(name)
        module = read_module(path, name)
        if path.suffix == ".py":
            module = packed(path, module)
        agents[name] = agent_of(project, name, module, wat=path.suffix == ".wat")
    return agents


def agent_of(project: Project, name: str, module: bytes, *, wat: bool = False) -> Agent:
    """A module with what the project says of that agent."""
    table = project.config.agents[name]
    return Agent(
        module,
        settings=table.settings,
        limits=project.config.limits_of(name),
        profile=table.profile,
        recover=table.recover,
        start=table.start,
        wat=wat,
    )


def read_module(module: Path, names: str) -> bytes:
    """The bytes of the module of these agents; NotReady where it cannot be read."""
    try:
        return module.read_bytes()
    except OSError as error:
        raise NotReady(f"{module} of {names} cannot be read: {error.strerror}", hint="build it") from error


def edition(module: bytes, number: int) -> bytes:
    """The same module under another hash: with a custom section, or a comment, that says which build it is."""
    note = f"build {number}"
    in_python = unpack(module)
    if in_python is not None:
        source = f"{in_python.source}\n# {note}\n".encode()
        return pack(source, in_python.file, in_python.runtime, in_python.files)
    return module + b"\0" + bytes([len(note) + 1, len(note)]) + note.encode()
