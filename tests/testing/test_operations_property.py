"""The same promises for what agents have beside their mailboxes: timers, topics, children, watches, calls that wait.

However the machine ends meanwhile: no timer rings twice or never, no publication is heard twice or not at all, no child
is lost or doubled, every call is answered once. `just torture 10000` runs many; a seed that fails is run again by
`just torture 1 SEED`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from caxton.example_modules import module
from caxton.sandbox.python.runtime import packed
from caxton.testing import Agent, System, runtime

from .operations import BOSS, PEER, SUBSCRIBE, Operations, Said
from .orders import EXAMPLES
from .test_journal_property import CONFIG, FIRST, MANY, STEPS, Model, Sequence

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("python_runtime")]

SEEDS = MANY if "TORTURE" in os.environ else 2
AGENTS: dict[str, Agent | bytes] = {
    "boss": packed(EXAMPLES / "boss.py", BOSS.encode()),
    "peer": packed(EXAMPLES / "peer.py", PEER.encode()),
    "worker": module("counter"),
    "hooks": module("counter"),
    "sink": Agent(module("echo"), recover="fresh"),
}
RIGHTS = {"agents": {"boss": {"wasm": "boss.wasm", "may": ["create", "destroy"], "children_per_s": 1_000}}}
LONGEST_MS = 60_000


class Busy(Sequence):
    """One run, and what the boss was told in it."""

    def __init__(self, system: System, pick: random.Random) -> None:
        super().__init__(system, pick)
        self.model = Model(counted={"hooks": 0}, tried={"hooks": 0})
        self.operations = Operations(pick, LONGEST_MS)
        self._begin(self.operations.tell(*SUBSCRIBE))

    def happens(self) -> list[Callable[[], object]]:
        """What may happen beside what happens to any machine."""
        return [*super().happens(), *[self.operate] * 12, self.hurry, self.hurry, self.urgent]

    def _begin(self, said: Said) -> None:
        sent = self.system.send(said.content, to=said.to, performative=said.act, conversation_id=said.talk)
        self.operations.acknowledged.add(said.talk)
        self.model.said.append((sent.seq, said.talk))

    def operate(self) -> None:
        """Something is begun."""
        living = [one for one in self.system.runtime.agents.registry.agents if one.startswith("k")]
        for _ in range(self.pick.randrange(1, 4)):
            begin = self.pick.choice(self.operations.every())
            self._begin(self.operations.destroy(living) if begin == self.operations.destroy else begin())

    def hurry(self) -> None:
        """The power goes soon after several things were begun."""
        self.system.crash_after(self.pick.randrange(1, 30))
        for _ in range(3):
            self.operate()
        self.system.crash_after(None)

    def urgent(self) -> None:
        """What is urgent goes ahead of others that count."""
        self.model.tried["hooks"] += 3
        for _ in range(2):
            self.system.submit({"add": 1}, to="hooks")
        talk = self.operations.next("fast-")
        said = self.system.send({"add": 1}, to="hooks", conversation_id=talk, x_priority="urgent")
        # what was said before it is in its commit, or in one before
        self.model.counted["hooks"] += 3
        self.model.said.append((said.seq, talk))

    def check(self) -> None:
        """Everything that was acknowledged was done, once."""
        system = self.system
        system.disk.heal()
        system.restart()
        # every timer has rung by then, whatever the clock was set to
        system.advance(2 * LONGEST_MS / 1000)
        system.until_quiet()
        assert system.runtime.timer.armed == 0
        heard = system.ask("tell", to="boss")["content"]
        living = system.runtime.agents.registry.agents
        self.operations.check(heard, living)
        for name in [one for one in living if one.startswith("k")]:
            assert system.ask({"add": 1}, to=name)["content"] == {"count": 1}
        for talk in self.operations.calls:
            acts = [one["performative"] for one in system.messages(conversation_id=talk)]
            # retention may have removed all of it; a clock that was set may have ended its time
            if "request" in acts:
                assert acts in (["request", "inform"], ["request", "failure"]), (talk, acts)
            else:
                assert len(acts) <= 1
        calls = system.ask({}, to="boss", performative="query-ref", ontology="caxton-calls")["content"]
        assert calls == {"open": 0, "calls": []}
        super().check()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_what_agents_have_is_there_once(seed: int) -> None:
    with runtime(AGENTS, seed=seed, config={**CONFIG, **RIGHTS}) as system:
        busy = Busy(system, random.Random(seed))
        for _ in range(STEPS):
            busy.step()
        busy.check()
