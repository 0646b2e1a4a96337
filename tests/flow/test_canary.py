"""A canary through the front door: deployed, looked at, interrupted by `kill -9`, taken up again, decided."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from cli import command
from deploy.dual_runs import counter

from caxton.client import Client
from caxton.deploy.strategies.conversation_routing import within
from caxton.schemas.deployments import DeploymentBody
from flow.running import Daemon, running

pytestmark = pytest.mark.system

TWO = b"\0\3\2v2"
"""A custom section: another revision of the same counter."""


@pytest.fixture
def daemon(tmp_path: Path) -> Generator[Daemon]:
    with running(tmp_path / "p", "cells = 1\n[deploy]\nquiet_s = '1h'\n") as daemon:
        (daemon.folder / "two.wasm").write_bytes((daemon.folder / "counter.wasm").read_bytes() + TWO)
        yield daemon


def caxton(daemon: Daemon, *words: str) -> subprocess.CompletedProcess[str]:
    """One command in the project's folder."""
    return command.caxton(*words, cwd=daemon.folder)


def count(client: Client, conversation: str) -> int:
    """What the counter answers."""
    answer = client.send(
        {"receiver": "c", "performative": "request", "conversation_id": conversation, "content": {}},
        wait_s=20,
    )
    return int(answer.replies[0].message.content["count"])


def until_live(client: Client, id: str) -> DeploymentBody:
    """The deployment as it is once both revisions live again: the daemon says ready a moment before."""
    found = client.deployment(id)
    while found.state == "deploying" and not (found.progress or {})["sides"]["new"]["turns"]:
        count(client, "look")
        found = client.deployment(id)
    return found


def test_a_canary_survives_a_kill_of_the_daemon(daemon: Daemon) -> None:
    assert caxton(daemon, "agent", "deploy", "c", "counter.wasm").returncode == 0
    planned = caxton(
        daemon, "agent", "deploy", "c", "two.wasm", "--strategy", "canary", "--plan", "-o", "json"
    )
    plan = json.loads(planned.stdout)
    assert [line["what"] for line in plan["changes"]] == ["revision"]
    words = ["agent", "deploy", "c", "two.wasm", "--strategy", "canary", "--canary-stages", "50:1h,100"]
    done = caxton(daemon, *words, "--rollback-on", "error_rate>5%,fuel>+50%")
    assert done.returncode == 0, done.stderr
    assert "stage 1 of 1, 50 %" in done.stderr
    with daemon.client() as client:
        id = client.deployments(agent="c", limit=1)[0].id
        assert [count(client, f"t-{n}") for n in range(30)] == list(range(1, 31))
        live = client.deployment(id)
        assert live.state == "deploying"
        assert (live.progress or {})["sides"]["new"]["turns"] == 30
        assert 0 < (live.progress or {})["sides"]["new"]["spoken"] < 30
        assert [one.step for one in live.validation] == ["static", "sandbox", "contract", "resources"]
        revisions = {
            row.message.conversation_id: row.turns[0].revision
            for row in client.messages(agent="c", limit=200)
            if row.turns and row.message.receiver == ["c@local"]
        }
    daemon.kill()
    daemon.start()
    with daemon.client() as client:
        # nothing of it is forgotten, and no conversation changes sides
        assert [count(client, f"t-{n}") for n in range(30)] == list(range(31, 61))
        again = until_live(client, id)
        assert (again.state, (again.progress or {})["stage"]) == ("deploying", 1)
        after = {
            row.message.conversation_id: row.turns[-1].revision
            for row in client.messages(agent="c", limit=400)
            if row.turns and row.message.receiver == ["c@local"]
        }
        assert {one: after[one] for one in revisions} == revisions
    refused = caxton(daemon, "agent", "stop", "c")
    assert refused.returncode != 0
    assert id in refused.stderr
    shown = caxton(daemon, "deploy", "status", "c")
    assert shown.returncode == 0, shown.stderr
    assert "1 of 1: 50 % of the new conversations" in shown.stdout
    promoted = caxton(daemon, "deploy", "promote", "c")
    assert promoted.returncode == 0, promoted.stderr
    with daemon.client() as client:
        assert client.deployment(id).state == "running"
        assert client.agent("c").revision == plan["revision"]
        last = count(client, "last")
    # and the way back is a deployment like any other
    assert caxton(daemon, "deploy", "rollback", "c").returncode == 0
    with daemon.client() as client:
        assert client.agent("c").revision == plan["previous"]
        assert count(client, "last") == last + 1


def told(client: Client, conversation: str) -> tuple[str, int]:
    """Which build answers, and how far it has counted."""
    answer = client.send(
        {"receiver": "c", "performative": "request", "conversation_id": conversation}, wait_s=20
    )
    content = answer.replies[0].message.content
    return content["by"], int(content["count"])


@pytest.mark.parametrize("end", ["promote", "abort"])
def test_an_agent_without_hooks_keeps_its_count_through_a_canary_and_two_kills(
    daemon: Daemon, end: str
) -> None:
    for name in ("one", "two"):
        (daemon.folder / f"{name}.wat").write_bytes(counter(name, snapshot=False))
    assert caxton(daemon, "agent", "deploy", "c", "one.wat").returncode == 0
    with daemon.client() as client:
        assert [told(client, "old") for _ in range(3)] == [("one", n) for n in (1, 2, 3)]
    done = caxton(daemon, "agent", "deploy", "c", "two.wat", "--strategy", "canary")
    assert done.returncode == 0, done.stderr
    assert "stage 1 of 3, 5 %" in done.stderr
    assert "state rebuilt (3 turns run again)" in done.stderr
    with daemon.client() as client:
        before = [told(client, f"t-{n}") for n in range(40)]
        assert [by == "two" for by, _ in before] == [within(f"t-{n}", 5) for n in range(40)]
    daemon.kill()
    daemon.start()
    with daemon.client() as client:
        id = client.deployments(agent="c", limit=1)[0].id
        assert client.deployment(id).state == "deploying"
        new = next(f"t-{n}" for n in range(40) if within(f"t-{n}", 5))
        while told(client, new)[0] != "two":
            pass  # the daemon says ready a moment before both live again
        again = [told(client, f"t-{n}") for n in range(40)]
    assert [by for by, _ in again] == [by for by, _ in before], "no conversation changes sides"
    first = again[0][1]
    assert [count for _, count in again] == list(range(first, first + 40))
    shown = caxton(daemon, "deploy", "status", "c").stdout
    assert re.search(r"memory +rebuilt\n", shown)
    assert caxton(daemon, "deploy", end, "c").returncode == 0
    by = "two" if end == "promote" else "one"
    with daemon.client() as client:
        assert told(client, "old") == (by, first + 40)
    daemon.kill()
    daemon.start()
    with daemon.client() as client:
        assert told(client, "old") == (by, first + 41)


def test_what_a_drain_waits_for_is_said(daemon: Daemon) -> None:
    assert caxton(daemon, "agent", "deploy", "c", "counter.wasm").returncode == 0
    words = ["--strategy", "blue-green", "--probation", "1", "--drain-for", "1h"]
    with daemon.client() as client:
        count(client, "old")
        assert caxton(daemon, "agent", "deploy", "c", "two.wasm", *words).returncode == 0
        count(client, "new")
        shown = caxton(daemon, "deploy", "status", "c").stdout
        assert "0 with a protocol still open, 1 without a protocol until they are silent; at most" in shown
        assert caxton(daemon, "deploy", "promote", "c").returncode == 0
        assert client.deployments(agent="c", limit=1)[0].state == "running"


def test_a_shadow_that_differs_is_exit_code_6(daemon: Daemon) -> None:
    with daemon.client() as client:
        client.deploy("c", (daemon.folder / "echo.wasm").read_bytes())
    done = caxton(
        daemon, "agent", "deploy", "c", "counter.wasm", "--strategy", "shadow", "--shadow-for", "1h"
    )
    assert done.returncode == 0, done.stderr
    with daemon.client() as client:
        said = client.send({"receiver": "c", "performative": "request", "content": 7}, wait_s=20)
        assert said.replies[0].message.content == 7
    aborted = caxton(daemon, "deploy", "abort", "c")
    assert aborted.returncode == 0, aborted.stderr
    assert "the old revision goes on" in aborted.stderr
    assert caxton(daemon, "deploy", "status", "c").returncode == 5
    short = caxton(
        daemon, "agent", "deploy", "c", "counter.wasm", "--strategy", "shadow", "--shadow-for", "1s", "--wait"
    )
    assert short.returncode == 0, short.stderr
    assert "the shadow's time is over: 0 turns" in short.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--strategy", "canary", "--canary-stages", "50"], "has no duration"),
        (["--strategy", "canary", "--rollback-on", "speed>1"], "there is no measure 'speed'"),
        (["--strategy", "shadow", "--compare", "colour"], "cannot be compared in 'colour'"),
        (["--drain"], "--drain belongs to blue-green"),
        (["--strategy", "shadow", "--canary-stages", "5:5m"], "--canary-stages belongs to canary"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(daemon: Daemon, words: list[str], says: str) -> None:
    done = caxton(daemon, "agent", "deploy", "c", "counter.wasm", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
