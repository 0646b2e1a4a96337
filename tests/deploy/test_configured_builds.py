"""What runs after a restart is what was accepted last: a build that was refused does not get in by the way that leads
past the gate, whatever refused it and however the daemon ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from agents.systems import tally
from flow.running import Daemon, running

from caxton.client import Client
from caxton.schemas.daemon import AgentBody
from caxton.schemas.deployments import DeploymentBody

CONFIGURATION = 'cells = 1\n[agents.c]\nwasm = "c.wat"\n'
TRAPS_AT_TWO = "(if (i32.eq (i32.load8_u (i32.const 299)) (i32.const 49)) (then unreachable))"
GOOD, OTHER, BROKEN = tally(), tally(tag="other", step=5), tally(tag="broken", before=TRAPS_AT_TWO)
GATE = {"gate": "replay", "gate_s": 30.0, "configured": True}


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "c.wat").write_bytes(GOOD)
    with running(folder, CONFIGURATION) as one:
        with one.client() as client:
            assert ask(client) == 1
        yield one


def ask(client: Client) -> int:
    said = client.send({"receiver": "c", "performative": "request", "conversation_id": "talk"}, wait_s=20)
    return int(said.replies[0].message.content)


def stands(daemon: Daemon, text: bytes) -> bytes:
    """Put a build where caxton.toml says."""
    (daemon.folder / "c.wat").write_bytes(text)
    return text


def restarted(daemon: Daemon, end: Callable[[Daemon], Any] = Daemon.stop) -> AgentBody:
    end(daemon)
    daemon.start()
    with daemon.client() as client:
        return client.agent("c")


def held(client: Client) -> DeploymentBody:
    client.pin("talk")
    found = client.deploy("c", OTHER, how=GATE)
    assert found.waits
    return found


def dropped(client: Client) -> DeploymentBody:
    return client.abort(held(client).id)


def superseded(client: Client) -> DeploymentBody:
    found = held(client)
    newer = client.deploy("c", tally(tag="newer"), how={**GATE, "configured": False})
    assert newer.state == "running"
    return client.deployment(found.id)


def aborted(client: Client) -> DeploymentBody:
    found = client.deploy("c", OTHER, strategy="canary", how={"canary_stages": "5:5m"})
    return client.abort(found.id)


def shadow(client: Client) -> DeploymentBody:
    found = client.deploy("c", OTHER, strategy="shadow", how={"shadow_s": 0.05, "wait": True})
    assert found.state == "rolled_back"
    return found


def canary(client: Client) -> DeploymentBody:
    how = {"canary_stages": "100:5m", "rollback_on": "error_rate>1%", "probe": False}
    found = client.deploy("c", BROKEN, strategy="canary", how=how)
    while client.deployment(found.id).state == "deploying":
        client.send({"receiver": "c", "performative": "request"}, wait_s=20)
    return client.deployment(found.id)


def rolled_back(client: Client) -> DeploymentBody:
    found = client.deploy("c", OTHER, how={"configured": True})
    assert found.state == "running"
    client.rollback(found.id)
    return found


WAYS: dict[Callable[[Client], DeploymentBody], tuple[str, bytes]] = {
    held: ("waited", OTHER),
    dropped: ("dropped", OTHER),
    superseded: ("waited", OTHER),
    aborted: ("aborted", OTHER),
    shadow: ("shadow", OTHER),
    canary: ("faltered", BROKEN),
    rolled_back: ("rolled_back", OTHER),
}


@pytest.mark.parametrize("refuse", WAYS, ids=lambda way: way.__name__)
def test_what_was_refused_does_not_come_in_by_a_restart(
    daemon: Daemon, refuse: Callable[[Client], DeploymentBody]
) -> None:
    why, text = WAYS[refuse]
    with daemon.client() as client:
        refused = refuse(client)
        accepted = client.agent("c").revision
    assert accepted != refused.revision
    stands(daemon, text)
    for times, end in enumerate((Daemon.kill, Daemon.stop), start=1):
        agent = restarted(daemon, end)
        assert (agent.revision, agent.state) == (accepted, "running")
        assert (agent.kept_out.revision, agent.kept_out.why) == (refused.revision, why)
        assert agent.kept_out.deployment == refused.id
        with daemon.client() as client:
            found = client.refusals("c")
            assert [(one.revision, one.why) for one in found] == [(refused.revision, why)]
            with closing(client.events(after=0, kinds=["agent"])) as stream:
                kept = (one.data for one in stream if one.data["what"] == "kept")
                told = [next(kept) for _ in range(times)]
        assert (told[-1]["offered"], told[-1]["why"]) == (refused.revision, why)
        assert sum(" kept " in line and "caxton agent deploy c c.wat" in line for line in daemon.log) == times
    # somebody means it after all: from then on it is what was accepted last
    with daemon.client() as client:
        assert client.deploy("c", text, fresh_state=True).revision == refused.revision
        assert (client.refusals("c"), client.agent("c").kept_out) == ([], None)
    assert restarted(daemon, Daemon.kill).revision == refused.revision


def test_a_file_that_says_something_new_is_taken_in(daemon: Daemon) -> None:
    with daemon.client() as client:
        refused = rolled_back(client)
    stands(daemon, tally(tag="new"))
    agent = restarted(daemon)
    assert agent.revision != refused.previous
    assert agent.kept_out is None
    # and back: it was accepted once, and nobody took it back
    stands(daemon, GOOD)
    assert restarted(daemon).revision == refused.previous


def test_what_was_deployed_by_hand_stays_until_the_file_says_something_new(daemon: Daemon) -> None:
    with daemon.client() as client:
        first = client.agent("c").revision
        by_hand = client.deploy("c", OTHER, settings={"a": 1}).revision
    agent = restarted(daemon)
    assert (agent.revision, agent.settings) == (by_hand, {"a": 1})
    assert (agent.kept_out.revision, agent.kept_out.why) == (first, "replaced")
    # other settings in the file are news; they are for the build that stays
    (daemon.folder / "caxton.toml").write_text(f"{CONFIGURATION}settings = {{ a = 2 }}\n")
    agent = restarted(daemon)
    assert (agent.revision, agent.settings) == (by_hand, {"a": 2})
    assert agent.kept_out.revision == first
    stands(daemon, tally(tag="new"))
    assert restarted(daemon).revision not in (first, by_hand)


def test_settings_that_were_rolled_back_stay_so(daemon: Daemon) -> None:
    (daemon.folder / "caxton.toml").write_text(f"{CONFIGURATION}settings = {{ a = 2 }}\n")
    assert restarted(daemon).settings == {"a": 2}
    with daemon.client() as client:
        made = client.deployments(agent="c")[0].id
        while client.deployment(made).state in ("validating", "deploying"):
            # the agent has its settings a moment before its deployment says so
            pass
        client.rollback(made)
        assert client.agent("c").settings == {}
    agent = restarted(daemon)
    assert (agent.settings, agent.kept_out.why) == ({}, "replaced")


def test_a_rollback_that_is_undone_is_no_refusal(daemon: Daemon) -> None:
    with daemon.client() as client:
        made = rolled_back(client)
        client.rollback(client.deployments(agent="c")[0].id)
        assert client.agent("c").revision == made.revision
        assert [(one.revision, one.why) for one in client.refusals("c")] == [(made.previous, "rolled_back")]


def test_a_new_agent_takes_what_stands_there(daemon: Daemon) -> None:
    with daemon.client() as client:
        refused = rolled_back(client)
        client.remove_agent("c")
    stands(daemon, OTHER)
    assert restarted(daemon).revision == refused.revision


def test_a_build_that_broke_down_on_its_way_is_tried_again(daemon: Daemon) -> None:
    """No decision was made about it: what kept it out may be mended."""
    needy = re.sub(rb"\(memory \(export \"memory\"\) \d+", b'(memory (export "memory") 40', GOOD)
    assert needy != GOOD
    stands(daemon, needy)
    (daemon.folder / "caxton.toml").write_text(f'{CONFIGURATION}limits = {{ memory_bytes = "1MiB" }}\n')
    before = restarted(daemon)
    assert before.kept_out is None
    (daemon.folder / "caxton.toml").write_text(CONFIGURATION)
    after = restarted(daemon)
    assert after.revision != before.revision
    assert after.state == "running"
