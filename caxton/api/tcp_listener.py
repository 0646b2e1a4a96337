"""The TCP listener that `[listen]` asks for: its socket and its TLS.

In: the table, the project's folder, whether anybody has a token. Out: a bound socket and an SSL context, or one error
that says what is missing.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from caxton.config import ListenTable, Project
from caxton.errors import ConfigurationError

BACKLOG: Final = 128
HANDSHAKE_S: Final = 5.0
"""How long a client may take for TLS's handshake."""


@dataclass(frozen=True, slots=True)
class TcpListener:
    """A listening TCP socket; without `tls` it is one of loopback."""

    socket: socket.socket
    tls: ssl.SSLContext | None

    @property
    def url(self) -> str:
        """Where it is, as a client writes it."""
        host, port = self.socket.getsockname()[:2]
        return f"http{'s' if self.tls else ''}://{f'[{host}]' if ':' in host else host}:{port}"


def listen_on_tcp(project: Project, *, somebody: bool) -> TcpListener | None:
    """Bind what `[listen]` says; None where it says nothing.

    `somebody`: whether there is a valid token. Raises ConfigurationError where it cannot be bound, where a file of TLS
    is not usable, and where others could reach it and nobody has a credential.
    """
    table = project.config.listen
    if table.tcp is None:
        return None
    if not table.on_loopback and not somebody and table.client_ca is None:
        raise ConfigurationError(
            f"listen.tcp: {table.tcp} can be reached by others and there is no token yet",
            hint="make one first: caxton token create NAME --role viewer",
        )
    return bound(table, project.folder)


def bound(table: ListenTable, folder: Path) -> TcpListener:
    """Bind that table's address; its files of TLS are relative to `folder`."""
    tls = None
    if table.certificate is not None and table.key is not None:
        tls = _tls(folder, table.certificate, table.key, table.client_ca)
    host, port = table.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1" if host == "localhost" else host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"listen: {table.tcp} cannot be bound: {error.strerror}",
            hint="choose another address or port; ss -ltn shows which are taken",
        ) from error
    listening.setblocking(False)
    return TcpListener(listening, tls)


def _tls(folder: Path, certificate: str, key: str, client_ca: str | None) -> ssl.SSLContext:
    """TLS 1.2 or later with that certificate; with `client_ca` a client may show one, and it is checked."""
    for name, said in (("certificate", certificate), ("key", key), ("client_ca", client_ca)):
        if said is not None and not (folder / said).is_file():
            raise ConfigurationError(
                f"listen.{name}: there is no file {folder / said}", hint="caxton cert init makes certificates"
            )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(folder / certificate, folder / key)
        if client_ca is not None:
            context.load_verify_locations(folder / client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(
            f"listen: the files of TLS cannot be used: {error}",
            hint="certificate and key must be PEM and belong together, the key without a passphrase",
        ) from error
    return context
