"""Where an agent's source is, for somebody who wants to open it.

In: a project and an agent's name. Out: a file, or the folder of a source that is several files.
"""

from __future__ import annotations

from pathlib import Path

from caxton.config import Project
from caxton.devloop.builders import source_builders
from caxton.errors import AgentNotFound, ConfigurationError


def source_place(project: Project, agent: str) -> Path:
    """The file of that agent's source, or the folder where it is a package or is made by a command.

    Raises AgentNotFound where the configuration has no such agent, ConfigurationError where it does not say what its
    module is made of.
    """
    table = project.config.agents.get(agent)
    if table is None:
        raise AgentNotFound(
            f"{agent} is not in {project.file}", hint="its source is not known; agents of the file have one"
        )
    module = project.module(agent)
    given = (project.folder / table.source).resolve() if table.source else None
    if table.build is not None:
        return given or module.parent
    found = source_builders.source_of(given, module)
    if found is None:
        raise ConfigurationError(
            f"the source of {agent} is not known",
            hint=f'name it in {project.file.name}: [agents.{agent}] source = "…", or put it beside {module.name}',
        )
    return found
