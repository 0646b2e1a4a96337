"""The server of `caxton web`: one application behind one lock, on TCP.

In: an address, the daemon as who started this talks to it, limits. Out: pages and terminals until it is told to stop.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from caxton.api.http_server import HttpServer
from caxton.api.tcp_listener import TcpListener, bound
from caxton.client import Remote
from caxton.config import ListenTable
from caxton.web.enter import Entrance
from caxton.web.lock import ENTER, Lock
from caxton.web.pages import routes
from caxton.web.sessions import Sessions
from caxton.web.terminal import LARGEST, Terminals

OF_ONE: Final = 64
"""Connections of one address."""
GRACE_S: Final = 2
LOOK_S: Final = 1.0
"""How often it is looked for sessions that nobody uses."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What `caxton web` was told. `elsewhere` is the daemon's address for tokens of others, `project` the folder of the
    one that `where` belongs to, if it is here."""

    listen: ListenTable
    where: Path | Remote
    elsewhere: Remote | None
    read_only: bool
    sessions: int
    idle_s: float
    project: Path | None = None


class WebServer:
    """`run` serves until `stop`; `tell` is told who came in."""

    def __init__(
        self, settings: WebSettings, tokens: Path, now_s: Callable[[], float], tell: Callable[[str], None]
    ) -> None:
        self._sessions = Sessions(now_s, most=settings.sessions, idle_s=settings.idle_s)
        self._listener = bound(settings.listen, Path.cwd())
        self.app = application(settings, self._sessions, self._listener, tokens, tell)
        config = uvicorn.Config(
            self.app,
            ws="websockets-sansio" if has_terminal() else "none",
            ws_max_size=LARGEST,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server = HttpServer(config, self._listener, OF_ONE)

    def link(self) -> str:
        """A new one-time link; the one before it is worth nothing any more."""
        return f"{self._listener.url}{ENTER}?once={self._sessions.link()}"

    async def run(self) -> None:
        """Serve until `stop`; every session has ended then."""
        async with asyncio.TaskGroup() as group:
            idle = group.create_task(self._end_idle(), name="idle sessions")
            try:
                await self._server.serve([])
            finally:
                idle.cancel()
                self._listener.socket.close()
                await self._sessions.close()

    def stop(self) -> None:
        """Take no more connections."""
        self._server.should_exit = True

    async def _end_idle(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._sessions.end_idle()


def application(
    settings: WebSettings,
    sessions: Sessions,
    listener: TcpListener,
    tokens: Path,
    tell: Callable[[str], None],
) -> Lock:
    """Everything that a browser may ask for, behind the lock."""
    secure = listener.tls is not None
    # cookies know no ports: two of these servers on one host must not take each other's
    cookie = f"{'__Host-' if secure else ''}caxton_{listener.socket.getsockname()[1]}"
    entrance = Entrance(
        sessions,
        settings.where,
        settings.elsewhere,
        tokens,
        cookie=cookie,
        secure=secure,
        read_only=settings.read_only,
        tell=tell,
    )
    terminals = Terminals(sessions, settings.project, settings.sessions)
    app = Starlette(
        routes=[
            *routes(sessions, entrance),
            Route("/", home),
            WebSocketRoute("/terminal", terminals.serve),
            Route("/static/{name}", static),
        ]
    )
    return Lock(app, sessions=sessions, hosts=set(settings.listen.host_names()), cookie=cookie)


async def home(request: Request) -> Response:
    """The terminal's page; without what it needs, the conversations."""
    if not has_terminal():
        return RedirectResponse("/c")
    host, secure = request.headers["host"], request.url.scheme == "https"
    socket = f"{'wss' if secure else 'ws'}://{host}/terminal"
    page = (files("caxton.web") / "static" / "terminal.html").read_text("utf-8")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; font-src 'self';"
        f" script-src 'self'; connect-src 'self' {socket};"
        # xterm.js writes its own rules
        " style-src 'self' 'unsafe-inline'"
    )
    return HTMLResponse(page.replace("{socket}", escape(socket)), headers={"content-security-policy": policy})


async def static(request: Request) -> Response:
    """A file that pages load; no other can be named."""
    name = request.path_params["name"]
    kind, theirs = _STATIC.get(name, (None, None))
    if kind is None or (theirs is not None and not has_terminal()):
        return Response(status_code=404)
    if theirs is None:
        return Response((files("caxton.web") / "static" / name).read_bytes(), media_type=kind)
    return Response((files("textual_serve") / "static" / theirs / name).read_bytes(), media_type=kind)


def has_terminal() -> bool:
    """Whether the extra `web` is installed."""
    return all(map(find_spec, ("textual_serve", "websockets")))


_STATIC: Final = {
    "live.js": ("text/javascript", None),
    "terminal.js": ("text/javascript", None),
    "terminal.css": ("text/css", None),
    "textual.js": ("text/javascript", "js"),
    "xterm.css": ("text/css", "css"),
    "RobotoMono-VariableFont_wght.ttf": ("font/ttf", "fonts"),
}


def run(settings: WebSettings, tell: Callable[[str], None], show: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `show` gets the one-time link, and a new one for each line of a terminal."""
    asyncio.run(_run(settings, tell, show))


async def _run(settings: WebSettings, tell: Callable[[str], None], show: Callable[[str], None]) -> None:
    with TemporaryDirectory(prefix="caxton-web-") as tokens:
        loop = asyncio.get_running_loop()
        server = WebServer(settings, Path(tokens), loop.time, tell)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        show(server.link())
        if sys.stdin.isatty():

            def another() -> None:
                if sys.stdin.readline():
                    show(server.link())
                else:
                    loop.remove_reader(sys.stdin)

            loop.add_reader(sys.stdin, another)
        await server.run()
