"""What a slot holds: an instance of a core module or of a component, with one face."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, Protocol

from caxton.limits import Limits
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.instance import Instance
from caxton.sandbox.components.component import ComponentInstance
from caxton.sandbox.components.linker import World
from caxton.sandbox.modules import Revision


class Guest(Protocol):
    """A live guest; `Instance` says what each of these does and raises."""

    abi: str

    @property
    def memory_bytes(self) -> int | None:
        """What `measure` said last."""
        ...

    @property
    def hooks(self) -> Set[str]:
        """The optional exports that it has."""
        ...

    def turn(self, message: bytes) -> tuple[int, bytes, int]:
        """Handle one message."""
        ...

    def init(self, name: str, settings: Any, seeds: Sequence[str] = ()) -> None:
        """Tell the guest its name and settings; its randomness is drawn from the seeds."""
        ...

    def snapshot(self) -> bytes:
        """The guest's state."""
        ...

    def restore(self, state: bytes) -> None:
        """Give the guest the state of an earlier instance."""
        ...

    def shutdown(self) -> None:
        """Let the guest end in order."""
        ...

    def measure(self) -> int | None:
        """Bytes of linear memory now; None where nobody can know."""
        ...

    def patience(self, times: int) -> None:
        """Let every call from now on take so many times the wall limit."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


def live(revision: Revision | World, limits: Limits, calls: type[PublicCalls]) -> Guest:
    """A guest of that revision, before its `init`; raises GuestFault. `calls` is how core modules are called."""
    if isinstance(revision, World):
        return ComponentInstance(revision, limits)
    return Instance(revision, limits, calls)
