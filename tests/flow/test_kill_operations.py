"""`kill -9` of the daemon and of cells while calls wait, timers run, children are made and topics are published to."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from testing.operations import BOSS, PEER, SUBSCRIBE, Operations, Said

from caxton.client import Client

from .running import running

pytestmark = [pytest.mark.crash, pytest.mark.usefixtures("python_runtime")]

PROJECT = """
cells = 2
[agents.boss]
wasm = "boss.py"
may = ["create", "destroy"]
children_per_s = 1000
[agents.peer]
wasm = "peer.py"
[agents.worker]
wasm = "counter.wasm"
"""
PATIENCE_S = 60.0


def say(client: Client, said: Said, operations: Operations) -> None:
    client.send(
        {"receiver": said.to, "performative": said.act, "content": said.content, "conversation_id": said.talk}
    )
    operations.acknowledged.add(said.talk)


def ask(client: Client, content: object, **more: Any) -> Any:
    message = {"receiver": "boss", "performative": "request", "content": content, **more}
    (answer,) = client.send(message, wait_s=PATIENCE_S).replies
    return answer.message.json["content"]


def children(client: Client) -> set[str]:
    return {one.name for one in client.agents() if one.name.startswith("k")}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.long)])
def test_what_agents_have_is_there_once(tmp_path: Path, kills: int) -> None:
    pick = random.Random(kills)
    operations = Operations(pick, 1_500)
    for name, source in (("boss", BOSS), ("peer", PEER)):
        (tmp_path / f"{name}.py").write_text(source)
    with running(tmp_path / "p", PROJECT, [*tmp_path.glob("*.py")]) as daemon:
        with daemon.client() as client:
            say(client, operations.tell(*SUBSCRIBE), operations)
        for kill in range(kills):
            with daemon.client(PATIENCE_S) as client:
                for _ in range(pick.randrange(5, 15)):
                    begin = pick.choice(operations.every())
                    gone = begin == operations.destroy
                    say(client, operations.destroy(children(client)) if gone else begin(), operations)
                cells = [one.pid for one in client.status().cells if one.pid is not None]
            if kill % 3 == 1 and cells:
                os.kill(pick.choice(cells), signal.SIGKILL)
            else:
                daemon.kill()
                daemon.start()
        until = monotonic() + PATIENCE_S
        with daemon.client(PATIENCE_S) as client:
            while True:
                heard = ask(client, "tell")
                calls = ask(client, {}, performative="query-ref", ontology="caxton-calls")
                if not (client.timers() or calls["open"] or operations.waits(heard)):
                    break
                assert monotonic() < until, (calls, client.timers())
            operations.check(heard, children(client))
            for talk in operations.calls:
                acts = [one.message.performative for one in client.messages(conversation=talk)]
                assert acts == ["request", "inform"], (talk, acts)
            for name in children(client):
                wish = {"receiver": name, "performative": "request", "content": {"add": 1}}
                (answer,) = client.send(wish, wait_s=PATIENCE_S).replies
                assert answer.message.json["content"] == {"count": 1}
