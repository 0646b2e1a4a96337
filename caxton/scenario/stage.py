"""What a script does to a host: says things, waits, looks whether all is as expected, breaks what is to break.

In: actions, as steps of a file have them. Out: what came of each, or `Ended` with what is not as expected; it is drawn
in the conversation where it shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, assert_never, cast

from caxton.diagram import draw_text, read_timeline
from caxton.presentation.text import span
from caxton.sandbox.python.runtime import packed
from caxton.scenario.baseline import NOTHING, Baseline
from caxton.scenario.expectation import Difference, chosen, difference
from caxton.scenario.format import (
    Action,
    Advance,
    CrashCell,
    Delay,
    Drop,
    Expect,
    ExpectNothing,
    FailDisk,
    Fill,
    KillDaemon,
    Send,
    Swap,
    Task,
    Wait,
)
from caxton.scenario.host import Host, Sent, VirtualHost
from caxton.scenario.result import Verdict
from caxton.schemas.messages import MessageBody, TaskDetail
from caxton.simulation.agents import read_module

WIDTH: Final = 110


class Ended(Exception):
    """Raised inside where a step ends the scenario."""

    def __init__(
        self, verdict: Verdict, what: str, unlike: Difference | None = None, task: TaskDetail | None = None
    ) -> None:
        super().__init__(what)
        self.verdict = verdict
        self.what = what
        self.difference = unlike
        self.task = task
        """What came of the task that the step was."""


class Stage:
    """One host, from the beginning of a script to its end. Builds are named relative to `folder`; what is to be held to
    a baseline is held to `baseline`."""

    def __init__(self, host: Host, folder: Path, baseline: Baseline = NOTHING) -> None:
        self._host = host
        self._folder = folder
        self._baseline = baseline
        self.step = 0
        """The step that is at hand, counted from 0."""
        self._taken: set[int] = set()
        """Messages that were waited for already."""
        self._last = ""
        """The conversation of the last action that has one."""

    @property
    def host(self) -> Host:
        """What it is played on."""
        return self._host

    def begin(self, step: int) -> None:
        """What comes belongs to that step."""
        self.step = step

    def do(self, action: Action, conversation: str) -> None:
        """Do what a step says; a message that names no conversation begins the one of that name."""
        host = self._host
        match action:
            case Send(message):
                self.send(message, conversation)
            case Task():
                self.task(action)
            case Wait():
                self.wait(action)
            case Expect():
                self.expect(action)
            case ExpectNothing():
                self.expect_nothing(action)
            case Swap():
                host.swap(action, _module(self._folder, action.wasm))
            case _:
                # whoever opens a host has seen that it can do what the scenario says
                _disturb(cast("VirtualHost", host), action)

    def send(self, message: Mapping[str, Any], conversation: str) -> Sent:
        """Say a message, in that conversation where it names none."""
        sent = self._host.send({"conversation_id": conversation, **message})
        self._last = sent.conversation_id
        return sent

    def task(self, task: Task) -> TaskDetail:
        """Run a protocol; Ended where it ends otherwise than it must."""
        done = self._host.task(task)
        self._last = done.conversation_id
        if task.ending is not None and done.ending != task.ending:
            got = f"{done.ending}{f': {done.reason}' if done.reason else ''}"
            unlike = Difference("ending of the task", task.ending, got, None, done.conversation_id)
            raise Ended(Verdict.FAILED, f"task {task.protocol}", unlike, done)
        return done

    def wait(self, wait: Wait) -> MessageBody | None:
        """Let time pass; the message that came, None where it was to be quiet. Ended where it does not come."""
        if wait.quiet is not None:
            if not self._host.quiet(wait.quiet, wait.within):
                raise Ended(
                    Verdict.TIMED_OUT,
                    f"wait until it is quiet for {span(wait.quiet)}: it was not within {span(wait.within)}",
                )
            return None
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
        return came

    def expect(self, expect: Expect) -> list[MessageBody]:
        """The messages that are as expected, once they are; Ended where they do not come to be."""
        if self._host.until(lambda: difference(expect, self._host, self._baseline) is None, expect.within):
            return chosen(expect.filter, self._host, self._host.messages())
        unlike = difference(expect, self._host, self._baseline)
        raise Ended(Verdict.FAILED, f"expect {expect.filter}".strip(), unlike)

    def expect_nothing(self, nothing: ExpectNothing) -> None:
        """Let time pass; Ended where something comes."""
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


def _module(folder: Path, wasm: str | None) -> bytes | None:
    """The build that a step names, as it is deployed."""
    if wasm is None:
        return None
    path = folder / wasm
    module = read_module(path, "the build")
    return packed(path, module) if path.suffix == ".py" else module


def _disturb(
    host: VirtualHost, action: Advance | CrashCell | KillDaemon | Delay | Drop | Fill | FailDisk
) -> None:
    match action:
        case Advance(seconds):
            host.advance(seconds)
        case CrashCell(agent):
            host.crash_cell(agent)
        case KillDaemon():
            host.kill_daemon(action)
        case Delay():
            host.delay(action)
        case Drop():
            host.lose(action)
        case Fill():
            host.fill(action)
        case FailDisk():
            host.fail_disk(action)
        case _:
            assert_never(action)
