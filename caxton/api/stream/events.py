"""`/api/v1/events`: what is committed, as server-sent events that can be resumed by number.

In: a place to start (`Last-Event-ID` or `after`) and filters. Out: `id` the row's number, `event` its kind,
`data` one line of JSON. First the journal's rows up to now, then each commit as it comes, no row twice and
none left out but where a `gap` event says how many. A viewer gets at most `ROWS_PER_SECOND`, whatever the bus
does; while more come than that it gets `SAMPLE_PER_SECOND`, for nobody reads them one by one and the bus needs the
time.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any, Final, assert_never

import msgspec
from fastapi import Header, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from caxton import exact_numbers
from caxton.access import OWNER, Principal, Role
from caxton.acl.message import read_message
from caxton.api.parameters import SEQ_MAX
from caxton.api.principals import principal_of
from caxton.api.routing import noun_router
from caxton.api.stream.hub import WAITING_ROWS, EventFilter, Gap, Hub, StreamRow, Subscriber
from caxton.errors import InvalidMessage
from caxton.journal import REDELIVERED
from caxton.schemas.shape import iso

router = noun_router("", "events")

ROWS_PER_SECOND: Final = 5_000
CHUNK: Final = 250
"""Rows that are rendered in one go; the loop is free between two chunks."""
SAMPLE_PER_SECOND: Final = 400
SAMPLE: Final = 40
"""Rows that are rendered in one go while they are a sample."""
SURE_S: Final = 0.5
"""Over so long, or longer, it is found out whether too many come."""
HEARTBEAT_S: Final = 15.0
KINDS: Final = "^[a-z_]{1,32}(,[a-z_]{1,32}){0,31}$"
_KINDS = re.compile(KINDS)
_encode = exact_numbers.encode


@router.get("/events", response_class=StreamingResponse)
async def events(
    request: Request,
    kinds: Annotated[
        str | None,
        Query(
            max_length=1055,
            description="Kinds of events, with commas between them.",
            json_schema_extra={"pattern": KINDS},
        ),
    ] = None,
    agent: Annotated[str | None, Query(max_length=1024)] = None,
    conversation: Annotated[str | None, Query(max_length=1024)] = None,
    after: Annotated[
        int | None, Query(ge=0, le=SEQ_MAX, description="Rows above this number; without it: from now.")
    ] = None,
    back: Annotated[
        int | None,
        Query(
            ge=0, le=1_000_000_000, description="At most so many rows from before; the others are a `gap`."
        ),
    ] = None,
    last_event_id: Annotated[
        str | None,
        Header(
            max_length=18,
            description="Where a broken stream goes on.",
            json_schema_extra={"pattern": "^[0-9]{1,18}$"},
        ),
    ] = None,
) -> Response:
    """Messages and events of the journal as they are committed."""
    hub: Hub = request.app.state.hub
    if kinds is not None and not _KINDS.fullmatch(kinds):
        raise InvalidMessage("kinds must be names with commas between them", hint="for example message,agent")
    if last_event_id is not None:
        if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 19):
            raise InvalidMessage("Last-Event-ID must be the number of a row")
        after = int(last_event_id)
    full = agent if agent is None or "@" in agent else f"{agent}@{hub.platform}"
    wanted = EventFilter(
        frozenset(kinds.split(",")) if kinds else None, full, conversation, _shown(principal_of(request))
    )
    keep = _exact(full, principal_of(request))
    return _Stream(
        hub,
        _stream(hub, wanted, after, keep, back),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def _stream(
    hub: Hub,
    wanted: EventFilter,
    after: int | None,
    keep: Callable[[StreamRow], bool],
    back: int | None = None,
) -> AsyncGenerator[bytes]:
    pace = _Pace(asyncio.get_running_loop().time)
    goal = hub.journal.committed
    # without `after` nobody misses what is older than `back`
    position = max(goal - (back or 0), 0) if after is None else min(after, goal)
    # a number without data: a stream that breaks before its first row is resumed from here
    yield b"id: %d\n\n" % position
    if back is not None and goal - position > back:
        yield render(Gap(goal - back - position, position + 1, goal - back))
        position = goal - back
    while position < goal and not hub.closed:
        stored = await hub.reader.stream(position, CHUNK)
        rows = [row for row in wanted.of_stored(stored) if row.seq <= goal and keep(row)]
        position = min(goal, stored[-1].seq) if stored else goal
        if rows:
            await pace.take(len(rows))
            yield b"".join([render(row) for row in rows])
    # from here to `join` nothing is awaited, so the live rows begin exactly after `joined`
    joined = hub.journal.committed
    with hub.join(wanted) as subscriber:
        if joined - position > WAITING_ROWS:
            subscriber.lose(joined - position - WAITING_ROWS, position + 1, joined - WAITING_ROWS)
            yield b"".join([render(item) for item in subscriber.take(0)])
            position = joined - WAITING_ROWS
        while position < joined:
            stored = await hub.reader.stream(position, CHUNK)
            rows = [row for row in wanted.of_stored(stored) if row.seq <= joined and keep(row)]
            position = min(joined, stored[-1].seq) if stored else joined
            if rows:
                yield b"".join([render(row) for row in rows])
        async for chunk in _live(subscriber, pace, keep):
            yield chunk


async def _live(
    subscriber: Subscriber, pace: _Pace, keep: Callable[[StreamRow], bool]
) -> AsyncGenerator[bytes]:
    while not subscriber.closed:
        if not await subscriber.wait(HEARTBEAT_S):
            if not subscriber.closed:
                yield b": still here\n\n"
            continue
        items = subscriber.take(pace.most)
        chunk = b"".join([render(item) for item in items if isinstance(item, Gap) or keep(item)])
        if chunk:
            yield chunk
        pace.see(subscriber.offered, lost=bool(items) and isinstance(items[0], Gap))
        subscriber.keep_at_most(SAMPLE if pace.sampling else WAITING_ROWS)
        await pace.take(len(items))


class _Stream(StreamingResponse):
    """Closes its generator when the viewer goes, so that the subscriber leaves at once."""

    def __init__(self, hub: Hub, rows: AsyncGenerator[bytes], **given: Any) -> None:
        super().__init__(rows, **given)
        self._hub = hub
        self._generator = rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._hub.viewer():
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        async with contextlib.aclosing(self._generator):
            await super().stream_response(send)


class _Pace:
    """Lets through `ROWS_PER_SECOND`, at once for a viewer that has been slower; a sample when too many come."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._free_at = 0.0
        self.sampling = False
        """Whether it sends a sample."""
        self._since = now()
        self._seen = 0
        self._lost = False

    @property
    def most(self) -> int:
        """Rows of the next chunk."""
        return SAMPLE if self.sampling else CHUNK

    def see(self, offered: int, *, lost: bool) -> None:
        """So many rows were there for the viewer until now; `lost`: some of them went since the last time."""
        self._lost |= lost
        now = self._now()
        passed = now - self._since
        if passed >= SURE_S:
            # a burst that the queue can hold is sent whole
            many = offered - self._seen > ROWS_PER_SECOND * passed
            self.sampling = many and (self._lost or self.sampling)
            self._since, self._seen, self._lost = now, offered, False

    async def take(self, rows: int) -> None:
        """Wait until so many more may go."""
        rate = SAMPLE_PER_SECOND if self.sampling else ROWS_PER_SECOND
        now = self._now()
        self._free_at = max(self._free_at, now - CHUNK / ROWS_PER_SECOND) + rows / rate
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


def _shown(principal: Principal) -> Callable[[str, str | None], bool] | None:
    """Which events that principal may have; None for all of them. What is of no agent is of all."""
    administers = principal.role is Role.ADMIN
    if administers and principal.everything:
        return None
    return lambda kind, agent: (
        (administers or kind not in ("audit", "token"))
        and (principal.everything or (agent is not None and principal.reaches(agent)))
    )


def _exact(agent: str | None, principal: Principal = OWNER) -> Callable[[StreamRow], bool]:
    """The whole test of the filter by agent, and of what is within reach, for the few rows that are rendered."""

    def keep(row: StreamRow) -> bool:
        if row.kind != "message" or (agent is None and principal.everything):
            return True
        message = read_message(row.body)
        members = (message.sender, *message.receiver)
        return (agent is None or agent in members) and principal.reaches_any(members)

    return keep


def render(item: StreamRow | Gap) -> bytes:
    """One row as a server-sent event."""
    match item:
        case Gap(lost, first, last):
            return b'id: %d\nevent: gap\ndata: {"lost":%d,"from":%d,"to":%d}\n\n' % (last, lost, first, last)
        case StreamRow(seq, at_us, "message", cause, hops, flags, body):
            return (
                b'id: %d\nevent: message\ndata: {"seq":%d,"at":"%s",'
                b'"cause":%s,"hops":%d,"redelivered":%s,"message":'
                % (
                    seq,
                    seq,
                    iso(at_us).encode(),
                    b"%d" % cause if cause else b"null",
                    hops,
                    b"true" if flags & REDELIVERED else b"false",
                )
                + _one_line(body)
                + b"}\n\n"
            )
        case StreamRow(seq, at_us, kind, _, _, _, body):
            # what happened to a message has the message's number too; the row's own is `seq`
            said: dict[str, Any] = exact_numbers.decode(body)
            if "seq" in said:
                said["message_seq"] = said.pop("seq")
            data = {"seq": seq, "at": iso(at_us), "kind": kind, **said}
            return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, kind.encode(), _encode(data))
        case _:
            assert_never(item)


def _one_line(body: bytes) -> bytes:
    # a client's message may be spread over lines, and a line's end would end the event's data
    return msgspec.json.format(body, indent=-1) if b"\n" in body or b"\r" in body else body
