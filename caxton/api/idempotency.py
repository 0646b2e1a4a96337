"""Idempotency keys: a request that the same client repeats is answered as the first one was and has no second effect.

In: a key, who speaks and the bytes of the request. Out: the key as the journal keeps it, for one request at a time.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Annotated, Final, NamedTuple

from fastapi import Header

from caxton.errors import InvalidMessage, KeyTaken

KEY: Final = r"^[\x21-\x7e]{1,200}$"
IdempotencyKey = Annotated[
    str | None,
    Header(description="1 to 200 printable characters.", json_schema_extra={"pattern": KEY}),
]
_KEY: Final = re.compile(KEY)


class Claim(NamedTuple):
    """A key of a client, with the request that it came with. Messages and tasks have keys of their own."""

    speaker: str
    name: str
    kind: str
    owned: str
    """How every key begins that this client has under that name."""
    key: str
    """The key of exactly this request."""

    @classmethod
    def of(cls, speaker: str, name: str, body: bytes, kind: str = "message") -> Claim:
        """Raises InvalidMessage for what cannot be a key."""
        if not _KEY.fullmatch(name):
            raise InvalidMessage("the Idempotency-Key must be 1 to 200 printable ASCII characters")
        owned = f"{speaker} {name} " if kind == "message" else f"{kind} {speaker} {name} "
        return cls(speaker, name, kind, owned, owned + sha256(body).hexdigest())

    def check(self, known: str, **details: object) -> None:
        """Raises KeyTaken, with these details, where the key is known with another request."""
        if known != self.key:
            raise KeyTaken(
                f"{self.speaker} has sent another {self.kind} with the Idempotency-Key {self.name[:80]!r}",
                hint=f"repeat a request byte for byte; another {self.kind} has another key",
                **details,
            )


class Keys:
    """Idempotency keys whose request is in progress, one at a time for each key."""

    def __init__(self) -> None:
        self._locks: OrderedDict[str, tuple[asyncio.Lock, int]] = OrderedDict()

    @asynccontextmanager
    async def alone(self, owned: str) -> AsyncGenerator[None]:
        """Wait until no other request with that key is in progress."""
        lock, users = self._locks.get(owned, (asyncio.Lock(), 0))
        self._locks[owned] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            # forgotten when nobody uses it any more
            lock, users = self._locks.pop(owned)
            if users > 1:
                self._locks[owned] = (lock, users - 1)
