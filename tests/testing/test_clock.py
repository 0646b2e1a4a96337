"""Timers and deadlines go by the time that passes, however the wall clock is set meanwhile."""

from __future__ import annotations

import pytest
from agents.systems import guest

from caxton.clock import SteadyTime, VirtualClock
from caxton.testing import Agent, System, runtime

DAY_S = 86_400.0
JUMPS = [3_600.0, -3_600.0, DAY_S, -DAY_S, 60 * DAY_S, -60 * DAY_S]
SILENT = Agent(guest(handle="(return (i32.const 0))"), wat=True)


def over(system: System, what: str) -> bool:
    """Whether the timer has rung, or the deadline had its effect."""
    if what == "timer":
        return bool(system.messages(sender="timer@local"))
    talk = system.runtime.bus.referee_service.known["c"]
    return talk.branches["silent@local"].state != "requested"


def lasts(system: System, what: str, limit_s: float = 10.0) -> float:
    """Seconds until it is over."""
    began = system.runtime.clock.monotonic()
    while not over(system, what):
        system.advance(0.1)
        assert system.runtime.clock.monotonic() - began < limit_s, "it does not end"
    return system.runtime.clock.monotonic() - began


def begin(system: System, what: str) -> None:
    """Ask for something that is over in 3 s."""
    if what == "timer":
        system.send({"after_ms": 3_000, "tag": "t"}, to="timer")
    else:
        system.send(
            1, to="silent", protocol="fipa-request", conversation_id="c", reply_with="r", reply_by="3s"
        )
    system.advance(1)
    assert not over(system, what)


@pytest.mark.parametrize("what", ["timer", "deadline"])
@pytest.mark.parametrize("jump_s", JUMPS)
def test_a_clock_that_is_set_while_the_daemon_runs_moves_nothing(what: str, jump_s: float) -> None:
    with runtime({"silent": SILENT}) as system:
        begin(system, what)
        system.set_clock_by(jump_s)
        assert lasts(system, what) == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("what", ["timer", "deadline"])
@pytest.mark.parametrize("jump_s", JUMPS)
def test_after_a_restart_nothing_lasts_longer_than_it_was_to(what: str, jump_s: float) -> None:
    with runtime({"silent": SILENT}) as system:
        begin(system, what)
        system.stop()
        system.set_clock_by(jump_s)
        system.start()
        assert lasts(system, what) < 3.2


class Asleep(VirtualClock):
    """A machine that can sleep: its wall clock and its uptime go on, what it counts while awake does not."""

    asleep_s = 0.0

    def suspend(self, seconds: float) -> None:
        self.advance(seconds)
        self.asleep_s += seconds

    def monotonic(self) -> float:
        return super().monotonic() - self.asleep_s


def test_steady_time_follows_sleep_and_corrections_and_no_setting() -> None:
    clock = Asleep()
    time, began_us = SteadyTime(clock), clock.now_us()
    clock.suspend(8 * 3_600)
    assert time.now_us() == began_us + 8 * 3_600_000_000
    clock.set_by(86_400)
    clock.suspend(60)
    assert time.now_us() == began_us + 8 * 3_600_000_000 + 60_000_000
    assert time.of(clock.now_us()) == time.now_us()
    clock.set_by(0.4)
    assert time.now_us() == began_us + 8 * 3_600_000_000 + 60_400_000, "a correction is followed"
