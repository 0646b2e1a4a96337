"""What a scenario is played on, as a port.

In: what a step does. Out: messages with what became of them, conversations with their states, as the API has them. A
runtime in one process on virtual time is one (`simulated`), a daemon that runs another (`attached`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from caxton.scenario.format import Delay, Drop, FailDisk, Fill, KillDaemon, Swap, Task
from caxton.schemas.messages import ConversationDetail, MessageBody, TaskDetail
from caxton.simulation.orders import Decided

Json = dict[str, Any]


class Sent(NamedTuple):
    """A message that is on disk."""

    seq: int
    conversation_id: str


class Host(Protocol):
    """A system with agents. Times are seconds of its own time."""

    @property
    def platform(self) -> str:
        """The part after @ in the names."""
        ...

    def now_s(self) -> float:
        """Its time, in seconds since 1970."""
        ...

    def send(self, message: Mapping[str, Any]) -> Sent:
        """Say something as a client; returns when it is on disk."""
        ...

    def task(self, task: Task) -> TaskDetail:
        """Run a protocol to its end."""
        ...

    def messages(self) -> Sequence[MessageBody]:
        """All messages since the scenario began, with what became of each so far."""
        ...

    def conversation(self, id: str) -> ConversationDetail | None:
        """One conversation; None where there is none of that id."""
        ...

    def memory_bytes(self, agent: str) -> int | None:
        """An agent's memory; None where nobody can see it."""
        ...

    def module_bytes(self, agent: str) -> int | None:
        """The size of the module that an agent began with; None where nobody can see it."""
        ...

    def choices(self) -> int:
        """How often chance has decided whose turn is next; 0 where nobody knows."""
        ...

    def decided(self) -> Sequence[Decided]:
        """What was decided about the order that is not the plainest; nothing where nobody knows."""
        ...

    def waited_s(self) -> float:
        """How long agents were slow because that was decided."""
        ...

    def digest(self) -> str:
        """A hash of what happened; empty where it says nothing."""
        ...

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until something holds, at the most so long; whether it does. It is looked at again after each
        commit."""
        ...

    def quiet(self, silence_s: float, seconds: float) -> bool:
        """Let time pass until nothing was said for so long; whether that came to be within those seconds."""
        ...

    def swap(self, swap: Swap, module: bytes | None) -> None:
        """Bring an agent a build; without a module, the same one under another hash."""
        ...


class VirtualHost(Host, Protocol):
    """A system on a machine that is simulated: its time can be moved, and what may break, breaks on command."""

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def crash_cell(self, agent: str) -> None:
        """Kill the cell in which an agent lives."""
        ...

    def kill_daemon(self, kill: KillDaemon) -> None:
        """Crash, and start again."""
        ...

    def delay(self, delay: Delay) -> None:
        """Make agents wait for messages from now on."""
        ...

    def lose(self, drop: Drop) -> None:
        """Lose messages from now on, or bring them twice, or behind the next."""
        ...

    def fill(self, fill: Fill) -> int:
        """Fill a mailbox; how many messages that took."""
        ...

    def fail_disk(self, fault: FailDisk) -> None:
        """Let commits fail."""
        ...
