"""The agents of a project or of one folder, built for a test.

In: a folder. Out: every agent as a module with what its table says, or NotReady with all that the builder said. What is
built goes to a corner for tests; the project's own modules stay as they are.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from caxton.config import FILE_NAME, STATE_FOLDER, AgentTable, Config, Project, load
from caxton.devloop.builders.build import build
from caxton.devloop.builders.source_builders import HINT, in_folder, source_of
from caxton.devloop.builders.targets import Target, targets
from caxton.devloop.events import BuildFailed
from caxton.devloop.scaffold.implied_project import agent_name
from caxton.errors import ConfigurationError
from caxton.simulation.agents import Agent, NotReady, agent_of, read_module


def built(folder: Path | str) -> dict[str, Agent]:
    """The agents of that folder, built anew, by name.

    `folder` holds a `caxton.toml`, or is the folder of one agent. Raises ConfigurationError where it is neither, and
    NotReady where an agent cannot be built.
    """
    project = under_test(Path(folder).resolve())
    modules = built_modules(project)
    return {name: agent_of(project, name, module) for name, module in modules.items()}


def under_test(folder: Path) -> Project:
    """The project with its sources where they are, and everything that is built in a corner for tests."""
    if (folder / FILE_NAME).is_file():
        project = load(folder)
        tables = {name: _source_as_it_is(project, name) for name in project.config.agents}
        config = project.config.model_copy(update={"agents": tables})
    else:
        source = in_folder(folder) if folder.is_dir() else None
        if source is None:
            raise ConfigurationError(
                f"there is neither a {FILE_NAME} nor an agent's source in {folder}", hint=HINT
            )
        name = agent_name(folder)
        config = Config(name=name, agents={name: AgentTable(wasm=f"{name}.wasm", source=str(source))})
    return Project(folder / STATE_FOLDER / "test", config)


def _source_as_it_is(project: Project, name: str) -> AgentTable:
    table, module = project.config.agents[name], project.module(name)
    given = (project.folder / table.source).resolve() if table.source else None
    if table.build is not None:
        return table.model_copy(update={"source": str(given or module.parent), "wasm": f"{name}.wasm"})
    source = source_of(given, module)
    if source is None or module.suffix == ".wat":
        return table.model_copy(update={"source": str(source) if source else None, "wasm": str(module)})
    return table.model_copy(update={"source": str(source), "wasm": f"{name}.wasm"})


def built_modules(project: Project) -> dict[str, bytes]:
    """The module of every agent, by its name."""
    project.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (project.folder / "lock").open("w") as lock:
        # tests that run side by side build one after the other
        fcntl.flock(lock, fcntl.LOCK_EX)
        modules: dict[str, bytes] = {}
        for target in targets(project):
            module = asyncio.run(_build(target, Path.cwd()))
            modules.update(dict.fromkeys(target.agents, module))
        return modules


async def _build(target: Target, shown_from: Path) -> bytes:
    names = ", ".join(target.agents)
    if target.recipe is None:
        return read_module(target.module, names)
    event, module = await build(target, shown_from)
    if isinstance(event, BuildFailed):
        said = event.output.strip()
        raise NotReady(
            f"{names} was not built: {event.error}{os.linesep + said if said else ''}", hint=event.hint
        )
    return module
