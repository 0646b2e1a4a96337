"""Who is in: one-time links, and the sessions that they open.

In: how to talk to the daemon, secrets of browsers, the time in seconds. Out: sessions. Only hashes of secrets are kept,
in memory; a session ends when nobody has used it for a while, or when it is left.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from caxton.client import AsyncClient, Remote
from caxton.errors import TooManyRequests

LINK_S: Final = 600.0
"""How long a one-time link can be used."""


@dataclass(eq=False)
class Session:
    """Somebody's browser. `where` is the daemon, with the credential that is used for it; `read_only`: nothing is
    changed, whatever the credential may."""

    where: Path | Remote
    name: str
    read_only: bool
    used_s: float
    token_file: Path | None = None
    """A file of its own, which goes with it."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.client = AsyncClient(self.where)

    async def end(self) -> None:
        """Let go of the daemon; terminals and streams see that it has ended."""
        self.ended.set()
        await self.client.close()
        if self.token_file is not None:
            self.token_file.unlink(missing_ok=True)


class Sessions:
    """At most `most` at a time, each until nobody has used it for `idle_s`."""

    def __init__(self, now_s: Callable[[], float], *, most: int, idle_s: float) -> None:
        self._now_s = now_s
        self._most = most
        self.idle_s = idle_s
        self._links: dict[str, float] = {}
        self._sessions: dict[str, Session] = {}

    def link(self) -> str:
        """The secret of a new one-time link; the one before it is worth nothing any more."""
        secret = secrets.token_urlsafe(32)
        self._links = {_hash(secret): self._now_s() + LINK_S}
        return secret

    def use_link(self, secret: str) -> bool:
        """Whether that link can be used, which it is by this."""
        until = self._links.pop(_hash(secret), None)
        return until is not None and self._now_s() <= until

    def open(
        self, where: Path | Remote, name: str, *, read_only: bool, token_file: Path | None = None
    ) -> str:
        """The secret of a new session; TooManyRequests where there are too many."""
        if len(self._sessions) >= self._most:
            raise TooManyRequests(
                f"there are {self._most} sessions already", hint="leave one, or raise --sessions"
            )
        secret = secrets.token_urlsafe(32)
        self._sessions[_hash(secret)] = Session(where, name, read_only, self._now_s(), token_file)
        return secret

    def find(self, secret: str) -> Session | None:
        """The session of that secret."""
        return self._sessions.get(_hash(secret))

    def use(self, session: Session) -> None:
        """Somebody has done something in it."""
        session.used_s = self._now_s()

    async def leave(self, session: Session) -> None:
        """End one."""
        self._sessions = {key: one for key, one in self._sessions.items() if one is not session}
        await session.end()

    async def end_idle(self) -> None:
        """End those that nobody has used."""
        now_s = self._now_s()
        for one in [one for one in self._sessions.values() if now_s - one.used_s >= self.idle_s]:
            await self.leave(one)

    async def close(self) -> None:
        """End all."""
        for one in list(self._sessions.values()):
            await self.leave(one)


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
