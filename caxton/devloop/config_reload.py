"""A configuration that was saved while the loop runs, against the one in force.

In: both, and the targets that are known. Out: the new targets, what is to be said, and which agents are gone. Pure but
for the look at the file's fingerprints.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from caxton.config import FILE_NAME, IMPLIED, Config, Project, load
from caxton.devloop.builders.targets import Target, targets
from caxton.devloop.events import ConfigurationRead
from caxton.devloop.watch.fingerprints import Fingerprints


@dataclass(frozen=True, slots=True)
class ConfigReload:
    """What another configuration comes to."""

    project: Project
    targets: list[Target]
    removed: list[str]
    event: ConfigurationRead


class ConfigReloader:
    """The configuration of one project, read again when it was saved."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # the second stands for the first where that is not there, and gives way to it when it comes
        self._files = [folder / FILE_NAME, folder / IMPLIED]
        self._seen = Fingerprints(self._files)

    def reload(self, before: Project, known: list[Target]) -> ConfigReload | None:
        """What it says now; None where it was not saved. Raises ConfigurationError where it cannot be used, once."""
        if not self._seen.differ(self._files):
            return None
        self._seen = Fingerprints(self._files)
        project = load(self._folder)
        places = {target.module: target for target in known}
        old, new = before.config, project.config
        removed = [name for name in old.agents if name not in new.agents]
        event = ConfigurationRead(
            added=[name for name in new.agents if name not in old.agents],
            removed=removed,
            changed=[name for name in new.agents if name in old.agents and _differs(old, new, name)],
            later=_later(old, new),
        )
        fresh = [_kept(places.get(target.module), target) for target in targets(project)]
        return ConfigReload(project, fresh, removed, event)


def _kept(known: Target | None, fresh: Target) -> Target:
    """The target as it was where it is still made in the same way, so that it is not built again for nothing."""
    if known is None or known.recipe != fresh.recipe:
        return fresh
    known.agents = fresh.agents
    return known


def _differs(old: Config, new: Config, name: str) -> bool:
    return old.agents[name] != new.agents[name] or old.limits_of(name) != new.limits_of(name)


def _later(old: Config, new: Config) -> list[str]:
    """Keys that a running daemon does not take up."""
    keys = ("name", "platform", "cells", "journal", "log", "telemetry", "compile")
    return [key for key in keys if getattr(old, key) != getattr(new, key)]
