"""`kill -9` of the daemon at each step of a call to the world: nothing is called twice, nobody waits for ever."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from .running import Daemon, running, still_alive

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


def paid(daemon: Daemon) -> list[list[str]]:
    file = daemon.folder / "paid"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


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
    until = time.monotonic() + 20
    while time.monotonic() < until:
        yield
    raise AssertionError(f"it did not come: {what}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rounds", [1, pytest.param(17, marks=pytest.mark.long)])
def test_a_killed_daemon_calls_nothing_twice_and_takes_its_processes_along(
    tmp_path: Path, rounds: int
) -> None:
    folder = tmp_path / "p"
    command = json.dumps([sys.executable, "pay.py"])
    folder.mkdir()
    (folder / "pay.py").write_text(PAY)
    asked: dict[str, str] = {}
    with running(folder, f"[effects.pay]\ncommand = {command}\n") as daemon:
        for step in STEPS * rounds:
            group = group_of(daemon)
            before = len(paid(daemon))
            with daemon.client() as caxton:
                takes = 0 if step == "answered" else 30
                message = {"receiver": "pay", "performative": "request", "content": {"takes": takes}}
                sent = caxton.send(message, wait_s=15 if step == "answered" else None)
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
                        if one.message.sender == "pay@local"
                    ]
                    if answers:
                        break
                (answer,) = answers
                content = answer.message.content
                assert content == {"paid": True} or content["error"] == "interrupted"
    assert max(Counter(id for id, _ in paid(daemon)).values()) == 1
