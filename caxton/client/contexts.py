"""Daemons elsewhere by name, and which of them commands talk to.

In: `contexts.json` in the user's configuration folder; no file is no contexts. Out: a `Remote`, or None for the
project's own socket. The file names the files of tokens; no secret is in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from caxton.client.remote import Remote
from caxton.disk import translated
from caxton.errors import ConfigurationError

LOCAL: Final = "local"
"""The name that means no context: the daemon of the project that one is in."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """One daemon elsewhere; files as absolute paths."""

    name: str
    url: str
    token_file: str | None = None
    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None

    def remote(self) -> Remote:
        """For a client."""
        files = (self.token_file, self.ca_file, self.certificate, self.key)
        return Remote(self.url, *(Path(one) if one else None for one in files))


class Contexts(msgspec.Struct, frozen=True):
    """All that are known; `used` is the name of the one in use."""

    known: list[Context] = []
    used: str | None = None

    def find(self, name: str) -> Context:
        """The one of that name; ConfigurationError where there is none."""
        found = next((one for one in self.known if one.name == name), None)
        if found is None:
            names = ", ".join([LOCAL, *(one.name for one in self.known)])
            raise ConfigurationError(f"there is no context {name[:80]!r}", hint=f"contexts are {names}")
        return found

    def with_one(self, context: Context) -> Contexts:
        """The same with this one, in the place of another of that name."""
        if not _NAME.fullmatch(context.name) or context.name == LOCAL:
            raise ConfigurationError(
                f"{context.name[:80]!r} cannot be the name of a context",
                hint=f"use letters, digits, '.', '_' and '-'; {LOCAL!r} is the project's own socket",
            )
        context.remote()
        others = [one for one in self.known if one.name != context.name]
        return Contexts([*others, context], self.used)

    def without(self, name: str) -> Contexts:
        """The same without that one; what was in use is the project's own socket then."""
        gone = self.find(name)
        return Contexts(
            [one for one in self.known if one is not gone], None if self.used == name else self.used
        )

    def using(self, name: str) -> Contexts:
        """The same with that one in use, or none for `local`."""
        return Contexts(self.known, None if name == LOCAL else self.find(name).name)


def place(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the file is."""
    home = environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "caxton" / "contexts.json"


def read(path: Path) -> Contexts:
    """What the file says."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Contexts()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return msgspec.json.decode(data, type=Contexts)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"{path} is damaged: {error}", hint="remove it and add the contexts again"
        ) from error


def write(path: Path, contexts: Contexts) -> None:
    """Replace the file."""
    fresh = path.with_name(f"{path.name}.new")
    with translated(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(contexts), indent=1))
        os.replace(fresh, path)


def in_use(environ: Mapping[str, str] = os.environ) -> Remote | None:
    """The daemon elsewhere that is meant: by CAXTON_URL, or the context in use; None for the project's own."""
    url = environ.get("CAXTON_URL")
    if url:
        files = (environ.get(f"CAXTON_{one}") for one in ("TOKEN_FILE", "CA_FILE", "CERTIFICATE", "KEY"))
        return Remote(url, *(Path(one) if one else None for one in files))
    contexts = read(place(environ))
    return contexts.find(contexts.used).remote() if contexts.used is not None else None
