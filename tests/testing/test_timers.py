"""Timers of agents: called off, set anew, repeated, on the calendar, far away; over every end of the daemon."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from caxton.errors import InvalidMessage
from caxton.limits import Limits
from caxton.platform_agents import cron
from caxton.platform_agents.cron import next_us
from caxton.sandbox.python.runtime import packed
from caxton.simulation.schedule import Pace
from caxton.simulation.virtual_loop import START_US
from caxton.testing import Agent, Crashed, System, runtime
from testing.orders import EXAMPLES

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("python_runtime")]

WATCH = b"""
from caxton_agent import reply, send, state
def handle(message):
    content = message["content"]
    if message["sender"].startswith("timer@"):
        state.setdefault("rings", []).append([message["performative"], content])
        for line in state.get("on_ring", []) if "tag" in content else []:
            reply(**line)
    elif content == "tell":
        reply("inform", state.get("rings", []))
    elif isinstance(content, dict):
        state.update(content.get("state", {}))
        for wish in content.get("timer", []):
            send("request", "timer", wish)
"""
"""Sends the timer what it is told to, and remembers what the timer says."""
BUILD = packed(EXAMPLES / "watch.py", WATCH)


def tell(system: System, *wishes: Any, **state: Any) -> None:
    system.submit({"timer": list(wishes), "state": state}, to="watch")
    system.until_quiet(0.001)


def rings(system: System) -> list[Any]:
    found: list[Any] = system.ask("tell", to="watch")["content"]
    return found


def tags(system: System) -> list[Any]:
    return [content["tag"] for act, content in rings(system) if act == "inform" and "tag" in content]


def test_an_alarm_clock_snoozes_and_is_switched_off() -> None:
    with runtime({"watch": BUILD}) as system:
        tell(system, {"after_ms": 5_000, "tag": "alarm"}, {"after_ms": 5_000, "tag": "tea"})
        for _ in range(4):
            system.advance(3)
            tell(system, {"after_ms": 5_000, "tag": "alarm", "replace": True})
        assert tags(system) == ["tea"], "each snooze was before its time"
        system.advance(6)
        assert tags(system) == ["tea", "alarm"]
        tell(system, {"after_ms": 5_000, "tag": "alarm"})
        tell(system, {"cancel": "alarm"})
        system.advance(60)
        assert tags(system) == ["tea", "alarm"]
        assert rings(system)[-1] == ["inform", {"cancelled": 1}]
        tell(system, {"cancel": "alarm"})
        assert rings(system)[-1] == ["inform", {"cancelled": 0}]
        assert not system.disk.db.execute("select * from directory where kind = 'timer'").fetchall()


@pytest.mark.parametrize(
    "wish",
    [{"cancel": {"n": 1}}, {"cancel": True, "tag": {"n": 1}}, {"action": "cancel", "tag": {"n": 1}}],
)
def test_a_timer_is_called_off_by_its_tag_whatever_that_is(wish: Any) -> None:
    with runtime({"watch": BUILD}) as system:
        tell(system, {"after_ms": 900, "tag": {"n": 1}}, {"after_ms": 900, "tag": {"n": 2}})
        tell(system, wish)
        system.advance(1)
        assert tags(system) == [{"n": 2}]


def test_cancel_in_the_timers_conversation_ends_it() -> None:
    with runtime({"watch": BUILD}) as system:
        beat = {"every_ms": 20, "tag": "m"}
        tell(system, beat, on_ring=[{"performative": "cancel", "content": None}])
        system.advance(1)
        assert rings(system) == [
            ["inform", {"tag": "m", "beat": 1, "missed": 0}],
            ["inform", {"cancelled": 1}],
        ]
        system.submit(None, to="timer", performative="cancel", conversation_id="none")
        system.until_quiet()
        (said,) = system.messages(sender="timer@local", performative="failure")
        assert "nothing to cancel" in said["content"]["reason"]


def test_what_was_cancelled_does_not_ring_even_where_it_was_on_its_way() -> None:
    """The ring waits behind the message whose turn calls it off."""
    with runtime({"watch": BUILD}, pace=Pace(turn_us=(40_000, 40_000))) as system:
        tell(system, {"after_ms": 300, "tag": "late"}, {"every_ms": 300, "tag": "beat"})
        system.advance(0.1)
        for _ in range(10):
            system.submit("nothing", to="watch")
        system.submit({"timer": [{"cancel": "late"}, {"cancel": "beat"}]}, to="watch")
        system.advance(3)
        system.until_quiet()
        assert tags(system) == []
        said = system.messages(sender="timer@local", performative="inform")
        assert [one["content"] for one in said][:2] == [
            {"tag": "late"},
            {"tag": "beat", "beat": 1, "missed": 0},
        ]
        assert [content for _, content in rings(system)] == [{"cancelled": 1}, {"cancelled": 1}]
        letters = system.rows()["dead_letter"]
        assert {row[3] for row in letters} == {"timer_cancelled"}


def test_a_meter_beats_at_multiples_of_its_start() -> None:
    with runtime({"watch": BUILD}) as system:
        began_us = system.now_us
        tell(system, {"every_ms": 20, "tag": "m", "count": 150})
        system.advance(4)
        said = [one for one in system.messages(sender="timer@local") if one["performative"] == "inform"]
        assert [one["content"]["beat"] for one in said] == list(range(1, 151))
        at_us = [one["timestamp"] for one in said]
        start_us = system.messages(receiver="timer@local")[0]["timestamp"]
        assert start_us - began_us < 10_000
        drift = [at - start_us - 20_000 * (n + 1) for n, at in enumerate(at_us)]
        assert min(drift) >= 0
        assert max(drift) < 2_000, "none of them is later than the first"
        assert len(tags(system)) == 150
        assert {one["hops"] for one in _rows(system)} == {0}
        assert len({one["trace_id"] for one in said}) == 150, "each beat begins a trace"


def _rows(system: System) -> list[dict[str, Any]]:
    return [
        {"hops": hops}
        for (hops,) in system.disk.db.execute(
            "select hops from message where cast(body as text)->>'sender' = 'timer@local'"
        )
    ]


def test_a_slow_agent_is_told_how_many_beats_it_missed() -> None:
    with runtime({"watch": BUILD}, pace=Pace(turn_us=(70_000, 70_000))) as system:
        tell(system, {"every_ms": 20, "tag": "m", "count": 100})
        system.advance(20)
        beats = [content for _, content in rings(system)]
        assert len(beats) < 50
        assert sum(1 + one["missed"] for one in beats) == 100
        assert beats[-1]["beat"] == 100


def test_one_that_catches_up_gets_every_beat() -> None:
    with runtime({"watch": BUILD}, pace=Pace(turn_us=(30_000, 30_000))) as system:
        tell(system, {"every_ms": 20, "tag": "m", "count": 60, "late": "catch-up"})
        system.advance(20)
        assert [content["beat"] for _, content in rings(system)] == list(range(1, 61))


def test_beats_go_on_where_they_were_after_a_crash() -> None:
    with runtime({"watch": BUILD}) as system:
        tell(system, {"every_ms": 1_000, "tag": "m"}, {"after_ms": 60_000, "tag": "far"})
        system.advance(10)
        jump(system, 20.5)
        system.advance(5)
        beats = [content for _, content in rings(system)]
        assert [one["missed"] for one in beats if one["missed"]] in ([20], [19], [21])
        assert sum(1 + one["missed"] for one in beats) == beats[-1]["beat"] in (34, 35, 36)
        system.advance(60)
        assert "far" in tags(system)


@pytest.mark.parametrize("seed", range(6))
def test_no_beat_is_read_twice_whenever_the_power_goes(seed: int) -> None:
    with runtime({"watch": BUILD}, seed=seed) as system:
        tell(system, {"every_ms": 10, "tag": "m", "count": 40}, {"after_ms": 150, "tag": "once"})
        system.run(system.runtime.journal.written())
        for _ in range(4):
            system.crash_after(7 + 5 * seed)
            try:
                system.advance(0.1)
            except Crashed:
                system.crash_after(None)
                system.start()
        system.crash_after(None)
        system.advance(2)
        beats = [content for _, content in rings(system) if "beat" in content]
        numbers = [one["beat"] for one in beats]
        assert numbers == sorted(set(numbers))
        assert sum(1 + one["missed"] for one in beats) == 40
        assert tags(system).count("once") == 1


def jump(system: System, seconds: float) -> None:
    """So much time passes while no daemon runs."""
    system.crash()
    system.set_clock_by(seconds)
    system.start()
    system.advance(0.01)


def test_a_reminder_in_years_is_a_row() -> None:
    with runtime({"watch": BUILD}) as system:
        tell(system, {"after": "45d", "tag": "soon"}, {"after_ms": 3_652 * 86_400_000, "tag": "far"})
        system.run(system.runtime.journal.written())
        jump(system, 44 * 86_400)
        assert tags(system) == []
        jump(system, 86_400)
        assert tags(system) == ["soon"]
        jump(system, 3_607 * 86_400)
        assert tags(system) == ["soon", "far"]


def test_calendar_rules_know_their_time_zone() -> None:
    assert START_US == 1_700_000_000_000_000, "2023-11-14T22:13:20Z"
    with runtime({"watch": BUILD}) as system:
        tell(system, {"cron": "30 8 * * MON-FRI", "zone": "Europe/Berlin", "tag": "work", "count": 3})
        tell(system, {"at": "2023-11-15T12:00:00+01:00", "tag": "noon"})
        tell(system, {"at": "2023-11-15T11:30:00", "zone": "Europe/Berlin", "tag": "before"})
        system.run(system.runtime.journal.written())
        jump(system, 9 * 3_600)
        assert rings(system) == []
        jump(system, 4 * 3_600)
        jump(system, 2 * 86_400)
        found = [content for _, content in rings(system)]
        assert [one["tag"] for one in found] == ["work", "before", "noon", "work"]
        assert [one["at"] for one in found if one["tag"] == "work"] == [
            "2023-11-15T07:30:00.000000Z",
            "2023-11-17T07:30:00.000000Z",
        ]
        assert [one["missed"] for one in found if one["tag"] == "work"] == [0, 1]


@pytest.mark.parametrize(
    ("rule", "after", "comes"),
    [
        ("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),  # a night without half past two
        ("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),  # one with two of them
        ("*/15 * * * * *", "2026-01-01T00:00:01Z", "2026-01-01T00:00:15Z"),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-28T23:00:00Z"),
    ],
)
def test_rules_in_nights_when_clocks_change(rule: str, after: str, comes: str) -> None:
    after_us, comes_us = (round(datetime.fromisoformat(one).timestamp() * 1e6) for one in (after, comes))
    assert next_us(rule, "Europe/Berlin", after_us) == comes_us


def test_a_rule_follows_a_clock_that_is_set() -> None:
    with runtime({"watch": BUILD}) as system:
        tell(system, {"at": "2024-06-01T00:00:00Z", "tag": "june"})
        system.set_clock_by(300 * 86_400)
        system.advance(700)
        assert tags(system) == ["june"]


def test_a_stopped_agent_gets_no_beats_and_a_removed_ones_timers_are_gone() -> None:
    with runtime({"watch": Agent(BUILD)}) as system:
        tell(system, {"every_ms": 100, "tag": "m"})
        system.advance(1.05)
        system.run(system.runtime.agents.stop("watch"))
        system.advance(5)
        system.run(system.runtime.agents.start("watch"))
        system.advance(0.2)
        beats = [content for _, content in rings(system)]
        assert sum(one["missed"] for one in beats) in range(45, 56)
        assert not system.rows()["dead_letter"]
        system.run(system.runtime.agents.remove("watch"))
        assert system.runtime.timer.armed == 0


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"every_ms": 0}, "every_ms, a number of milliseconds from 1"),
        ({"after_ms": 1, "at": "2030-01-01T00:00:00Z"}, "not both"),
        ({"after_ms": 1, "count": 2}, "count needs every_ms or cron"),
        ({"every_ms": 5, "count": 0}, "whole number from 1"),
        ({"every_ms": 5, "late": "never"}, '"skip" or "catch-up"'),
        ({"cron": "61 * * * *"}, "no cron rule: bad minute"),
        ({"cron": "* * * * *", "zone": "Mars/Olympus"}, "no time zone"),
        ({"at": "tomorrow"}, "no date-time"),
        ({"at": "2040-01-01T00:00:00Z"}, "ten years"),
        ({"after": "soon"}, "a duration such as"),
        ({"after_ms": 1, "replace": "yes"}, "true or false"),
    ],
)
def test_what_is_wrong_is_named(wish: Any, says: str) -> None:
    with runtime({"watch": BUILD}) as system:
        tell(system, wish)
        ((act, content),) = rings(system)
        assert act == "not-understood"
        assert says in content["reason"]
        assert content["hint"]


def test_beats_have_a_share() -> None:
    with runtime({"watch": BUILD}) as system:
        system.submit({"timer": [{"every_ms": 1, "tag": "m"}] * 2}, to="watch")
        system.advance(0.02)
        assert [act for act, _ in rings(system) if act != "inform"] == ["refuse"]


def test_a_self_waking_agent_lives_longer_than_any_chain() -> None:
    wake = [{"performative": "request", "receiver": "timer", "content": {"after_ms": 10, "tag": "w"}}]
    with runtime({"watch": Agent(BUILD, limits=Limits(hops=20))}) as system:
        tell(system, {"after_ms": 10, "tag": "w"}, on_ring=wake)
        system.advance(2)
        assert len(tags(system)) > 150


def test_a_rule_whose_zone_is_gone_ends_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with runtime({"watch": BUILD}) as system:
        tell(system, {"cron": "* * * * * *", "tag": "rule"}, {"every_ms": 1_000, "tag": "beat"})
        system.advance(1.5)

        def gone(*_: object) -> int:
            raise InvalidMessage("this machine knows no time zones")

        monkeypatch.setattr(cron, "next_us", gone)
        system.advance(3)
        assert [
            "failure",
            {"tag": "rule", "reason": "this machine knows no time zones", "hint": None},
        ] in rings(system)
        assert tags(system).count("beat") == 4
        assert system.runtime.timer.armed == 1


@pytest.mark.parametrize(
    ("tag", "same", "other"),
    [(1, 1, True), ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}), ("1", "1", 1), (None, None, "")],
)
def test_tags_are_told_apart_as_json_does(tag: Any, same: Any, other: Any) -> None:
    with runtime({"watch": BUILD}) as system:
        tell(system, {"after_ms": 500, "tag": tag}, {"after_ms": 500, "tag": other})
        tell(system, {"action": "cancel", "tag": same})
        system.advance(1)
        assert tags(system) == [other]
