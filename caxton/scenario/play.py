"""A scenario played step by step.

In: a file and a host. Out: a `Result`. A step that fails ends the scenario; what went wrong is shown in the
conversation where it went wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from caxton.errors import CaxtonError, Exit
from caxton.presentation.text import span
from caxton.scenario.baseline import Baseline
from caxton.scenario.expectation import Difference, chosen
from caxton.scenario.format import Step
from caxton.scenario.host import Host
from caxton.scenario.read import ScenarioFile
from caxton.scenario.result import EXITS, Result, Verdict
from caxton.scenario.stage import Ended, Stage

MakeStage = Callable[[Host, Path, Baseline], Stage]


class Player:
    """Plays one scenario once."""

    def __init__(self, file: ScenarioFile, host: Host, stage: MakeStage = Stage) -> None:
        self.stage = stage(host, file.path.parent, file.baseline)
        self._file = file
        self._host = host
        self._began_s = host.now_s()

    @property
    def step(self) -> int:
        """The step that it is at, or ended in, counted from 0."""
        return self.stage.step

    def play(self, tell: Callable[[int, Step], None]) -> Ended | None:
        """Every step in order; None where all is as expected."""
        try:
            for number, step in self._file.steps():
                self.stage.begin(number)
                tell(number, step)
                self.stage.do(step.action, f"step-{number + 1}")
                if self._host.now_s() - self._began_s > self._file.scenario.within:
                    most = span(self._file.scenario.within)
                    raise Ended(Verdict.TIMED_OUT, f"the run has taken more than the {most} that it may")
        except Ended as ended:
            return ended
        return self._unexpected()

    def _unexpected(self) -> Ended | None:
        """A violation that no step has asked for."""
        if any(
            step.expect is not None and step.expect.violations is not None for _, step in self._file.steps()
        ):
            return None
        broken = chosen("", self._host, self._host.messages())
        broken = [one for one in broken if one.verdict and one.verdict.legality == "violation"]
        if not broken:
            return None
        first = broken[0]
        assert first.verdict
        unlike = Difference(
            "violations",
            "0",
            f"{len(broken)}: {first.verdict.sentence}",
            first.seq,
            first.message.conversation_id,
        )
        return Ended(Verdict.VIOLATED, "no step expects violations of protocols", unlike)


def play_on(
    file: ScenarioFile,
    seed: int,
    open_host: Callable[[], AbstractContextManager[Host]],
    tell: Callable[[int, Step], None] = lambda number, step: None,
    stage: MakeStage = Stage,
) -> Result:
    """Play a scenario on a host that is opened for it; `stage` is what does its steps there."""
    began_s = time.monotonic()
    result = Result(
        path=file.path, name=file.name, seed=seed, verdict=Verdict.BROKEN, exit=Exit.UNEXPECTED, took_s=0.0
    )
    step: int | None = None
    try:
        with open_host() as host:
            player = Player(file, host, stage)
            start_s = host.now_s()
            try:
                ended = player.play(tell)
            except CaxtonError:
                step = player.step
                raise
            result = replace(
                result,
                virtual_s=host.now_s() - start_s,
                messages=len(host.messages()),
                digest=host.digest(),
                choices=host.choices(),
                decided=host.decided(),
            )
            if ended is None:
                result = replace(result, verdict=Verdict.PASSED, exit=Exit.OK)
            else:
                step = player.step if ended.verdict is not Verdict.VIOLATED else None
                result = replace(
                    result,
                    verdict=ended.verdict,
                    exit=EXITS[ended.verdict],
                    what=ended.what,
                    difference=ended.difference,
                    diagram=player.stage.diagram(ended.difference),
                )
    except CaxtonError as error:
        verdict = next((one for one, code in EXITS.items() if code is error.exit and code), Verdict.BROKEN)
        result = replace(result, verdict=verdict, exit=error.exit, what=error.message, hint=error.hint)
    line = None if step is None else file.line(step)
    return replace(result, step=step, line=line, took_s=time.monotonic() - began_s)
