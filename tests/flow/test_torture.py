"""Whatever happens to real processes, what was acknowledged is there: messages, keys, memories.

Each sequence is drawn from its seed: messages, floods that retention takes away, cells and daemons that are killed,
ends in order, agents that are suspended. The runtime in one process has more of them, and also what no process can be
made to do (tests/testing/test_journal_property.py). `just torture-processes 200` runs many.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from caxton.client import Client
from caxton.errors import CaxtonError
from caxton.schemas.messages import SubmittedBody

from .running import Daemon, running

pytestmark = [pytest.mark.crash, pytest.mark.long, pytest.mark.timeout(600)]

FIRST = int(os.environ.get("TORTURE_SEED", "0"))
MANY = int(os.environ.get("TORTURE_PROCESSES", "3"))
STEPS = 12
WAIT_S = 30.0
PROJECT = """
cells = 2
journal = { keep_mib = 1, snapshot_every = 7 }
[agents.counter]
wasm = "counter.wasm"
[agents.sink]
wasm = "echo.wasm"
recover = "fresh"
"""


class Sequence:
    """One run against one project, and what was acknowledged in it."""

    def __init__(self, daemon: Daemon, pick: random.Random) -> None:
        self.daemon = daemon
        self.pick = pick
        self.keys: dict[str, str] = {}
        """The id that each key was answered with."""
        self.tried = 0

    def step(self) -> None:
        """Something happens."""
        happens = [
            self.count,
            self.count,
            self.flood,
            self.kill,
            self.kill_at_work,
            self.end,
            self.kill_cell,
            self.pause,
        ]
        self.pick.choice(happens)()

    def count(self) -> None:
        """The agent is asked to count, a few times; each has a key."""
        with self.daemon.client(WAIT_S) as client:
            self._count(client, self.pick.randrange(1, 12))

    def _count(self, client: Client, many: int) -> None:
        for _ in range(many):
            self.tried += 1
            key = f"key-{self.tried}"
            self.keys[key] = say(client, key).id

    def flood(self) -> None:
        """Somebody says much, so that old rows go."""
        with self.daemon.client(WAIT_S) as client:
            for _ in range(self.pick.randrange(1, 12)):
                client.send({"receiver": "sink", "performative": "inform", "content": "x" * 60_000})

    def kill(self) -> None:
        """The daemon is killed while nothing is asked of it."""
        self.daemon.kill()
        self.daemon.start()

    def kill_at_work(self) -> None:
        """The daemon is killed while it is asked: of the last message nobody knows whether it was taken."""
        reached, after = threading.Event(), self.pick.randrange(1, 6)

        def ask() -> None:
            with suppress(CaxtonError), self.daemon.client(WAIT_S) as client:
                while True:
                    self._count(client, after)
                    reached.set()

        asking = threading.Thread(target=ask)
        asking.start()
        reached.wait()
        self.daemon.kill()
        asking.join()
        self.daemon.start()

    def end(self) -> None:
        """It is ended in order."""
        assert self.daemon.stop() == 0
        self.daemon.start()

    def kill_cell(self) -> None:
        """One of its cells is killed."""
        with self.daemon.client(WAIT_S) as client:
            pids = [cell.pid for cell in client.status().cells if cell.pid is not None]
        if pids:
            with suppress(ProcessLookupError):
                os.kill(self.pick.choice(pids), signal.SIGKILL)

    def pause(self) -> None:
        """What comes for a suspended agent waits, while others say much."""
        with self.daemon.client(WAIT_S) as client:
            with suppress(CaxtonError):  # it may be on its way back
                client.change_agent("counter", "suspend")
            self._count(client, 3)
        self.flood()
        if self.pick.random() < 0.5:
            self.kill()
        with self.daemon.client(WAIT_S) as client, suppress(CaxtonError):
            client.change_agent("counter", "resume")

    def check(self) -> None:
        """Every key is answered as it was, and the agent has counted each message once."""
        with self.daemon.client(WAIT_S) as client:
            with suppress(CaxtonError):
                client.change_agent("counter", "resume")
            assert {key: say(client, key).id for key in self.keys} == self.keys
            wish = {"receiver": "counter", "performative": "request", "content": {"add": 0}}
            (answer,) = client.send(wish, wait_s=WAIT_S).replies
            counted = answer.message.json["content"]["count"]
        assert len(self.keys) <= counted <= self.tried


def say(client: Client, key: str) -> SubmittedBody:
    wish = {
        "receiver": "counter",
        "performative": "request",
        "conversation_id": f"of-{key}",
        "content": {"add": 1},
    }
    return client.send(wish, idempotency_key=key)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + MANY))
def test_what_was_acknowledged_is_there(tmp_path: Path, seed: int) -> None:
    with running(tmp_path / "p", PROJECT) as daemon:
        sequence = Sequence(daemon, random.Random(seed))
        for _ in range(STEPS):
            sequence.step()
        sequence.check()
