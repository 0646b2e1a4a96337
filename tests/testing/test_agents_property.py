"""The same promises where agents fail and change: traps, states that cannot be kept, storms, builds that are swapped,
dead letters that are delivered again, and long pasts that are run once more.

`just torture 10000` runs many; a seed that fails is run again by `just torture 1 SEED`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from agents.systems import tally

from caxton.bench.storms import guest
from caxton.bus.redelivery import Redelivery
from caxton.errors import CaxtonError
from caxton.example_modules import module
from caxton.limits import Limits
from caxton.testing import Agent, System, runtime

from .test_journal_property import CONFIG, FIRST, MANY, STEPS, Model, Sequence

FORK = {"performative": "inform", "receiver": "storm", "content": 1}
AGENTS: dict[str, Agent | bytes] = {
    "hooks": module("counter"),
    "none": Agent(tally(), wat=True),
    # what its state takes is more than it may: it is never kept
    "frail": Agent(module("counter"), limits=Limits(snapshot_fuel=1_000)),
    "storm": Agent(guest([FORK, FORK]), wat=True, recover="fresh"),
    "sink": Agent(module("echo"), recover="fresh"),
}
COUNTED = ("hooks", "none", "frail")
TRAPS = "x" * 2_500
"""What makes the agent without hooks trap."""


class Failures(Sequence):
    """One run; `check` is that of the journal's, over agents that have failed and changed meanwhile."""

    def __init__(self, system: System, pick: random.Random) -> None:
        super().__init__(system, pick)
        self.model = Model(counted=dict.fromkeys(COUNTED, 0), tried=dict.fromkeys(COUNTED, 0))
        self._build = 0

    def happens(self) -> list[Callable[[], object]]:
        """What may happen beside what happens to any machine."""
        return [*super().happens(), self.trap, self.storm, self.swap, self.redeliver, self.past, self.past]

    def step(self) -> None:
        super().step()
        # whom a crash left stopped is started by somebody
        for name in COUNTED:
            self._start(name)

    def _start(self, name: str) -> None:
        for _ in range(60):
            agents = self.system.runtime.agents
            if agents.view(name).state == "running":
                return
            self.system.disk.heal()
            # its cell may be on its way back
            with suppress(CaxtonError):
                self.resume(name)
                self.system.run(agents.start(name))
            self.system.advance(1.0)
        raise AssertionError(f"{name} does not start: {self.system.runtime.agents.view(name)}")

    def trap(self) -> None:
        """A message costs the instance: its letter is there, and what the agent remembers is as before."""
        said = self.system.send(TRAPS, to="none", conversation_id=f"trap-{self.system.runtime.bus.last_seq}")
        self.model.said.append((said.seq, said.conversation_id))

    def storm(self) -> None:
        """An agent says two messages in each turn, until its tree is full."""
        self.system.send(1, to="storm", performative="inform")

    def swap(self) -> None:
        """Another build of an agent with the same behaviour takes its memory over."""
        self._build += 1
        section = f"build {self._build}".encode()
        name = self.pick.choice(["hooks", "frail"])
        custom = bytes([0, len(section) + 1, len(section)]) + section
        # where the disk fails, or its state cannot be carried, the old build goes on
        with suppress(CaxtonError):
            self.system.deploy(name, module("counter") + custom)

    def redeliver(self) -> None:
        """What was sent to a stopped agent is delivered again once it runs, each letter once."""
        name = self.pick.choice(COUNTED)
        agents = self.system.runtime.agents
        self.system.disk.heal()
        self.system.run(agents.stop(name))
        self.model.tried[name] += 1
        said = self.system.send({"add": 1}, to=name)
        self.model.said.append((said.seq, said.conversation_id))
        self._start(name)
        self.model.counted[name] += self.system.run(self._redeliver(said.seq))

    async def _redeliver(self, seq: int) -> bool:
        """Whether it was there to be delivered again: it may have gone with all that is beyond the size to keep."""
        runtime = self.system.runtime
        await runtime.journal.written()
        letters = await runtime.journal.reader.dead_letters(seq=seq)
        if not letters:
            assert runtime.journal.kept.removed_upto >= seq
            return False
        (letter,) = letters
        stored = await runtime.journal.reader.message(seq)
        assert stored is not None
        sent = Redelivery(runtime.bus).redeliver(letter, stored)
        runtime.bus.settle()
        await runtime.journal.committed_upto(sent.seq)
        return True

    def past(self) -> None:
        """An agent has a past of many turns, and loses its cell."""
        for _ in range(3):
            self.count()
        self.system.kill_cell()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + MANY))
def test_what_was_acknowledged_is_there_whatever_agents_do(seed: int) -> None:
    with runtime(AGENTS, seed=seed, config={**CONFIG, "bus": {"tree_waiting": 100}}) as system:
        failures = Failures(system, random.Random(seed))
        for _ in range(STEPS):
            failures.step()
        failures.check()
