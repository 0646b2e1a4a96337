"""What a browser asks for: entering and leaving, conversations as pages, and what keeps a page fresh.

In: requests that the lock has let in. Out: HTML, and server-sent events. A page is drawn anew from the daemon's answers
each time; a stream only says that there is news.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from caxton.diagram import draw_page
from caxton.errors import CaxtonError, InvalidMessage
from caxton.presentation.html_document import POLICY, document, escaped
from caxton.presentation.names import short
from caxton.web.enter import Entrance
from caxton.web.lock import ENTER, local, refusal
from caxton.web.sessions import Session, Sessions

PAGE: Final = 500
"""Messages on one page of a conversation."""
LIST: Final = 200
_FORM: Final = 8192
"""Bytes of a form."""
_LIVE: Final = f"{POLICY}; frame-ancestors 'none'; script-src 'self'; connect-src 'self'"


def session_of(connection: HTTPConnection) -> Session:
    """Whose request this is."""
    found: Session = connection.scope["state"]["session"]
    return found


def routes(sessions: Sessions, entrance: Entrance) -> list[Route]:
    """All but the terminal's."""

    async def enter(request: Request) -> Response:
        peer = request.scope["state"]["peer"].address
        if request.method == "POST":
            form = dict(parse_qsl((await _body(request)).decode("latin-1")))
            secret = await entrance.by_token(form.get("token", ""), peer)
        else:
            form = dict(request.query_params)
            secret = entrance.by_link(form.get("once", ""), peer)
        to = local(form.get("to", "/"))
        # not a redirect: a strict cookie does not go along where another site's link began it
        answer = HTMLResponse(document("Caxton", f'<p><a href="{escaped(to)}">Go on</a></p>', refresh=to))
        answer.set_cookie(
            entrance.cookie, secret, path="/", secure=entrance.secure, httponly=True, samesite="strict"
        )
        return answer

    async def leave(request: Request) -> Response:
        await sessions.leave(session_of(request))
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(
            entrance.cookie, path="/", secure=entrance.secure, httponly=True, samesite="strict"
        )
        return answer

    return [
        Route(ENTER, _told(enter), methods=["GET", "POST"]),
        Route("/leave", leave, methods=["POST"]),
        Route("/c", _told(conversations)),
        Route("/c/{id:path}", _told(conversation)),
        Route("/live/{id:path}", live),
    ]


async def conversations(request: Request) -> Response:
    """The last conversations, each a link."""
    found = await session_of(request).client.conversations(limit=LIST)
    rows = [
        f'<tr><td><a href="/c/{escaped(quote(one.id, safe="/"))}">{escaped(one.id)}</a></td>'
        f"<td>{escaped(one.protocol or '')}</td><td>{escaped(one.state or '')}</td>"
        f'<td class="figure">{one.messages:,}</td><td>{escaped(short(one.initiator))}</td></tr>'
        for one in found
    ]
    head = (
        "<tr><th>conversation</th><th>protocol</th><th>state</th>"
        '<th class="figure">messages</th><th>initiator</th></tr>'
    )
    table = f"<table>\n<thead>{head}</thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>"
    form = '<form method="post" action="/leave"><a href="/">terminal</a> <button>Leave</button></form>'
    return HTMLResponse(document("Conversations", f"<h1>Conversations</h1>\n{table}\n{form}"))


async def conversation(request: Request) -> Response:
    """One of them, or a page of it: `after` is the row that it begins behind, `before` counts the messages up to it."""
    client, id = session_of(request).client, request.path_params["id"]
    after, before = (_count(request, name) for name in ("after", "before"))
    found = await client.conversation(id, after=after, limit=PAGE)
    more = f"?after={found.next}&before={before + len(found.items)}" if found.next is not None else ""
    page = draw_page(found, before=before, script="/static/live.js", more=more)
    return HTMLResponse(page, headers={"content-security-policy": _LIVE})


async def live(request: Request) -> Response:
    """News of a conversation: `there` when the daemon answers, `news` for a row of it, `away` when the daemon goes.

    An answer that is no stream would keep the browser from asking again.
    """
    session, id = session_of(request), request.path_params["id"]
    return StreamingResponse(_news(session, id), media_type="text/event-stream")


async def _news(session: Session, id: str) -> AsyncGenerator[str]:
    yield "retry: 2000\n\n"
    try:
        await session.client.status()
        yield "event: there\ndata:\n\n"
        async with aclosing(session.client.events(conversation=id, patience_s=0)) as events:
            async for event in events:
                yield f"event: news\ndata: {event.seq}\n\n"
    except CaxtonError as error:
        yield f"event: away\ndata: {' '.join(error.message.split())}\n\n"


def _told(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """What is refused is said on a page."""

    async def asked(request: Request) -> Response:
        try:
            return await endpoint(request)
        except CaxtonError as error:
            return refusal(error, request.scope, dict(request.scope["headers"]))

    return asked


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _FORM:
            raise InvalidMessage(f"a form has at most {_FORM:,} bytes")
    return body


def _count(request: Request, name: str) -> int:
    said = request.query_params.get(name, "0")
    if not (said.isascii() and said.isdigit() and len(said) < 19):
        raise InvalidMessage(f"{name} must be a number")
    return int(said)
