"""Plays a scenario and rewrites what it expects.

In: a file and how it is played. Out: the new text, and how it goes with that. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from caxton.scenario.baseline import Baseline
from caxton.scenario.format import Expect, Task
from caxton.scenario.host import Host
from caxton.scenario.read import ScenarioFile, scenario_of
from caxton.scenario.result import Result
from caxton.scenario.stage import Ended, Stage
from caxton.scenario.suite import Settings, play
from caxton.scenario.toml_text import inline
from caxton.scenario.updating.revised import revised
from caxton.scenario.updating.toml_edit import changed
from caxton.schemas.messages import MessageBody, TaskDetail

ROUNDS: Final = 4
"""What a step expects may depend on how long the ones before it waited, so it is played again after each change."""


@dataclass(frozen=True, slots=True)
class Updated:
    """The new text, how many steps expect something else, how it goes, and the text of its baseline where that is
    another one now."""

    file: ScenarioFile
    text: str
    steps: int
    result: Result
    baseline: str | None = None


def update(file: ScenarioFile, settings: Settings) -> Updated:
    """Make it pass, as far as other expectations do; raises what reading a scenario does."""
    text, steps = file.text, set[int]()
    now, settings = file, replace(settings, measure=file.relative)
    for _ in range(ROUNDS):
        stages: list[_Revising] = []
        result = play(now, settings, stage=partial(_Revising, stages))
        changes = stages[0].changes if stages else {}
        if not changes:
            break
        for step, (action, keys) in changes.items():
            said = {key: None if value is None else inline(value) for key, value in keys.items()}
            text = changed(text, step, action, said)
        steps |= set(changes)
        now = scenario_of(file.path, text)
    else:
        result = play(now, settings)
    used = result.used
    if used is None or not result.passed:
        return Updated(file, text, len(steps), result)
    result = play(replace(now, baseline=used), settings)
    return Updated(file, text, len(steps), result, None if used == file.baseline else used.text())


class _Revising(Stage):
    """A stage on which an expectation that is not met is written down, and the run goes on."""

    def __init__(self, stages: list[_Revising], host: Host, folder: Path, baseline: Baseline) -> None:
        super().__init__(host, folder, baseline)
        stages.append(self)
        self.changes: dict[int, tuple[str, Mapping[str, Any]]] = {}
        """By step the action, and its keys with what they are to say."""

    def expect(self, expect: Expect) -> list[MessageBody]:
        """Never ends the run where other expectations would be met, or another baseline."""
        expect = expect.model_copy(update=dict.fromkeys(expect.relative))
        try:
            return super().expect(expect)
        except Ended:
            keys = revised(expect, self.host)
            if not keys:
                raise
            self.changes[self.step] = ("expect", keys)
            return []

    def task(self, task: Task) -> TaskDetail:
        """The same."""
        try:
            return super().task(task)
        except Ended as ended:
            if ended.task is None:
                raise
            self.changes[self.step] = ("task", {"ending": ended.task.ending})
            return ended.task
