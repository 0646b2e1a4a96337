"""`kill -9` of the daemon at each step of a call to the world: nothing is called twice, nobody waits for ever."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from .running import ROOT, Daemon, running, still_alive

pytestmark = pytest.mark.crash

PAY = """
import json, os, subprocess, sys, time
subprocess.Popen(["sleep", "600"])  # as careless programs do
for line in sys.stdin:
    asked = json.loads(line)
    if "request" in asked:
        with open("paid", "a") as file:
            print(asked["id"], os.getpgid(0), file=file, flush=True)
        time.sleep(asked["request"]["takes"])
        print(json.dumps({"id": asked["id"], "inform": {"paid": True}}), flush=True)
"""
STEPS = ("sent", "called", "answered")


@dataclass(frozen=True)
class Kind:
    """A way to the world that pays: what caxton.toml says of it, its agent, what it is asked and has written."""

    config: str
    agent: str
    asked: Callable[[float], object]
    answer: object
    id_at: int
    """Where the message's id stands in a line of what it has written."""


KINDS = {
    "effect": Kind(
        f"[effects.pay]\ncommand = {json.dumps([sys.executable, 'pay.py'])}\n",
        "pay",
        lambda takes: {"takes": takes},
        {"paid": True},
        0,
    ),
    "tool": Kind(
        f"[tools.bank]\ncommand = {json.dumps([sys.executable, str(ROOT / 'tests/effects/tool_server.py'), 'paid'])}\n",
        "tool.bank",
        lambda takes: {"tool": "pay", "arguments": {"sum": 1, "seconds": takes}},
        {"content": [{"type": "text", "text": "paid 1"}], "structured": {"result": "paid 1"}},
        2,
    ),
}


def paid(daemon: Daemon) -> list[list[str]]:
    """A line for each call that was done."""
    file = daemon.folder / "paid"
    lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return [line for line in lines if line[0] != "paid"]


def group_of(daemon: Daemon) -> list[psutil.Process]:
    """Everything in the group of the effect's process."""
    with daemon.client() as caxton:
        for _ in waited("the effect's process and what it has started"):
            pid = next(iter(caxton.effects())).pid
            found = [] if pid is None else psutil.Process(pid).children(recursive=True)
            if pid is not None and found:
                return [psutil.Process(pid), *found]
    raise AssertionError


def waited(what: str) -> Iterator[None]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        yield
    raise AssertionError(f"it did not come: {what}")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("name", "rounds"),
    [
        ("effect", 1),
        pytest.param("effect", 17, marks=pytest.mark.long),
        pytest.param("tool", 17, marks=pytest.mark.long),
    ],
)
def test_a_killed_daemon_calls_nothing_twice_and_takes_its_processes_along(
    tmp_path: Path, name: str, rounds: int
) -> None:
    kind = KINDS[name]
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "pay.py").write_text(PAY)
    asked: dict[str, str] = {}
    with running(folder, kind.config) as daemon:
        for step in STEPS * rounds:
            group = group_of(daemon)
            before = len(paid(daemon))
            with daemon.client(60) as caxton:
                takes = 0 if step == "answered" else 30
                message = {"receiver": kind.agent, "performative": "request", "content": kind.asked(takes)}
                sent = caxton.send(message, wait_s=50 if step == "answered" else None)
                asked[sent.id] = sent.conversation_id
            if step == "called":
                for _ in waited(step):
                    if len(paid(daemon)) > before:
                        break
            daemon.kill()
            assert still_alive(group) == []
            daemon.start()
        with daemon.client() as caxton:
            for id, conversation in asked.items():
                for _ in waited(id):
                    answers = [
                        one
                        for one in caxton.messages(conversation=conversation)
                        if one.message.sender == f"{kind.agent}@local"
                    ]
                    if answers:
                        break
                (answer,) = answers
                content = answer.message.content
                assert content == kind.answer or content["error"] == "interrupted"
    assert max(Counter(line[kind.id_at] for line in paid(daemon)).values()) == 1
