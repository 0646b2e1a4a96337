"""A countdown on a clock that goes by hand."""

from __future__ import annotations

from caxton.clock import VirtualClock
from caxton.deploy.handover.countdown import Countdown


def test_it_tells_once_when_its_time_is_up() -> None:
    clock, told = VirtualClock(), list[float]()
    countdown = Countdown(clock, lambda: told.append(clock.monotonic()), 60)
    began = clock.monotonic()
    assert countdown.left_s == 60, "not before it is started"
    countdown.start()
    clock.advance(59)
    assert (countdown.left_s, told) == (1, [])
    clock.advance(1)
    assert (countdown.left_s, told) == (0, [began + 60])
    clock.advance(600)
    assert len(told) == 1


def test_stopped_it_keeps_what_is_left() -> None:
    clock, told = VirtualClock(), list[None]()
    countdown = Countdown(clock, lambda: told.append(None), 60)
    countdown.start()
    clock.advance(20)
    countdown.stop()
    clock.advance(600)
    assert (countdown.left_s, told) == (40, [])
    countdown.start()
    clock.advance(40)
    assert told == [None]


def test_another_time_can_be_counted_from_its_end() -> None:
    clock = VirtualClock()
    told: list[None] = []

    def over() -> None:
        told.append(None)
        if len(told) == 1:
            countdown.start(5)

    countdown = Countdown(clock, over, 10)
    countdown.start()
    clock.advance(10)
    assert countdown.left_s == 5
    clock.advance(5)
    assert len(told) == 2
