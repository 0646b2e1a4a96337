"""Whoever subscribes to the ams hears of other agents' lives: each change once, in order, over a restart too."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.example_modules import module
from caxton.testing import Crashed, System, runtime

COUNTER, HEARTBEAT = module("counter"), module("heartbeat")
COUNTER_2 = COUNTER + b"\0\3\2v2"
WATCHER = "operator.foreman"


def watch(system: System, content: object, **more: Any) -> dict[str, Any]:
    """Subscribe as a client, in the conversation `watch`; what is so now."""
    more = {"conversation_id": "watch", "protocol": "fipa-subscribe", "reply_with": "w-1", **more}
    system.send(content, to="ams", performative="subscribe", sender=WATCHER, **more)
    system.until_quiet(0.2)
    return heard(system)[-1]


def heard(system: System) -> list[dict[str, Any]]:
    return system.messages(receiver=f"{WATCHER}@local")


def changes(system: System) -> list[dict[str, Any]]:
    return [one["content"]["change"] for one in heard(system) if "change" in one["content"]]


def whats(system: System) -> list[tuple[str, str]]:
    return [(one["name"].partition("@")[0], one["what"]) for one in changes(system)]


@pytest.mark.parametrize(
    "content",
    [
        {"action": "search", "description": {"name": "w*"}},
        {"description": {"name": "w*@local"}},
        {"name": "w?"},
        "w*",
    ],
)
def test_a_watcher_hears_every_change_of_a_life(content: object) -> None:
    with runtime({"w1": COUNTER, "other": COUNTER}) as system:
        agents = system.runtime.agents
        first = watch(system, content)
        assert first["content"] == {
            "action": "search",
            "result": [{"name": "w1@local", "state": "active"}],
        }
        assert (first["performative"], first["in_reply_to"]) == ("inform", "w-1")
        system.run(agents.suspend("w1", "to be looked at"))
        system.run(agents.resume("w1"))
        system.deploy("w1", COUNTER_2)
        system.run(agents.stop("w1"))
        system.run(agents.stop("other"))
        system.until_quiet(0.2)
        system.restart()
        system.run(agents_of(system).start("w1"))
        system.deploy("w2", COUNTER)
        system.run(agents_of(system).remove("w1"))
        system.until_quiet(0.2)
        lives = ["suspended", "resumed", "swapped", "stopped", "started"]
        assert whats(system) == [*(("w1", what) for what in lives), ("w2", "started"), ("w1", "removed")]
        suspended, _, swapped, stopped, *_, removed = changes(system)
        assert (suspended["reason"], suspended["state"]) == ("to be looked at", "suspended")
        assert swapped["from"] != swapped["to"]
        assert stopped["state"] == "initiated"
        assert "state" not in removed
        assert heard(system)[-1]["content"]["result"] == []
        assert not system.messages(performative="not-understood")


def agents_of(system: System) -> Any:
    return system.runtime.agents


def test_agents_are_watched_by_what_they_offer() -> None:
    with runtime({"hb": HEARTBEAT, "w": COUNTER}) as system:
        system.until_quiet(0.2)
        wanted = {"action": "search", "description": {"services": [{"type": "heartbeat"}]}}
        assert [one["name"] for one in watch(system, wanted)["content"]["result"]] == ["hb@local"]
        system.run(agents_of(system).stop("w"))
        system.run(agents_of(system).remove("hb"))
        system.until_quiet(0.2)
        assert whats(system) == []


def test_a_removed_agent_is_told_of_before_its_entry_goes() -> None:
    with runtime({"w": COUNTER}) as system:
        entry = {"action": "register", "description": {"name": "w", "services": [{"type": "work"}]}}
        system.send(entry, to="df")
        system.send(
            {"action": "search"},
            to="df",
            performative="subscribe",
            sender=WATCHER,
            conversation_id="df-watch",
        )
        watch(system, {"services": [{"type": "work"}]})
        system.run(agents_of(system).stop("w"))
        system.until_quiet(0.2)
        (marked,) = system.ask({"action": "search"}, to="df")["content"]["result"]
        assert marked["state"] == "stopped"
        assert (
            system.ask({"action": "search", "description": {"state": "active"}}, to="df")["content"]["result"]
            == []
        )
        system.run(agents_of(system).remove("w"))
        system.until_quiet(0.2)
        assert whats(system) == [("w", "stopped"), ("w", "removed"), ("w", "removed")]
        assert system.ask({"action": "search"}, to="df")["content"]["result"] == []


def test_cancel_ends_it_and_sl0_is_understood() -> None:
    with runtime({"w": COUNTER}) as system:
        said = watch(
            system,
            "((iota ?x (result (action (agent-identifier :name ams@local)"
            " (search (ams-agent-description :name (agent-identifier :name w@local)))) ?x)))",
            language="fipa-sl0",
        )
        assert "ams-agent-description :name (agent-identifier :name w@local) :state active" in said["content"]
        more: dict[str, Any] = {"conversation_id": "watch", "protocol": "fipa-subscribe", "reply_with": "c-1"}
        system.send(None, to="ams", performative="cancel", sender=WATCHER, **more)
        system.run(agents_of(system).stop("w"))
        system.until_quiet(0.2)
        last = heard(system)[-1]
        assert (last["performative"], last["in_reply_to"]) == ("inform", "c-1")
        system.send(None, to="ams", performative="cancel", sender=WATCHER, **{**more, "reply_with": "c-2"})
        system.until_quiet(0.2)
        assert not system.runtime.ams.subscriptions()


def test_a_watcher_learns_of_an_end_after_everything_that_was_said() -> None:
    with runtime({"hb": HEARTBEAT, "w": COUNTER}) as system:
        watch(system, "w")
        for _ in range(20):
            system.submit({"add": 1}, to="w", sender=WATCHER)
        system.run(agents_of(system).stop("w"))
        system.until_quiet(0.2)
        *said, last = heard(system)[1:]
        assert [one["content"]["count"] for one in said] == list(range(1, 21))
        assert last["content"]["change"]["what"] == "stopped"


def test_a_change_is_told_if_it_has_happened_whenever_the_power_goes() -> None:
    outcomes = set[bool]()
    for steps in range(1, 25):
        with runtime({"w": COUNTER}, seed=steps) as system:
            watch(system, "w")
            system.crash_after(steps)
            try:
                system.run(agents_of(system).stop("w"))
                system.until_quiet(0.2)
            except Crashed:
                system.start()
            system.crash_after(None)
            system.until_quiet(0.2)
            stopped = agents_of(system).view("w").desired == "stopped"
            outcomes.add(stopped)
            assert whats(system) == [("w", "stopped")] * stopped, steps
    assert outcomes == {True, False}
