"""Open calls go with the agent: over crashes and snapshots, to new builds, and into a replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from caxton.deploy import DeploymentOptions, Probation, Stage
from caxton.errors import DeploymentError
from caxton.replay import ReplayRequest
from caxton.testing import Crashed, System, runtime

from .calls import BOSS, agents, answers, begin, contents, fine, python

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("python_runtime")]

EVERY = {"journal": {"snapshot_every": 1}}
NEVER = {"journal": {"snapshot_every": 0}}
MANY = 6


def asked_once(system: System, many: int) -> bool:
    """Whether the three questions of each call were sent once, none of them under a name of another."""
    asked = [
        one for name in ("a", "b") for one in system.messages(sender="boss@local", receiver=f"{name}@local")
    ]
    return len({one["reply_with"] for one in asked}) == len(asked) == 3 * many


@pytest.mark.parametrize("config", [EVERY, NEVER], ids=["snapshots", "no snapshots"])
def test_calls_go_on_after_a_crash_at_any_point(config: Mapping[str, Any]) -> None:
    crashes = 0
    with runtime(agents(), config=config, seed=1) as system:
        begin(system, MANY)
        system.run(system.runtime.journal.written())
        for steps in (3, 11, 17, 29, 5, 40, 13, 23, 9, 31):
            try:
                system.crash_after(steps)
                system.advance(2)
                break
            except Crashed:
                crashes += 1
                system.start()
        system.crash_after(None)
        system.until_quiet(40)
        assert crashes >= 5
        assert contents(system, MANY) == fine(MANY)
        assert asked_once(system, MANY)
        state = system.ask({}, to="boss", performative="query-ref", ontology="caxton-calls")
        assert state["content"] == {"open": 0, "calls": []}


def opened(system: System) -> None:
    """Calls that sleep, each with two answers."""
    begin(system, MANY)
    system.advance(0.25)
    assert contents(system, MANY) == [[]] * MANY


CARRIED = {
    "another text": BOSS.replace('reply("inform", [', 'reply("inform", ["new", '),
    "a later question more": BOSS.replace(
        '    state["sum"]', '    await ask("b", "request", {"n": 0})\n    state["sum"]'
    ),
}
REFUSED = {
    "asks another first": BOSS.replace('gather(ask("a"', 'gather(ask("b"'),
    "does not sleep": BOSS.replace("await sleep(0.5)", "pass"),
    "ends at once": BOSS.replace("    await sleep(0.5)", "    return"),
    "fails": BOSS.replace("    await sleep(0.5)", "    1 / 0"),
    "does not wait": 'def handle(message):\n    reply("inform", 1)\n',
}


@pytest.mark.parametrize("edit", CARRIED.values(), ids=CARRIED.keys())
@pytest.mark.parametrize("strategy", ["direct", "blue-green"])
def test_a_build_that_asks_the_same_goes_on(edit: str, strategy: str) -> None:
    with runtime(agents()) as system:
        opened(system)
        options = DeploymentOptions(probation=Probation(turns=1))
        view = system.deploy("boss", python(edit), strategy=strategy, options=options)
        assert view.memory == "carried"
        system.until_quiet(40)
        old = fine(MANY)
        for n in range(MANY):
            (answer,) = contents(system, MANY)[n]
            assert [one for one in answer if one != "new"] == old[n][0]
            assert ("new" in answer) == ('"new"' in edit)


@pytest.mark.parametrize(
    ("edit", "strategy"),
    [
        *((edit, "direct") for edit in REFUSED),
        *(("does not sleep", strategy) for strategy in ("blue-green", "canary", "shadow")),
    ],
)
def test_a_build_that_asks_otherwise_is_refused(edit: str, strategy: str) -> None:
    with runtime(agents()) as system:
        opened(system)
        with pytest.raises(DeploymentError, match=r"a call waits, of message .*this build") as refused:
            system.deploy("boss", python(REFUSED[edit]), strategy=strategy)
        assert refused.value.hint is not None
        assert "--ontology caxton-calls" in refused.value.hint
        system.until_quiet(40)
        assert contents(system, MANY) == fine(MANY)
        assert asked_once(system, MANY)


@pytest.mark.parametrize("how", ["drained", "cancelled"])
def test_without_open_calls_it_is_taken(how: str) -> None:
    with runtime(agents()) as system:
        opened(system)
        if how == "drained":
            system.until_quiet(40)
        else:
            system.ask({}, to="boss", performative="cancel", ontology="caxton-calls")
        system.deploy("boss", python(REFUSED["does not sleep"]))
        system.submit({"n": 7}, to="boss", conversation_id="c7")
        system.until_quiet(40)
        assert [one["content"] for one in answers(system, 7)] == [[7, 8, 70]]


SAME = CARRIED["another text"]
OTHERWISE = SAME.replace('gather(ask("a"', 'gather(ask("b"')
"""What it asks first is asked of another; those who ask see it by the answer's first word."""


@pytest.mark.parametrize("build", [CARRIED["another text"], OTHERWISE], ids=["the same", "otherwise"])
def test_in_a_canary_each_revision_ends_the_calls_of_its_conversations(build: str) -> None:
    with runtime(agents()) as system:
        if build != OTHERWISE:
            opened(system)
        options = DeploymentOptions(stages=(Stage(50, 5),), rollback_on=())
        begun = system.deploy("boss", python(build), strategy="canary", options=options, wait=False)
        assert begun.state == "deploying"
        for n in range(MANY, 30):
            system.submit({"n": n}, to="boss", conversation_id=f"c{n}")
        system.until_quiet(40)
        assert system.runtime.agents.view("boss").revision == begun.revision
        began = MANY if build == OTHERWISE else 0
        said = {n: contents(system, 30)[n][0] for n in range(began, 30)}
        assert all([one for one in answer if one != "new"] == fine(30)[n][0] for n, answer in said.items())
        assert 4 <= sum("new" in answer for answer in said.values()) <= 20
        assert not any("new" in said.get(n, []) for n in range(MANY)), "what was under way is the old one's"
        assert asked_once(system, 30 - began)
        # what the new one asked otherwise in the old one's conversations ends a minute after its time, some by each
        # message
        system.advance(90)
        left = [
            system.ask({}, to="boss", performative="query-ref", ontology="caxton-calls")["content"]["open"]
            for _ in range(40)
        ]
        assert left[-1] == 0


def test_a_shadow_keeps_calls_of_its_own_to_itself() -> None:
    with runtime(agents()) as system:
        opened(system)
        options = DeploymentOptions(shadow_s=5)
        system.deploy("boss", python(CARRIED["another text"]), strategy="shadow", options=options, wait=False)
        for n in range(MANY, 10):
            system.submit({"n": n}, to="boss", conversation_id=f"c{n}")
        system.until_quiet(40)
        assert contents(system, 10) == fine(10)
        assert asked_once(system, 10)


def test_replays_run_calls_as_they_were_run() -> None:
    with runtime(agents(), config=EVERY) as system:
        opened(system)
        system.until_quiet(40)
        report = system.run(system.runtime.replayer.replay(ReplayRequest(last=100)))
        assert report.totals.turns == report.totals.same > 40
        # a conversation that begins while others are open is replayed from a state that has them
        late = system.messages(sender="timer@local", receiver="boss@local")[0]["conversation_id"]
        report = system.run(system.runtime.replayer.replay(ReplayRequest(conversations=[late], agent="boss")))
        (turn,) = report.turns
        assert (turn.verdict, report.agents[0].start.kind, report.agents[0].start.exact) == (
            "same",
            "snapshot",
            True,
        )
        # such a state is nothing for a build that asks otherwise: its replay begins before the calls
        wanted = ReplayRequest(conversations=[late], agent="boss", wasm=python(REFUSED["asks another first"]))
        report = system.run(system.runtime.replayer.replay(wanted))
        assert report.agents[0].start.kind == "beginning"


@pytest.mark.long
def test_a_call_outlives_the_messages_that_retention_removes() -> None:
    boss = BOSS.replace("await sleep(0.5)", "await sleep(30 * 3600)")
    config = {"journal": {"keep_days": 1, "snapshot_every": 1}}
    with runtime(agents(boss), config=config) as system:
        opened(system)
        system.advance(26 * 3600)
        assert not system.messages(conversation_id="c0"), "it is removed"
        system.restart()
        system.advance(5 * 3600)
        assert contents(system, MANY) == fine(MANY)


@pytest.mark.parametrize("end", ["abort", "promote"])
def test_a_canary_that_is_decided_after_a_crash_leaves_every_call_answered_once(end: str) -> None:
    with runtime(agents(), config=EVERY) as system:
        opened(system)
        options = DeploymentOptions(stages=(Stage(50, 600),), rollback_on=())
        begun = system.deploy("boss", python(SAME), strategy="canary", options=options, wait=False)
        answered_over_a_crash(system, begun.id, end)
        assert (system.runtime.agents.view("boss").revision == begun.revision) == (end == "promote")


def test_a_drain_leaves_every_call_answered_once_over_a_crash() -> None:
    with runtime(agents(), config=EVERY) as system:
        opened(system)
        options = DeploymentOptions(drain=True, drain_s=100)
        begun = system.deploy("boss", python(SAME), strategy="blue-green", options=options, wait=False)
        answered_over_a_crash(system, begun.id, None)


def answered_over_a_crash(system: System, deployment: str, end: str | None) -> None:
    """Calls that are open before, while two revisions live, over a crash, and after the end of it."""
    for n in range(MANY, 20):
        system.submit({"n": n}, to="boss", conversation_id=f"c{n}")
    system.advance(0.3)
    system.run(system.runtime.journal.written())
    system.restart()
    system.advance(0.1)
    if end is not None:
        system.run(getattr(system.runtime.engine, end)(deployment))
    for n in range(20, 30):
        system.submit({"n": n}, to="boss", conversation_id=f"c{n}")
    system.until_quiet(40)
    said = [[[x for x in one if x != "new"] for one in call] for call in contents(system, 30)]
    assert said == fine(30)
    assert asked_once(system, 30)
    state = system.ask({}, to="boss", performative="query-ref", ontology="caxton-calls")
    assert state["content"]["open"] == 0
