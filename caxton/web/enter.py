"""The ways in: by a one-time link as whoever started the server, by a token as its owner.

In: what a browser shows. Out: the secret of a new session, or a refusal. Links have 256 bits, and the daemon tells who
guesses tokens to wait.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from caxton.access import Role
from caxton.client import AsyncClient, Remote
from caxton.errors import ConfigurationError, SecurityError, Unauthenticated
from caxton.web.sessions import Sessions


class Entrance:
    """`where` is the daemon as who started this talks to it, `elsewhere` its address for tokens of others, where it has
    one; their tokens lie in `folder` as long as their sessions last. `tell` says who came in."""

    def __init__(
        self,
        sessions: Sessions,
        where: Path | Remote,
        elsewhere: Remote | None,
        folder: Path,
        *,
        cookie: str,
        secure: bool,
        read_only: bool,
        tell: Callable[[str], None],
    ) -> None:
        self._sessions = sessions
        self._where = where
        self._elsewhere = elsewhere
        self._folder = folder
        self.cookie = cookie
        self.secure = secure
        self._read_only = read_only
        self._tell = tell

    def by_link(self, once: str, address: str) -> str:
        """A session of whoever started the server."""
        if not self._sessions.use_link(once):
            raise Unauthenticated("the link has been used, or is too old")
        secret = self._sessions.open(self._where, "owner", read_only=self._read_only)
        self._tell(f"{address} came in by the link")
        return secret

    async def by_token(self, token: str, address: str) -> str:
        """A session of a token's owner, with its role and its agents."""
        if self._elsewhere is None:
            raise ConfigurationError(
                "tokens are taken where the daemon listens on TCP", hint="set listen.tcp in caxton.toml"
            )
        file = self._folder / secrets.token_hex(8)
        _keep(file, token)
        where = replace(self._elsewhere, token_file=file, certificate=None, key=None)
        try:
            try:
                async with AsyncClient(where) as client:
                    who = await client.identity()
            except (SecurityError, ConfigurationError):
                raise Unauthenticated("the token is not valid here") from None
            read_only = self._read_only or who.role == Role.VIEWER
            secret = self._sessions.open(where, who.name, read_only=read_only, token_file=file)
        except BaseException:
            file.unlink()
            raise
        self._tell(f"{address} came in as {who.name}, {who.role}")
        return secret


def _keep(file: Path, token: str) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as out:
        out.write(token)
