"""Clients on the bus: `operator` and `operator.NAME`, the people and scripts outside.

In: messages that the bus addresses to a client. Out: the same bodies, once each and in order, to whoever waits for
that conversation, and only after the commit (DESIGN.md 1, third idea) where that is outside the daemon.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Final, NamedTuple

WAITING_MAX: Final = 10_000


class StoredBody(NamedTuple):
    """A message for a client; or, with `ended`, the reason why no other is to be waited for."""

    seq: int
    body: bytes
    ended: str | None = None


class Waiter:
    """Somebody who waits for messages of one conversation; use it as a context manager."""

    def __init__(self, waiters: dict[str, list[Waiter]], conversation_id: str) -> None:
        self._among = waiters
        self._conversation_id = conversation_id
        self._bodies: deque[StoredBody] = deque(maxlen=WAITING_MAX)
        self._woken = asyncio.Event()

    def __enter__(self) -> Waiter:
        self._among.setdefault(self._conversation_id, []).append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        waiters = self._among[self._conversation_id]
        waiters.remove(self)
        if not waiters:
            del self._among[self._conversation_id]

    def give(self, body: StoredBody) -> None:
        """Hand over a message."""
        self._bodies.append(body)
        self._woken.set()

    def take(self) -> StoredBody | None:
        """The next message where one is there already."""
        return self._bodies.popleft() if self._bodies else None

    def wake(self) -> None:
        """End a `wait` without a message."""
        self._woken.set()

    async def wait(self) -> None:
        """Return when a message is there, or somebody wakes."""
        if not self._bodies:
            self._woken.clear()
            await self._woken.wait()

    async def next(self, timeout_s: float) -> StoredBody | None:
        """The next message, or None when the time is over or somebody wakes."""
        if not self._bodies:
            self._woken.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._woken.wait()
            except TimeoutError:
                return None
        return self.take()


class Clients:
    """Everybody who waits."""

    def __init__(self, platform: str) -> None:
        self._operator = f"operator@{platform}"
        self._prefix = "operator."
        self._suffix = f"@{platform}"
        self.waiters: dict[str, list[Waiter]] = {}
        self.insiders: dict[str, list[Waiter]] = {}
        self.closed = False
        """Nobody waits any more: the daemon stops."""
        self._admitted: deque[tuple[str, StoredBody]] = deque()

    def close(self) -> None:
        """Send away whoever waits, and whoever would."""
        self.closed = True
        for waiter in [one for among in self.waiters.values() for one in among]:
            waiter.wake()

    def is_client(self, name: str) -> bool:
        """Whether a full name is a client's."""
        return name == self._operator or (name.startswith(self._prefix) and name.endswith(self._suffix))

    def expect(self, conversation_id: str) -> Waiter:
        """Wait for messages to clients in that conversation; open it before the first await after `submit`."""
        return Waiter(self.waiters, conversation_id)

    def expect_inside(self, conversation_id: str) -> Waiter:
        """The same for who speaks from inside the daemon: at the moment of admission, as agents hear it."""
        return Waiter(self.insiders, conversation_id)

    def admit(self, seq: int, conversation_id: str, body: bytes) -> None:
        """A message for a client was admitted; it is handed over after its commit, to those inside at once."""
        self.stopped(seq, conversation_id, body)
        if conversation_id in self.waiters:
            self._admitted.append((conversation_id, StoredBody(seq, body)))

    def end(self, seq: int, conversation_id: str, reason: str) -> None:
        """What is waited for in a conversation will not come; told after the commit of that number."""
        if conversation_id in self.waiters:
            self._admitted.append((conversation_id, StoredBody(seq, b"", reason)))

    def stopped(self, seq: int, conversation_id: str, body: bytes) -> None:
        """A message was admitted and is delivered to nobody; those inside learn of it all the same."""
        for insider in self.insiders.get(conversation_id, ()):
            insider.give(StoredBody(seq, body))

    def commit(self, seq: int) -> None:
        """Everything up to `seq` is on disk."""
        while self._admitted and self._admitted[0][1].seq <= seq:
            conversation_id, body = self._admitted.popleft()
            for waiter in self.waiters.get(conversation_id, ()):
                waiter.give(body)
