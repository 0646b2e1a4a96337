"""The real listener: TLS, tokens, and a client elsewhere that does what one on the socket does."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from access.asking import ECHO
from caxton.access import Role, certificates
from caxton.api.server import Server
from caxton.api.services import Services
from caxton.api.tcp_listener import TcpListener, listen_on_tcp
from caxton.client import AsyncClient, Remote
from caxton.config import load
from caxton.daemon_socket import listen
from caxton.errors import ConfigurationError, SecurityError, Unauthenticated
from caxton.runtime import open_runtime

pytestmark = pytest.mark.system

TLS = """
certificate = "tls/server.pem"
key = "tls/server-key.pem"
client_ca = "tls/ca.pem"
subjects = {ops = "operator"}
"""


def project(folder: Path, table: str) -> Path:
    folder.mkdir(exist_ok=True)
    shutil.copy(ECHO, folder)
    (folder / "caxton.toml").write_text(f"cells = 1\n[listen]\n{table}")
    return folder


@asynccontextmanager
async def served(folder: Path) -> AsyncGenerator[tuple[Services, str]]:
    found = load(folder, environ={})
    async with open_runtime(found) as runtime:
        services = Services.of(runtime, stop=lambda: None, started_us=runtime.clock.now_us())
        tcp = listen_on_tcp(found, somebody=services.tokens.any_valid())
        assert isinstance(tcp, TcpListener)
        server = Server(services, listen(found.state), tcp)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.run())
            try:
                yield services, tcp.url
            finally:
                server.stop()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
async def test_a_client_elsewhere_works_as_one_on_the_socket(tmp_path: Path) -> None:
    folder = project(tmp_path / "shop", f'tcp = "127.0.0.1:0"\nconnections_per_client = 3\n{TLS}')
    tls = folder / "tls"
    assert len(certificates.init(tls, ["localhost", "127.0.0.1"], ["ops"])) == 3
    # what is there stays, and one more client is one more certificate
    assert certificates.init(tls, ["localhost"], ["ops", "eve"]) == [tls / "eve.pem"]
    assert {one.stat().st_mode & 0o777 for one in tls.glob("*-key.pem")} == {0o600}
    async with served(folder) as (services, url):
        file, ca = tmp_path / "me.token", tls / "ca.pem"
        file.write_text(services.tokens.create("me", Role.DEVELOPER, ["*"], None, "owner")[1])
        async with AsyncClient.at(url, token_file=file, ca_file=ca) as client:
            assert (await client.identity()).name == "me"
            assert (await client.deploy("echo", ECHO.read_bytes())).state == "running"
            said = await client.send({"receiver": "echo", "performative": "request", "content": 1}, wait_s=10)
            assert said.replies[0].message.sender == "echo@local"
            assert said.replies[0].message.receiver == ["operator.me@local"]
            async for event in client.events(after=0, kinds=["message"]):
                assert event.stored.message.sender == "operator.me@local"
                break
            with pytest.raises(SecurityError, match="me is developer") as refused:
                await client.stop_daemon()
            assert refused.value.hint == "ask for a token with --role admin"
        async with AsyncClient.at(url, ca_file=ca) as client:
            with pytest.raises(Unauthenticated, match="wants a token"):
                await client.status()
        async with AsyncClient.at(url, token_file=file) as client:
            with pytest.raises(SecurityError, match="not trusted"):
                await client.status()
        mine = Remote(url, ca_file=ca, certificate=tls / "ops.pem", key=tls / "ops-key.pem")
        async with AsyncClient(mine) as client:
            assert ((await client.identity()).name, (await client.identity()).role) == (
                "ops",
                "operator",
            )
        eve = Remote(url, ca_file=ca, certificate=tls / "eve.pem", key=tls / "eve-key.pem")
        async with AsyncClient(eve) as client:
            with pytest.raises(Unauthenticated, match="'eve' has no role"):
                await client.identity()
        port = int(url.rpartition(":")[2])
        # what is no TLS is no request
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in await reader.read()
        writer.close()


async def test_an_address_has_so_many_connections(tmp_path: Path) -> None:
    folder = project(tmp_path / "shop", 'tcp = "127.0.0.1:0"\nconnections_per_client = 2\n')
    async with served(folder) as (_, url):
        port = int(url.rpartition(":")[2])
        ask = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        opened = []
        for number in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            opened.append(writer)
            writer.write(ask)
            answered = await asyncio.wait_for(reader.read(12), 5)
            assert answered == (b"HTTP/1.1 200" if number < 2 else b"")
        for writer in opened:
            writer.close()


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('tcp = "0.0.0.0:8080"', "has no TLS"),
        ('tcp = "192.0.2.1:8080"', "has no TLS"),
        ('tcp = "8080"', "no address"),
        ('tcp = "caxton.example:80"', "no IP address"),
        ('tcp = "127.0.0.1:70000"', "no port"),
        ('tcp = "127.0.0.1:0"\ncertificate = "a.pem"', "belong together"),
        ('tcp = "127.0.0.1:0"\nclient_ca = "a.pem"', "needs certificate"),
        ('tcp = "0.0.0.0:0"\ncertificate = "a.pem"\nkey = "b.pem"', "name the hosts"),
        ('hosts = ["Caxton:80"]', "no name of a host"),
        ('origins = ["*"]', "no origin"),
        ('subjects = {ops = "root"}', "no role"),
    ],
)
def test_what_listen_may_not_say(tmp_path: Path, table: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        load(project(tmp_path / "shop", table), environ={})


def test_others_are_let_in_only_where_somebody_has_a_credential(tmp_path: Path) -> None:
    files = 'certificate = "a.pem"\nkey = "b.pem"'
    found = load(project(tmp_path / "shop", f'tcp = "192.0.2.1:0"\n{files}'), environ={})
    with pytest.raises(ConfigurationError, match="no token yet"):
        listen_on_tcp(found, somebody=False)
    with pytest.raises(ConfigurationError, match=r"no file .*a\.pem"):
        listen_on_tcp(found, somebody=True)


@pytest.mark.parametrize(
    ("hosts", "clients"), [(["a/b"], []), (["localhost"], ["ca"]), (["localhost"], ["x=y"])]
)
def test_what_cannot_stand_in_a_certificate(tmp_path: Path, hosts: list[str], clients: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        certificates.init(tmp_path, hosts, clients)
