"""The process of the gRPC interface: its listeners, until the daemon hangs up.

    python -m caxton.gateways.grpc.server PROJECT DAEMON-SOCKET OWN-SOCKET

In: a project whose daemon runs. Out: calls are served on the socket of its own and, where `[listen] grpc` has an
address, on TCP, with the certificate of `[listen]` where there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Final

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from caxton.config import Project, load
from caxton.errors import CaxtonError, ConfigurationError
from caxton.gateways.grpc.daemon import Daemon
from caxton.gateways.grpc.services import Health, handlers, services
from caxton.limits import MIB
from caxton.telemetry.logs import configure

MOST_BYTES: Final = 160 * MIB
"""Of one message: a bundle, which the API takes with 192 MiB of base64."""
AT_ONCE: Final = 256
"""Calls at a time; open streams count."""
LAST_S: Final = 1.0

log = structlog.get_logger("caxton.grpc")


def main(words: list[str]) -> int:
    """Serve until standard input ends; the exit code."""
    folder, daemon, own = map(Path, words)
    try:
        project = load(folder)
        configure(project.config.log.format, project.config.log.level, sys.stderr)
        asyncio.run(_serve(project, daemon, own))
    except CaxtonError as error:
        log.error(error.message, hint=error.hint)
        return int(error.exit)
    return 0


def made(daemon: Daemon) -> grpc.aio.Server:
    """The server, without a listener yet."""
    server = grpc.aio.server(
        maximum_concurrent_rpcs=AT_ONCE,
        options=[
            ("grpc.max_receive_message_length", MOST_BYTES),
            ("grpc.max_send_message_length", MOST_BYTES),
            ("grpc.so_reuseport", 0),
        ],
    )
    server.add_generic_rpc_handlers(handlers(daemon))
    health_pb2_grpc.add_HealthServicer_to_server(Health(daemon), server)
    reflection.enable_server_reflection([*services(), health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    return server


async def _serve(project: Project, daemon: Path, own: Path) -> None:
    server = made(Daemon(daemon))
    _add_socket(server, own)
    address = project.config.listen.grpc
    if address is not None:
        _add_tcp(server, project, address)
    await server.start()
    log.info("gRPC is served", socket=str(own), tcp=address)
    await _hung_up()
    await server.stop(LAST_S)


def _add_socket(server: grpc.aio.Server, own: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        own.unlink()
    # from its first instant it is the user's own
    before = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{own}")
    finally:
        os.umask(before)


def _add_tcp(server: grpc.aio.Server, project: Project, address: str) -> None:
    table = project.config.listen
    try:
        if table.certificate is None or table.key is None:
            server.add_insecure_port(address)
            return
        files = (table.key, table.certificate, table.client_ca)
        key, certificate, ca = (None if one is None else (project.folder / one).read_bytes() for one in files)
        assert key is not None
        assert certificate is not None
        # a client may show a certificate, and else has a token
        credentials = grpc.ssl_server_credentials([(key, certificate)], ca, require_client_auth=False)
        server.add_secure_port(address, credentials)
    except (RuntimeError, OSError) as error:
        raise ConfigurationError(
            f"listen.grpc: {address} cannot be used: {error}", hint="choose another address or port"
        ) from error


async def _hung_up() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.read(4096):
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
