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
from typing import Final, assert_never, cast

from caxton.diagram import draw_text, read_timeline
from caxton.errors import CaxtonError, Exit
from caxton.presentation.text import span
from caxton.sandbox.python.runtime import packed
from caxton.scenario.expectation import Difference, chosen, difference
from caxton.scenario.format import (
    Action,
    Advance,
    CrashCell,
    Delay,
    Expect,
    ExpectNothing,
    FailDisk,
    Fill,
    KillDaemon,
    Send,
    Step,
    Swap,
    Task,
    Wait,
)
from caxton.scenario.host import Host, VirtualHost
from caxton.scenario.read import ScenarioFile
from caxton.scenario.result import EXITS, Result, Verdict
from caxton.schemas.messages import MessageBody
from caxton.simulation.agents import read_module

WIDTH: Final = 110


class Ended(Exception):
    """Raised inside where a step ends the scenario."""

    def __init__(self, verdict: Verdict, what: str, unlike: Difference | None = None) -> None:
        super().__init__(what)
        self.verdict = verdict
        self.what = what
        self.difference = unlike


class Player:
    """Plays one scenario once."""

    def __init__(self, file: ScenarioFile, host: Host) -> None:
        self._file = file
        self._host = host
        self._began_s = host.now_s()
        self._taken: set[int] = set()
        """Messages that were waited for already."""
        self._last = ""
        """The conversation of the last step that has one."""
        self._step = 0

    @property
    def step(self) -> int:
        """The step that it is at, or ended in, counted from 0."""
        return self._step

    def play(self, tell: Callable[[int, Step], None]) -> Ended | None:
        """Every step in order; None where all is as expected."""
        try:
            for number, step in self._file.steps():
                self._step = number
                tell(number, step)
                self._do(step.action)
                if self._host.now_s() - self._began_s > self._file.scenario.within:
                    most = span(self._file.scenario.within)
                    raise Ended(Verdict.TIMED_OUT, f"the run has taken more than the {most} that it may")
        except Ended as ended:
            return ended
        return self._unexpected()

    def diagram(self, unlike: Difference | None) -> str:
        """The conversation where something is not as expected, with the place marked."""
        ids = [id for id in (unlike.conversation if unlike else None, self._last) if id]
        there = next((found for found in map(self._host.conversation, ids) if found is not None), None)
        if there is None:
            return ""
        timeline = read_timeline(there, self._host.platform)
        note = f"here: {unlike.what}: expected {unlike.expected}, got {unlike.got}" if unlike else "here"
        now_us = round(self._host.now_s() * 1e6)
        return draw_text(timeline, WIDTH, now_us=now_us, notes={(unlike and unlike.seq) or -1: note})

    # ------------------------------------------------------------------ steps

    def _do(self, action: Action) -> None:
        host = self._host
        match action:
            case Send(message):
                self._last = host.send(
                    {"conversation_id": f"step-{self._step + 1}", **message}
                ).conversation_id
            case Task():
                self._task(action)
            case Wait():
                self._wait(action)
            case Expect():
                self._expect(action)
            case ExpectNothing():
                self._expect_nothing(action)
            case Swap():
                host.swap(action, _module(self._file.path.parent, action.wasm))
            case _:
                # whoever opens a host has seen that it can do what the scenario says
                _disturb(cast("VirtualHost", host), action)

    def _task(self, task: Task) -> None:
        done = self._host.task(task)
        self._last = done.conversation_id
        if task.ending is not None and done.ending != task.ending:
            got = f"{done.ending}{f': {done.reason}' if done.reason else ''}"
            unlike = Difference("ending of the task", task.ending, got, None, done.conversation_id)
            raise Ended(Verdict.FAILED, f"task {task.protocol}", unlike)

    def _wait(self, wait: Wait) -> None:
        if wait.quiet is not None:
            if not self._host.quiet(wait.quiet, wait.within):
                raise Ended(
                    Verdict.TIMED_OUT,
                    f"wait until it is quiet for {span(wait.quiet)}: it was not within {span(wait.within)}",
                )
            return
        assert wait.filter is not None
        text = wait.filter

        def next_one() -> MessageBody | None:
            found = chosen(text, self._host, self._host.messages())
            return next((one for one in found if one.seq not in self._taken), None)

        if not self._host.until(lambda: next_one() is not None, wait.within):
            missing = Difference(f"messages {text}", f"one within {span(wait.within)}", "none")
            raise Ended(Verdict.TIMED_OUT, f"wait for {text}", missing)
        came = next_one()
        assert came is not None
        self._taken.add(came.seq)
        self._last = came.message.conversation_id

    def _expect(self, expect: Expect) -> None:
        if self._host.until(lambda: difference(expect, self._host) is None, expect.within):
            return
        raise Ended(Verdict.FAILED, f"expect {expect.filter}".strip(), difference(expect, self._host))

    def _expect_nothing(self, nothing: ExpectNothing) -> None:
        before = {one.seq for one in self._host.messages()}

        def came() -> list[MessageBody]:
            found = chosen(nothing.filter, self._host, self._host.messages())
            return [one for one in found if one.seq not in before]

        if self._host.until(lambda: bool(came()), nothing.within):
            one = came()[0]
            unlike = Difference(
                f"messages {nothing.filter}",
                f"none within {span(nothing.within)}",
                f"{one.message.performative} from {one.message.sender}",
                one.seq,
                one.message.conversation_id,
            )
            raise Ended(Verdict.FAILED, f"expect nothing of {nothing.filter}", unlike)

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
) -> Result:
    """Play a scenario on a host that is opened for it."""
    began_s = time.monotonic()
    result = Result(
        path=file.path, name=file.name, seed=seed, verdict=Verdict.BROKEN, exit=Exit.UNEXPECTED, took_s=0.0
    )
    step: int | None = None
    try:
        with open_host() as host:
            player = Player(file, host)
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
                    diagram=player.diagram(ended.difference),
                )
    except CaxtonError as error:
        verdict = next((one for one, code in EXITS.items() if code is error.exit and code), Verdict.BROKEN)
        result = replace(result, verdict=verdict, exit=error.exit, what=error.message, hint=error.hint)
    line = None if step is None else file.line(step)
    return replace(result, step=step, line=line, took_s=time.monotonic() - began_s)


def _module(folder: Path, wasm: str | None) -> bytes | None:
    """The build that a step names, as it is deployed."""
    if wasm is None:
        return None
    path = folder / wasm
    module = read_module(path, "the build")
    return packed(path, module) if path.suffix == ".py" else module


def _disturb(host: VirtualHost, action: Advance | CrashCell | KillDaemon | Delay | Fill | FailDisk) -> None:
    match action:
        case Advance(seconds):
            host.advance(seconds)
        case CrashCell(agent):
            host.crash_cell(agent)
        case KillDaemon():
            host.kill_daemon(action)
        case Delay():
            host.delay(action)
        case Fill():
            host.fill(action)
        case FailDisk():
            host.fail_disk(action)
        case _:
            assert_never(action)
