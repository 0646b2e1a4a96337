"""Whatever happens to a machine, what was acknowledged is there: messages in order, keys, memories.

Each sequence is drawn from its seed: messages, retention, a clock that is set, crashes, an end in order, a disk that is
full or fails. It is compared with a model that knows what was acknowledged, and what was tried. `just torture 10000`
runs many; a seed that fails is run again by `just torture 1 SEED`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from agents.systems import tally

from caxton.agents.record import SUSPENDED
from caxton.errors import CaxtonError
from caxton.example_modules import module
from caxton.testing import Agent, Crashed, DiskError, System, runtime

FIRST = int(os.environ.get("TORTURE_SEED", "0"))
MANY = int(os.environ.get("TORTURE", "6"))
STEPS = 30
DAY_S = 86_400.0
AGENTS: dict[str, Agent | bytes] = {
    "hooks": module("counter"),
    "none": Agent(tally(), wat=True),
    "sink": Agent(module("echo"), recover="fresh"),
}
CONFIG = {"journal": {"keep_mib": 1, "snapshot_every": 7}}


@dataclass
class Model:
    """What was acknowledged, and what may have happened beside."""

    said: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Number and conversation of every acknowledged message."""
    keys: dict[str, int] = field(default_factory=dict[str, int])
    counted: dict[str, int] = field(default_factory=lambda: {"hooks": 0, "none": 0})
    tried: dict[str, int] = field(default_factory=lambda: {"hooks": 0, "none": 0})


class Sequence:
    """One run; everything in it follows from its seed."""

    def __init__(self, system: System, pick: random.Random) -> None:
        self.system = system
        self.model = Model()
        self.pick = pick
        self._no = 0

    def step(self) -> None:
        """Something happens."""
        try:
            self.pick.choice(self.happens())()
        except Crashed:
            self.system.crash_after(None)
            self.system.restart()

    def happens(self) -> list[Callable[[], object]]:
        """What may happen, each as likely as often as it stands here."""
        happens = [self.count, self.count, self.count, self.flood, self.set_clock, self.fail, self.wait]
        return [*happens, self.crash, self.crash_soon, self.end, self.system.kill_cell, self.pause]

    def count(self) -> None:
        """An agent is asked to count, a few times; each has a key."""
        self._count(self.pick.choice(list(self.model.counted)))

    def pause(self) -> None:
        """What comes for a suspended agent waits, while others say much."""
        name = self.pick.choice(list(self.model.counted))
        # it may be on its way back
        with suppress(CaxtonError):
            self.system.run(self.system.runtime.agents.suspend(name))
        self._count(name)
        self.flood()
        self.resume(name)

    def resume(self, name: str) -> None:
        """It goes on, if it was suspended."""
        if self.system.runtime.agents.registry.find(name).config.desired == SUSPENDED:
            self.system.run(self.system.runtime.agents.resume(name))

    def _count(self, name: str) -> None:
        for _ in range(self.pick.randrange(1, 12)):
            self._no += 1
            key, talk = f"key-{self._no}", f"talk-{self._no}"
            self.model.tried[name] += 1
            seq = self.system.run(self._say(name, key, talk))
            self.model.counted[name] += 1
            self.model.keys[key] = seq
            self.model.said.append((seq, talk))

    async def _say(self, name: str, key: str, talk: str) -> int:
        runtime = self.system.runtime
        message: dict[str, object] = {"receiver": name, "performative": "request", "conversation_id": talk}
        said = runtime.bus.submit({**message, "content": {"add": 1}}, client_key=key)
        await runtime.journal.committed_upto(said.seq)
        return said.seq

    def flood(self) -> None:
        """Others say much, so that old rows go."""
        for _ in range(self.pick.randrange(1, 12)):
            self.system.send("x" * 60_000, to="sink", performative="inform")
            self.system.advance(0.3)

    def set_clock(self) -> None:
        """Somebody sets the clock."""
        self.system.set_clock_by(self.pick.choice([1, -1]) * self.pick.choice([3_600.0, DAY_S, 60 * DAY_S]))

    def fail(self) -> None:
        """The disk will be full, or fail, at some commit, for a while."""
        self.system.fail_next_write(
            self.pick.choice(list(DiskError)),
            after=self.pick.randrange(6),
            times=self.pick.randrange(1, 4),
            landed=self.pick.random() < 0.5,
        )

    def wait(self) -> None:
        """Time passes."""
        self.system.advance(self.pick.choice([0.05, 1.0, 70.0, 3_700.0]))

    def crash(self) -> None:
        """The power goes, and comes back."""
        self.system.restart()

    def crash_soon(self) -> None:
        """The power goes at one of the next steps of the machine."""
        self.system.crash_after(self.pick.randrange(1, 40))
        self.count()
        self.flood()
        self.system.crash_after(None)

    def end(self) -> None:
        """The daemon is stopped in order, and started."""
        self.system.disk.heal()
        self.system.stop()
        self.system.start()

    def check(self) -> None:
        """Everything that was acknowledged is there."""
        self.system.disk.heal()
        self.system.restart()
        for name in self.model.counted:
            self.resume(name)
        self.system.until_quiet()
        model, db = self.model, self.system.disk.db
        trimmed = int(db.execute("select value from meta where key = 'trimmed_upto'").fetchone()[0])
        stored = {one["conversation_id"] for one in self.system.messages(sender="operator@local")}
        assert [talk for seq, talk in model.said if seq > trimmed and talk not in stored] == []
        seqs = [seq for seq, _ in model.said]
        assert seqs == sorted(set(seqs)), "numbers are given once, in order"
        assert dict(db.execute("select key, seq from client_key").fetchall()).items() >= model.keys.items()
        for name in model.counted:
            content = self.system.ask({"add": 1}, to=name)["content"]
            now = int(content if isinstance(content, str) else content["count"])
            assert model.counted[name] < now <= model.tried[name] + 1, f"{name} remembers {now - 1}"
        assert not [row for row in db.execute("select body from event") if b'"memory_reason":"' in row[0]]


@pytest.mark.parametrize("seed", range(FIRST, FIRST + MANY))
def test_what_was_acknowledged_is_there(seed: int) -> None:
    with runtime(AGENTS, seed=seed, config=CONFIG) as system:
        sequence = Sequence(system, random.Random(seed))
        for _ in range(STEPS):
            sequence.step()
        sequence.check()
