"""Time, errors and agents of a system in one process."""

from __future__ import annotations

import asyncio

import pytest

from caxton.deploy import DeploymentView
from caxton.errors import InvalidModule, TimedOut
from caxton.example_modules import module
from caxton.limits import Limits
from caxton.sandbox.python.build import PythonRuntime
from caxton.sandbox.python.runtime import packed
from caxton.testing import Agent, runtime
from testing.orders import EXAMPLES

COUNTER = module("counter")
PYTHON = b"""
from caxton_agent import reply, state
import random, time
def handle(message):
    state["asked"] = state.get("asked", 0) + 1
    reply("inform", {"asked": state["asked"], "drawn": random.random(), "at": time.time()})
"""


def test_twenty_minutes_are_twenty_minutes() -> None:
    with runtime({"c": COUNTER}) as system:
        before = system.now_us
        system.advance(1_200)
        assert system.now_us - before == pytest.approx(1_200e6, abs=2)
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 1}


def test_waiting_has_an_end() -> None:
    with runtime({"c": COUNTER}) as system:
        before = system.now_us
        with pytest.raises(TimedOut, match="virtual"):
            system.run(asyncio.Event().wait(), limit_s=3)
        assert system.now_us - before == 3_000_000
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 1}


def test_a_turn_ends_by_its_fuel() -> None:
    spinner = Agent(module("rogue"), limits=Limits(fuel=1_000_000, wall_ms=1))
    with runtime({"r": spinner, "c": COUNTER}) as system:
        assert system.ask({"spin": True}, to="r")["content"]["error"] == "fuel"
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 1}


def test_what_nobody_waits_for_is_raised_all_the_same() -> None:
    def broken() -> None:
        raise ArithmeticError("a defect")

    with runtime({"c": COUNTER}) as system:
        system.runtime.clock.later(0.5, broken)
        with pytest.raises(ArithmeticError):
            system.advance(1)
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 1}


def test_a_module_that_is_none_does_not_start() -> None:
    with pytest.raises(InvalidModule), runtime({"c": b"no module"}):
        raise AssertionError("it started")


def test_a_build_is_changed_while_messages_come() -> None:
    with runtime({"c": COUNTER}) as system:
        for number in range(40):
            system.submit({"add": 1}, to="c", conversation_id=f"before-{number}")
        view: DeploymentView = system.deploy("c", COUNTER + b"\0\3\2v2", strategy="blue-green")
        assert view.state == "running"
        system.until_quiet()
        assert [one["content"]["count"] for one in system.messages(sender="c@local")] == list(range(1, 41))
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 41}


def test_a_configuration_is_given_as_a_table() -> None:
    with runtime({"c": COUNTER}, config={"platform": "shop", "journal": {"snapshot_every": 2}}) as system:
        for _ in range(5):
            system.ask({"add": 1}, to="c")
        system.until_quiet()
        assert system.messages(receiver="c@shop")
        assert len(system.rows()["snapshot"]) >= 2


def test_text_modules_and_settings_are_taken() -> None:
    echo = Agent((EXAMPLES / "echo" / "echo.wat").read_bytes(), wat=True)
    with runtime({"e": echo}) as system:
        assert system.ask("hello", to="e")["content"] == "hello"


@pytest.mark.system
def test_agents_in_python_have_their_time_and_chance_from_the_message(python_runtime: PythonRuntime) -> None:
    def asked() -> list[object]:
        with runtime({"p": packed(EXAMPLES / "p.py", PYTHON)}, seed=9) as system:
            return [system.ask(to="p")["content"] for _ in range(3)]

    first = asked()
    assert [one["asked"] for one in first] == [1, 2, 3]  # type: ignore[index]
    assert asked() == first
