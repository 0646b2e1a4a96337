"""Opaque tokens: made, found again by their hash, revoked, and kept in a file of the project's state.

In: a name, a role, patterns of agents, a moment of expiry; later a secret that somebody shows. Out: the secret, once,
and the `Token` that it stands for. A secret is `cxt_ID_` and 256 random bits; only its SHA-256 is kept, and compared
in constant time. The file is replaced as a whole and synced, mode 0600.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from caxton.access.principal import Principal, Role
from caxton.access.redaction import PREFIX
from caxton.disk import sync_folder, synced, translated
from caxton.duration import microseconds
from caxton.errors import ConfigurationError, TokenExists, TokenNotFound, Unauthenticated

FILE: Final = "tokens.json"
LEEWAY_US: Final = 30_000_000
"""So long a token still works after its expiry: the clocks of two machines differ."""
USES_US: Final = 60_000_000
"""How often the moment of a token's last use is written down."""
LONGEST_US: Final = 3_660 * 86_400 * 1_000_000
MOST: Final = 1000
"""Tokens that are kept, revoked and expired ones too."""

TOKEN_NAME: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
AGENT_PATTERN: Final = r"^[A-Za-z0-9._*?\[\]!-]{1,63}$"
_NAME = re.compile(TOKEN_NAME)
_PATTERN = re.compile(AGENT_PATTERN)
_SECRET = re.compile(PREFIX + r"([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_NOBODY = sha256(b"").hexdigest()


class Token(msgspec.Struct, frozen=True):
    """One token without its secret; times in microseconds since 1970."""

    id: str
    name: str
    role: Role
    agents: tuple[str, ...]
    hash: str
    created_us: int
    created_by: str
    expires_us: int | None = None
    revoked_us: int | None = None
    used_us: int | None = None
    used_from: str | None = None

    def state(self, now_us: int) -> str:
        """What it is good for now: valid, expired or revoked."""
        if self.revoked_us is not None:
            return "revoked"
        return "expired" if self.expires_us is not None and self.expires_us + LEEWAY_US <= now_us else "valid"

    def principal(self, platform: str) -> Principal:
        """Who shows it."""
        return Principal(self.name, self.role, self.agents, platform, self.id, self.expires_us)


class Tokens:
    """The tokens of one project. `state` is its state folder, `now_us` the wall clock."""

    def __init__(self, state: Path, now_us: Callable[[], int]) -> None:
        self._path = state / FILE
        self._now_us = now_us
        self._tokens = self._read()
        self._written_us = 0
        self.on_ended: list[Callable[[str], None]] = []
        """Called with the id of a token that was revoked or rotated."""

    def all(self) -> list[Token]:
        """Every token, the oldest first."""
        return list(self._tokens.values())

    def any_valid(self) -> bool:
        """Whether somebody could come in."""
        now_us = self._now_us()
        return any(one.state(now_us) == "valid" for one in self._tokens.values())

    def create(
        self, name: str, role: Role, agents: Sequence[str], expires_us: int | None, created_by: str
    ) -> tuple[Token, str]:
        """A new token and its secret, which nobody can show again."""
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name[:80]!r} cannot be the name of a token",
                hint="use 1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
            )
        wrong = next((one for one in agents if not _PATTERN.fullmatch(one)), None if agents else "")
        if wrong is not None:
            raise ConfigurationError(
                f"{wrong[:80]!r} is no pattern of agents' names",
                hint="write names with * and ?, such as 'seller-*'; '*' is all agents",
            )
        now_us = self._now_us()
        if any(one.name == name and one.state(now_us) == "valid" for one in self._tokens.values()):
            raise TokenExists(
                f"there is a token {name!r} already",
                hint=f"caxton token rotate {name} gives it a new secret, caxton token revoke {name} ends it",
            )
        if len(self._tokens) >= MOST:
            self._forget_one(now_us)
        id = secrets.token_hex(4)
        while id in self._tokens:
            id = secrets.token_hex(4)
        secret = _secret(id)
        token = Token(id, name, role, tuple(agents), _hash(secret), now_us, created_by, expires_us)
        self._keep(token)
        return token, secret

    def rotate(self, wanted: str) -> tuple[Token, str]:
        """The same token with a new secret; the old one is worth nothing from now on."""
        token = self.find(wanted)
        secret = _secret(token.id)
        token = msgspec.structs.replace(token, hash=_hash(secret), used_us=None, used_from=None)
        self._keep(token)
        self._ended(token.id)
        return token, secret

    def revoke(self, wanted: str) -> Token:
        """End a token at once, its open streams too."""
        token = msgspec.structs.replace(self.find(wanted), revoked_us=self._now_us())
        self._keep(token)
        self._ended(token.id)
        return token

    def find(self, wanted: str) -> Token:
        """The token with that id, or the one of that name that was not revoked."""
        live = [one for one in self._tokens.values() if one.revoked_us is None]
        found = next((one for one in reversed(live) if wanted in (one.id, one.name)), None)
        if found is None:
            known = ", ".join(sorted({one.name for one in live})) or "none"
            raise TokenNotFound(
                f"there is no token {wanted[:80]!r}", hint=f"tokens that can be used: {known}"
            )
        return found

    def authenticate(self, secret: str, where: str) -> Token:
        """The token that this is the secret of, used now from `where`; Unauthenticated where it is not valid."""
        found = _SECRET.fullmatch(secret)
        token = self._tokens.get(found[1]) if found else None
        # compared also where there is none, so that an id cannot be guessed by the time that it takes
        same = hmac.compare_digest(_hash(secret), token.hash if token else _NOBODY)
        if token is None or not same:
            raise Unauthenticated(
                "the token is not known here", hint="make one with: caxton token create NAME"
            )
        now_us = self._now_us()
        state = token.state(now_us)
        if state != "valid":
            raise Unauthenticated(
                f"the token {token.name!r} is {state}", hint=f"make another: caxton token create {token.name}"
            )
        token = msgspec.structs.replace(token, used_us=now_us, used_from=where)
        self._tokens[token.id] = token
        if now_us - self._written_us >= USES_US:
            self.save()
        return token

    def save(self) -> None:
        """Write everything down; nothing where there never was a token."""
        if not self._tokens:
            return
        fresh = self._path.with_name(f"{FILE}.new")
        with translated(self._path):
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(self.all()), indent=1))
                file.flush()
                synced(descriptor)
            os.replace(fresh, self._path)
            sync_folder(self._path.parent)
        self._written_us = self._now_us()

    def _read(self) -> dict[str, Token]:
        try:
            with translated(self._path):
                data = self._path.read_bytes() if self._path.exists() else b"[]"
            return {one.id: one for one in msgspec.json.decode(data, type=list[Token])}
        except msgspec.MsgspecError as error:
            raise ConfigurationError(
                f"{self._path} is damaged: {error}", hint="move it away; tokens have to be made again then"
            ) from error

    def _keep(self, token: Token) -> None:
        before = self._tokens.get(token.id)
        self._tokens[token.id] = token
        try:
            self.save()
        except BaseException:
            # what is not on disk would come back with the next start
            if before is None:
                del self._tokens[token.id]
            else:
                self._tokens[token.id] = before
            raise

    def _ended(self, id: str) -> None:
        for tell in self.on_ended:
            tell(id)

    def _forget_one(self, now_us: int) -> None:
        """Make room: the oldest that is of no use any more goes."""
        useless = next((one.id for one in self._tokens.values() if one.state(now_us) != "valid"), None)
        if useless is None:
            raise TokenExists(f"there are {MOST} tokens already", hint="revoke those that nobody uses")
        del self._tokens[useless]


def expiry(text: str | None, now_us: int) -> int | None:
    """The moment that a duration from now ends; ConfigurationError where it is none."""
    if text is None:
        return None
    length_us = microseconds(text)
    if length_us is None or not 0 < length_us <= LONGEST_US:
        raise ConfigurationError(
            f"expires: {text[:40]!r} is no duration up to 3660d", hint='write "30d" or "12h"'
        )
    return now_us + length_us


def _secret(id: str) -> str:
    return f"{PREFIX}{id}_{secrets.token_urlsafe(32)}"


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
