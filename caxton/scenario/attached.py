"""A scenario's host that is a running daemon: in its time, on its agents, without faults.

In: the socket of a daemon. Out: a `Host`. Conversations get names of their own, so that a scenario can be played on the
same daemon again; what others say meanwhile is seen as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from caxton.client import Client
from caxton.errors import ConfigurationError, ConversationNotFound
from caxton.scenario.format import Swap, Task
from caxton.scenario.host import Sent
from caxton.scenario.read import ScenarioFile
from caxton.schemas.messages import ConversationDetail, MessageBody, TaskDetail
from caxton.simulation.orders import Decided

POLL_S: Final = 0.02
MOST: Final = 100_000
ONLY_VIRTUAL: Final = (
    "advance",
    "crash_cell",
    "kill_daemon",
    "delay",
    "drop",
    "duplicate",
    "reorder",
    "fill",
    "fail_disk",
)
"""Steps that a running daemon does not take."""


@contextmanager
def attached_host(file: ScenarioFile, socket: Path) -> Generator[AttachedHost]:
    """The daemon at that socket; raises Unreachable, and ConfigurationError for a scenario that needs more."""
    for number, step in file.steps():
        if step.kind in ONLY_VIRTUAL:
            raise ConfigurationError(
                f"line {file.line(number)}: a running daemon has no virtual time and takes no faults, "
                f"so it cannot {step.kind}",
                hint="run it without --attach",
            )
    with Client(socket) as client:
        yield AttachedHost(client)


class AttachedHost:
    """See `Host`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._run = token_hex(4)
        newest = client.messages(limit=1, newest=True)
        self._before = newest[0].seq if newest else 0
        self.platform = client.status().platform

    def now_s(self) -> float:
        """This machine's time."""
        return time.time()

    def send(self, message: Mapping[str, Any]) -> Sent:
        """Say it; on disk."""
        done = self._client.send({**message, "conversation_id": self._own(message["conversation_id"])})
        return Sent(done.seq, done.conversation_id)

    def task(self, task: Task) -> TaskDetail:
        """Run it to its end."""
        return self._client.run_task(task.model_dump(exclude_unset=True, exclude={"ending"}))

    def messages(self) -> Sequence[MessageBody]:
        """What is committed since it was attached to."""
        return self._client.messages(after=self._before, limit=MOST)

    def conversation(self, id: str) -> ConversationDetail | None:
        """As the API has it."""
        try:
            return self._client.conversation(id if id.endswith(self._run) else self._own(id), limit=MOST)
        except ConversationNotFound:
            return None

    def memory_bytes(self, agent: str) -> int | None:
        """As its cell measured it last."""
        kib = self._client.agent(agent).memory_kib
        return None if kib is None else kib * 1024

    def module_bytes(self, agent: str) -> int | None:
        """The daemon does not tell."""
        return None

    def choices(self) -> int:
        """Nobody knows."""
        return 0

    def decided(self) -> Sequence[Decided]:
        """Nobody knows."""
        return ()

    def waited_s(self) -> float:
        """Nobody decides that."""
        return 0.0

    def digest(self) -> str:
        """A daemon's journal is like no other."""
        return ""

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Look again and again."""
        until_s = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until_s:
                return False
            time.sleep(POLL_S)
        return True

    def quiet(self, silence_s: float, seconds: float) -> bool:
        """Nothing waits and nothing was said."""

        def silent() -> bool:
            newest = self._client.messages(limit=1, newest=True)
            waits = any(one.mailbox or one.in_flight for one in self._client.agents())
            return not waits and (not newest or time.time() - newest[0].at.timestamp() >= silence_s)

        return self.until(silent, seconds)

    def swap(self, swap: Swap, module: bytes | None) -> None:
        """Deploy a build, with the settings and limits that the agent has."""
        if module is None:
            raise ConfigurationError(
                "the build is not here: a running daemon needs swap.wasm", hint="name it"
            )
        there = self._client.agent(swap.agent)
        self._client.deploy(
            swap.agent,
            module,
            settings=there.settings,
            limits=there.limits,
            profile=there.profile,
            strategy=swap.strategy,
        )

    def _own(self, id: str) -> str:
        return f"{id}-{self._run}"
