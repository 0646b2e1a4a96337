"""A configuration that was saved while the loop runs, against the one in force.

In: the project's folder. Out: the configuration in force with its targets, and an event when another took its place.
"""

from __future__ import annotations

from pathlib import Path

from caxton.config import FILE_NAME, IMPLIED, Config, Project, load
from caxton.devloop.builders.targets import Target, targets
from caxton.devloop.events import ConfigurationRead
from caxton.devloop.watch.fingerprints import Fingerprints


class ConfigReloader:
    """The configuration of one project and its targets, read again when it was saved.

    Raises ConfigurationError where it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # the second stands for the first where that is not there, and gives way to it when it comes
        self._files = [folder / FILE_NAME, folder / IMPLIED]
        self._seen = Fingerprints(self._files)
        self.project = load(folder)
        self.targets = targets(self.project)
        self._places = _places(self.project)

    def folders(self) -> set[Path]:
        """Every folder in which something may be saved that matters."""
        return {self._folder}.union(*(target.inputs.folders() for target in self.targets))

    def reload(self) -> ConfigurationRead | None:
        """Take in what it says now, and where its links point now; None where it was not saved.

        Raises ConfigurationError where it cannot be used, once; then the one before stays in force.
        """
        if not self._seen.differ(self._files):
            self._follow_links()
            return None
        self._seen = Fingerprints(self._files)
        project = load(self._folder)
        fresh = self._targets(project)
        old, new = self.project.config, project.config
        self.project, self.targets, self._places = project, fresh, _places(project)
        return ConfigurationRead(
            added=[name for name in new.agents if name not in old.agents],
            removed=[name for name in old.agents if name not in new.agents],
            changed=[name for name in new.agents if name in old.agents and _differs(old, new, name)],
            later=_later(old, new),
        )

    def _follow_links(self) -> None:
        """Build from elsewhere where a link points elsewhere now."""
        places = _places(self.project)
        if places != self._places:
            self._places = places
            self.targets = self._targets(self.project)

    def _targets(self, project: Project) -> list[Target]:
        known = {target.module: target for target in self.targets}
        return [_kept(known.get(target.module), target) for target in targets(project)]


def _places(project: Project) -> list[tuple[Path, Path | None]]:
    """Where the agents' modules and sources really are, whatever links lead there."""
    return [
        (project.module(name), (project.folder / table.source).resolve() if table.source else None)
        for name, table in project.config.agents.items()
    ]


def _kept(known: Target | None, fresh: Target) -> Target:
    """The target as it was where it is still made in the same way, so that it is not built again for nothing."""
    if known is None or known.recipe != fresh.recipe:
        return fresh
    known.is_for(fresh.agents)
    return known


def _differs(old: Config, new: Config, name: str) -> bool:
    return old.agents[name] != new.agents[name] or old.limits_of(name) != new.limits_of(name)


def _later(old: Config, new: Config) -> list[str]:
    """Keys that a running daemon does not take up."""
    keys = ("name", "platform", "cells", "journal", "log", "telemetry", "compile", "approvals")
    return [key for key in keys if getattr(old, key) != getattr(new, key)]
