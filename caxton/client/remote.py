"""A daemon elsewhere: its URL, and what shows who one is.

In: text of a URL, files. Out: a `Remote`, from which a client is made as from a socket's path; or one error that names
the remedy. A token is read when a client is made, and never sent in the clear to another machine.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from caxton.errors import ConfigurationError
from caxton.schemas.access import ACTING_FOR


@dataclass(frozen=True, slots=True)
class Remote:
    """A daemon by its URL. `ca_file`: whose certificates are trusted, if not the system's; `certificate` and `key`: the
    client's own."""

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        parts = _parts(self.url)
        local = parts.hostname == "localhost" or _is_loopback(parts.hostname or "")
        if parts.scheme == "http" and not local:
            raise ConfigurationError(
                f"{self.url} is not https: a token would be sent to another machine in the clear",
                hint="use https, or a tunnel: ssh -L 8080:127.0.0.1:8080 HOST, and http://127.0.0.1:8080",
            )
        if (self.certificate is None) != (self.key is None):
            raise ConfigurationError("a certificate and its key belong together; one of them is missing")

    def __str__(self) -> str:
        return self.url

    def headers(self) -> dict[str, str]:
        """What each request says of who asks."""
        return {} if self.token_file is None else {"Authorization": f"Bearer {_secret(self.token_file)}"}

    def environ(self) -> dict[str, str]:
        """What says the same to a command, in its environment."""
        said = {
            "CAXTON_URL": self.url,
            "CAXTON_TOKEN_FILE": self.token_file,
            "CAXTON_CA_FILE": self.ca_file,
            "CAXTON_CERTIFICATE": self.certificate,
            "CAXTON_KEY": self.key,
        }
        return {name: str(value) for name, value in said.items() if value is not None}

    def verify(self) -> ssl.SSLContext | bool:
        """How the other end is checked; False where there is no TLS."""
        if self.url.startswith("http:"):
            return False
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (ssl.SSLError, OSError) as error:
            named = self.ca_file or self.certificate
            raise ConfigurationError(
                f"the certificates of {named} cannot be used: {error}", hint="they must be PEM files"
            ) from error
        return context


def transport_of(where: Path | Remote) -> dict[str, Any]:
    """What httpx's transport is made with."""
    # a Unix socket has no TLS, and httpx would load every certificate first: 36 ms
    return {"verify": where.verify()} if isinstance(where, Remote) else {"uds": str(where), "verify": False}


def client_of(where: Path | Remote, acting_for: str | None) -> dict[str, Any]:
    """What httpx's client is made with, beside its transport."""
    if isinstance(where, Remote):
        return {"base_url": where.url, "headers": where.headers()}
    return {"base_url": "http://caxton", "headers": {ACTING_FOR: acting_for} if acting_for else {}}


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or port == 0:
        raise ConfigurationError(
            f"{url[:200]!r} is no URL of a daemon", hint="write it like https://caxton.example:8443"
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError(f"{url[:200]!r} has more than a host and a port", hint="leave the path out")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(path: Path) -> str:
    try:
        secret = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not plain text"
        raise ConfigurationError(
            f"the token's file {path} cannot be read: {reason}",
            hint="caxton token create NAME --out FILE writes one",
        ) from error
    if not secret or any(character.isspace() for character in secret):
        raise ConfigurationError(f"the file {path} has no token in it", hint="it has one line, cxt_…")
    return secret
