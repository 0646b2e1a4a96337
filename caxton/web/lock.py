"""The lock before everything in a browser: for whom the request is, where it comes from, whose session it has.

In: requests and WebSockets. Out: those that may, with their session in `scope["state"]`; one refusal for the others. In
order: Host, Origin, cookie. Each answer says what its page may load, and that nobody may frame it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from caxton.api.guard import host_name
from caxton.errors import CaxtonError, Misdirected, SecurityError, Unauthenticated
from caxton.presentation.html_document import POLICY, document, escaped
from caxton.web.sessions import Session, Sessions

ENTER: Final = "/enter"
"""The one path that needs no session."""
REFRESH: Final = b"x-caxton-refresh"
"""The header of what a page asks by itself; it does not keep a session alive."""
_HEADERS: Final = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # without any, a form would be sent with an Origin of null
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Lock:
    """ASGI middleware. `hosts`: names that a request may be for; `cookie`: the name of the sessions' cookie."""

    def __init__(self, app: ASGIApp, *, sessions: Sessions, hosts: Collection[str], cookie: str) -> None:
        self._app = app
        self._sessions = sessions
        self._hosts = frozenset(hosts)
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        headers: dict[bytes, bytes] = dict(scope["headers"])

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                more = {"content-security-policy": f"{POLICY}; frame-ancestors 'none'", **_HEADERS}
                message["headers"] = [
                    *message["headers"],
                    *((k.encode(), v.encode()) for k, v in more.items() if k.encode() not in said),
                ]
            await send(message)

        try:
            self._origin(headers, scope)
            if scope["path"] != ENTER:
                scope["state"]["session"] = self._session(headers, scope)
        except CaxtonError as error:
            if scope["type"] == "websocket":
                # before it is accepted, this is an answer of HTTP with 403
                await send({"type": "websocket.close"})
            else:
                await refusal(error, scope, headers)(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

    def _origin(self, headers: Mapping[bytes, bytes], scope: Scope) -> None:
        """Misdirected or SecurityError where another page's name, or another page, asks."""
        host = headers.get(b"host", b"").decode("latin-1")
        if host_name(host) not in self._hosts:
            raise Misdirected(
                f"this does not answer for the host {host[:200]!r}", hint="add the name: caxton web --host"
            )
        origin = headers.get(b"origin")
        safe = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if origin is None and safe:
            return
        scheme = scope["scheme"].replace("ws", "http")
        if origin is None or origin.decode("latin-1") != f"{scheme}://{host}":
            raise SecurityError("pages of another origin may not use this")

    def _session(self, headers: Mapping[bytes, bytes], scope: Scope) -> Session:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            jar.clear()
        found = self._sessions.find(jar[self._cookie].value) if self._cookie in jar else None
        if found is None:
            raise Unauthenticated("this browser has no session here, or it has ended")
        if scope["type"] == "http" and REFRESH not in headers and not scope["path"].startswith("/live/"):
            self._sessions.use(found)
        return found


def refusal(error: CaxtonError, scope: Scope, headers: Mapping[bytes, bytes]) -> Response:
    """A page that says what was refused; where a session is missing, how to get one."""
    if isinstance(error, Unauthenticated) and headers.get(b"sec-fetch-site") == b"cross-site":
        # a strict cookie does not come along from another site's link, such as a ticket's: the page asks again itself
        query = scope["query_string"].decode("latin-1")
        again = local(scope["raw_path"].decode("latin-1")) + (f"?{query}" if query else "")
        return HTMLResponse(document("One moment", "<p>One moment.</p>", refresh=again))
    parts = [f"<h1>{escaped(error.message)}</h1>"]
    if error.hint:
        parts.append(f"<p>{escaped(error.hint)}</p>")
    if isinstance(error, Unauthenticated):
        parts.append(_way_in(scope))
    return HTMLResponse(document("Caxton: refused", "\n".join(parts)), error.status)


def _way_in(scope: Any) -> str:
    path = "/" if scope["path"] == ENTER else local(scope["raw_path"].decode("latin-1"))
    return (
        "<p>Open the link that <code>caxton web</code> prints, or show a token:</p>\n"
        f'<form method="post" action="{ENTER}">\n'
        f'<input type="hidden" name="to" value="{escaped(path)}">\n'
        '<input type="password" name="token" placeholder="cxt_…" autocomplete="off" required>\n'
        "<button>Enter</button>\n</form>"
    )


def local(path: str) -> str:
    """That path where it is one of this server, else its root: a browser takes `//` for the name of another."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
