"""Agents that ask for it begin by themselves: they are told of their lives, once each, whatever breaks meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.example_modules import module
from caxton.testing import Agent, Crashed, System, runtime

HEARTBEAT, COUNTER, ECHO = module("heartbeat"), module("counter"), module("echo")
HEARTBEAT_2 = HEARTBEAT + b"\0\3\2v2"
TRAPS = b"""(module
  (memory (export "memory") 1)
  (data (i32.const 0)
    "CXA1\\01\\00\\01\\00\\10\\00\\00\\00\\00\\04\\00\\00\\00\\10\\00\\00\\00\\20\\00\\00\\00\\00\\00\\00\\00\\10\\00\\00")
  (func (export "caxton_abi") (result i32) i32.const 0)
  (func (export "caxton_alloc") (param i32) (result i32) i32.const 0)
  (func (export "handle_message") (param i32 i32) (result i32) unreachable))"""
"""Asks to be told of its life, and breaks down over every message."""


def agent(every_ms: int = 1000, module: bytes = HEARTBEAT) -> Agent:
    return Agent(module, settings={"every_ms": every_ms})


def told(system: System, name: str = "hb") -> list[Any]:
    return [one["content"] for one in system.messages(ontology="caxton-life", receiver=f"{name}@local")]


def whats(system: System, name: str = "hb") -> list[str]:
    return [one["what"] for one in told(system, name)]


def report(system: System) -> dict[str, Any]:
    content: dict[str, Any] = system.ask(to="hb")["content"]
    return content


def test_an_agent_begins_by_itself() -> None:
    with runtime({"hb": agent()}) as system:
        system.advance(5.5)
        assert report(system) == {"beats": 5, "told": ["born"]}
        assert told(system) == [{"what": "born", "settings": {"every_ms": 1000}}]
        (born,) = system.messages(ontology="caxton-life")
        assert born["sender"] == "ams@local"
        assert [entry.name for entry in system.runtime.df.entries()] == ["hb@local"]


def test_what_it_is_told_comes_before_what_others_say_to_it() -> None:
    with runtime({"hb": agent()}) as system:
        system.run(system.runtime.agents.stop("hb"))
        system.send(to="hb")
        start = system.runtime.agents.start("hb")

        async def both() -> None:
            await start
            system.runtime.bus.submit({"performative": "request", "receiver": "hb"})

        system.run(both())
        system.advance(0.5)
        *_, life, asked = [
            one
            for one in system.messages(receiver="hb@local")
            if one["sender"] not in ("df@local", "timer@local")
        ]
        assert (life["content"]["what"], asked["performative"]) == ("restarted", "request")
        assert (
            system.messages(sender="hb@local", performative="inform")[-1]["content"]["told"][-1]
            == "restarted"
        )


@pytest.mark.parametrize("how", ["resumed", "recovered", "swapped"])
def test_it_comes_before_what_waits_and_is_in_its_place_when_the_past_is_run_again(how: str) -> None:
    with runtime({"hb": agent()}, config={"journal": {"snapshot_every": 0}}) as system:
        agents = system.runtime.agents
        system.run(agents.suspend("hb"))
        for _ in range(30):
            system.submit(to="hb", sender="operator.tim")
        if how == "swapped":
            system.deploy("hb", agent(module=HEARTBEAT_2))
        if how == "recovered":
            system.until_quiet(0.3)
            system.restart()
            agents = system.runtime.agents
        system.run(agents.resume("hb"))
        system.until_quiet(0.3)
        answers = system.messages(sender="hb@local", receiver="operator.tim@local")
        assert [one["content"]["told"][-1] for one in answers] == [how] * 30
        before = report(system)
        system.advance(1.5)
        system.kill_cell()
        system.until_quiet(0.3)
        after = report(system)
        assert after["told"] == [*before["told"], "recovered"]
        assert after["beats"] > before["beats"]


def test_an_agent_that_does_not_ask_hears_nothing() -> None:
    with runtime({"hb": COUNTER}) as system:
        system.restart()
        system.run(system.runtime.agents.restart("hb"))
        assert system.ask(to="hb")["content"] == {"count": 1}
        assert not system.messages(ontology="caxton-life")


def test_each_event_of_a_life_is_told_apart() -> None:
    with runtime({"hb": agent()}) as system:
        agents = system.runtime.agents
        system.run(agents.restart("hb"))
        system.run(agents.suspend("hb"))
        system.run(agents.resume("hb"))
        system.until_quiet(0.5)
        system.kill_cell()
        system.until_quiet(0.5)
        system.deploy("hb", agent(module=HEARTBEAT_2))
        system.deploy("hb", agent())
        system.until_quiet(0.5)
        system.restart()
        events = ["born", "ending", "restarted", "resumed", "recovered", "swapped", "swapped", "recovered"]
        assert report(system)["told"] == events
        assert whats(system) == events
        there, back = (one for one in told(system) if one["what"] == "swapped")
        assert (there["from"], there["to"]) == (back["to"], back["from"])
        assert [one["reason"] for one in told(system) if one["what"] == "recovered"] == ["cell", "daemon"]


def test_an_agent_says_goodbye_before_it_is_stopped_or_removed() -> None:
    with runtime({"hb": agent(), "counter": COUNTER}) as system:
        system.run(system.runtime.agents.stop("hb"))
        assert not system.runtime.df.entries()
        system.run(system.runtime.agents.start("hb"))
        system.until_quiet(0.5)
        assert system.runtime.df.entries()
        system.run(system.runtime.agents.remove("hb"))
        assert not system.runtime.df.entries()
        system.until_quiet(0.5)
        endings = [one for one in told(system) if one["what"] == "ending"]
        assert [one["reason"] for one in endings] == ["stopped", "removed"]
        assert all("deadline" in one for one in endings)


def test_a_build_that_asks_for_the_first_time_is_told_that_it_took_over() -> None:
    with runtime({"hb": COUNTER}) as system:
        system.send(to="hb")
        system.deploy("hb", agent(), fresh_state=True)
        assert report(system)["told"] == ["swapped"]


def test_a_build_that_does_not_ask_is_told_the_past_without_the_lives_of_others() -> None:
    with runtime({"hb": agent(60_000)}, config={"deploy": {"probe": False}}) as system:
        asked = [
            system.ask({"ontology": "caxton-life"}, to="hb", ontology=ontology)
            for ontology in ("caxton-life", "x")
        ]
        assert [one["content"]["told"] for one in asked] == [["born"], ["born"]]
        heard = [one for one in system.messages(receiver="hb@local") if one["sender"] != "ams@local"]
        view = system.deploy("hb", Agent(ECHO))
        assert (view.memory, view.memory_reason) == ("rebuilt", f"{len(heard)} turns run again")


@pytest.mark.parametrize("strategy", ["blue-green", "canary", "shadow"])
def test_a_build_on_trial_is_told_once_when_it_stays(strategy: str) -> None:
    with runtime({"hb": agent()}) as system:

        async def deploy() -> None:
            engine = system.runtime.engine
            view = await system._deploy(
                "hb", agent(module=HEARTBEAT_2), {"strategy": strategy, "wait": False}
            )
            if strategy != "blue-green":
                await engine.promote(view.id)

        system.run(deploy())
        system.until_quiet(0.5)
        assert whats(system) == ["born", "swapped"]


def test_a_life_turn_that_traps_does_not_keep_the_agent_from_living() -> None:
    with runtime({"hb": Agent(TRAPS, wat=True)}, config={"deploy": {"probe": False}}) as system:
        system.until_quiet()
        assert system.runtime.agents.view("hb").state == "running"
        system.kill_cell()
        system.until_quiet()
        system.restart()
        system.until_quiet()
        assert system.runtime.agents.view("hb").state == "running"
        assert whats(system) == ["born", "recovered"]
        assert system.ask(to="hb")["content"]["error"] == "unreachable"


def test_what_it_says_there_is_said_once_whenever_the_power_goes() -> None:
    digests = set[int]()
    for steps in range(1, 40):
        with runtime({}, seed=steps) as system:
            system.crash_after(steps)
            try:
                system.deploy("hb", agent())
                system.advance(0.2)
            except Crashed:
                system.start()
            if "hb" not in system.runtime.agents.registry.agents:
                system.deploy("hb", agent())
            system.crash_after(None)
            system.advance(3.5)
            events = whats(system)
            assert events.count("born") == 1
            assert set(events) <= {"born", "recovered"}
            assert report(system) == {"beats": 3, "told": events}
            armed = [one for one in system.messages(receiver="timer@local") if one["sender"] == "hb@local"]
            digests.add(len(armed))
    assert digests == {4}
