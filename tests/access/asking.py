"""Requests to the API of a simulated system, as if they came over TCP: the daemon's app and its guard, no sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.types import Message, Scope

from caxton.access import Role, Tokens
from caxton.api.app import build
from caxton.api.guard import Peer
from caxton.api.services import Services
from caxton.testing import System, runtime

ECHO = Path(__file__).resolve().parents[2] / "agents-examples" / "echo" / "echo.wasm"
_addresses = count(1)


@dataclass
class Answered:
    """An answer, as far as it had come when the asker went."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    raw: bytes = b""
    ended: bool = False

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str | None:
        return self.body["error"]["code"] if self.status >= 400 else None


class Api:
    """The app of one system, its tokens, and who asks."""

    def __init__(self, system: System, state: Path) -> None:
        self.system = system
        self.stops = 0
        runtime = system.runtime
        services = Services.of(runtime, stop=self._stopped, started_us=0)
        self.services = replace(services, tokens=Tokens(state, runtime.clock.now_us))
        self.app: Any = build(self.services)

    def _stopped(self) -> None:
        self.stops += 1

    def token(self, name: str, role: Role, *agents: str, expires_us: int | None = None) -> str:
        return self.services.tokens.create(name, role, agents or ("*",), expires_us, "owner")[1]

    def ask(
        self, method: str, path: str, token: str | None = None, body: Any = None, **more: Any
    ) -> Answered:
        return self.system.run(self.asked(method, path, token, body, **more))

    async def asked(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        peer: Peer | None = None,
        local: bool = False,
        for_s: float = 60.0,
        into: Answered | None = None,
    ) -> Answered:
        """Ask, and go after `for_s` seconds; without a `peer` each request comes from an address of its own, or,
        `local`, by the project's socket."""
        said = {"host": "127.0.0.1:8080", **(headers or {})}
        if token is not None:
            said["authorization"] = f"Bearer {token}"
        place, _, query = path.partition("?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(place),
            "raw_path": place.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in said.items()],
            "state": {} if local else {"peer": peer or Peer(f"192.0.2.{next(_addresses)}")},
        }
        answered = into or Answered()
        sent = [{"type": "http.request", "body": _bytes(body)}]

        async def receive() -> Message:
            if sent:
                return sent.pop()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.status = message["status"]
                answered.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answered.raw += message.get("body", b"")
                answered.ended = not message.get("more_body", False)

        try:
            async with asyncio.timeout(for_s):
                await self.app(scope, receive, send)
        except TimeoutError:
            pass
        return answered


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@contextmanager
def api(tmp_path: Path, *agents: str, **listen: Any) -> Generator[Api]:
    """A system with these agents, each an echo, and its API."""
    table = {"tcp": "127.0.0.1:8080", "requests_per_s": 100_000, **listen}
    with runtime({name: ECHO.read_bytes() for name in agents}, config={"listen": table}) as system:
        yield Api(system, tmp_path)
