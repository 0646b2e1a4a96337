"""The two ways to an MCP server, as streams of messages for the SDK: a child's stdio, and streamable HTTP.

In: what the server says, whatever that is. Out: messages; for an answer that cannot be read or is too long an error for
its call. The child stays in this process's group, so it ends with it and with the daemon, which the SDK's own way would
not give. What is no answer is read at a bounded pace.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from abc import ABC, abstractmethod
from asyncio.subprocess import PIPE
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self

import httpx2
import msgspec
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import PARSE_ERROR, ErrorData, JSONRPCError, JSONRPCResponse, jsonrpc_message_adapter

from caxton.effects.lines import Lines, TooLong
from caxton.effects.tools.vocabulary import Offered
from caxton.effects.worker import GIVEN

MOST_BYTES: Final = 4 << 20
"""The longest line or body of a server that is read."""
TOO_LONG: Final = -32_019
"""The error's code for an answer with more."""
CHUNK: Final = 65_536
NOISE_S: Final = 0.005
"""What each message that is no answer costs the server in time."""
LEAVING_S: Final = 0.5
"""So long a server may take to end by itself when its input does."""
_ID: Final = re.compile(rb'"id"\s*:\s*(?:(\d{1,18})|"([^"\\]{1,64})")')


class _Stream(ABC):
    """One way of a connection, as the SDK closes it."""

    @abstractmethod
    async def aclose(self) -> None:
        """The SDK needs it no more."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()


class Output(_Stream):
    """What a child says, message by message; `over` when it has ended."""

    def __init__(self, reader: asyncio.StreamReader, over: asyncio.Event) -> None:
        self._reader = reader
        self._over = over
        self._lines = Lines(MOST_BYTES)
        self._read: deque[bytes | TooLong] = deque()

    async def receive(self) -> SessionMessage:
        """The next message; raises StopAsyncIteration when there is none any more."""
        while True:
            while self._read:
                message = _message(self._read.popleft())
                if message is None or not isinstance(message.message, JSONRPCResponse | JSONRPCError):
                    await asyncio.sleep(NOISE_S)
                if message is not None:
                    return message
            data = await self._reader.read(CHUNK)
            if not data:
                self._over.set()
                raise StopAsyncIteration
            self._read += self._lines.feed(data)

    async def aclose(self) -> None:
        """Nothing to do: the child is ended by `stdio`."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage:
        return await self.receive()


class Input(_Stream):
    """What is said to a child."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, item: SessionMessage, /) -> None:
        """Write a message as a line; one that the child does not read waits."""
        line = item.message.model_dump_json(by_alias=True, exclude_unset=True)
        self._writer.write(line.encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def aclose(self) -> None:
        """Nothing more is said."""
        self._writer.close()


class Settings(msgspec.Struct):
    """What a process is told of its server: `env` and `headers` have names of environment variables."""

    command: list[str]
    url: str | None
    env: list[str]
    headers: dict[str, str]
    offered: Offered


Connect = Callable[[asyncio.Event], AbstractAsyncContextManager[Any]]
"""Makes a connection: two streams for the SDK. The event is set when the server has ended."""


def connect(settings: Settings, environ: Mapping[str, str]) -> Connect:
    """The way to that server."""
    headers = {name: environ[one] for name, one in settings.headers.items() if one in environ}
    env = {name: environ[name] for name in (*GIVEN, *settings.env) if name in environ}

    def made(over: asyncio.Event) -> AbstractAsyncContextManager[Any]:
        return stdio(settings.command, env, over) if settings.url is None else http(settings.url, headers)

    return made


@asynccontextmanager
async def stdio(
    command: list[str], env: Mapping[str, str], over: asyncio.Event
) -> AsyncGenerator[tuple[Output, Input], None]:
    """A server that is a child of this process; raises OSError where it cannot be started."""
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=env, limit=CHUNK)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Output(process.stdout, over), Input(process.stdin)
    finally:
        process.stdin.close()
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(LEAVING_S):
                await process.wait()
        with contextlib.suppress(ProcessLookupError):
            process.kill()


@asynccontextmanager
async def http(url: str, headers: Mapping[str, str]) -> AsyncGenerator[object, None]:
    """A server elsewhere; how long a call may take is the daemon's business."""
    timeout = httpx2.Timeout(None, connect=10.0)
    async with (
        httpx2.AsyncClient(
            headers=dict(headers), timeout=timeout, transport=_Bounded(), trust_env=True
        ) as client,
        streamable_http_client(url, http_client=client, max_sse_event_size=MOST_BYTES) as streams,
    ):
        yield streams


def _message(line: bytes | TooLong) -> SessionMessage | None:
    """What a line says; an error for its call where it cannot be read, nothing where it is of none."""
    if isinstance(line, TooLong):
        return _failed(line.head, TOO_LONG, f"the answer has more than {MOST_BYTES:,} bytes")
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return _failed(line, PARSE_ERROR, f"the answer cannot be read: {str(error)[:200]}")


def _failed(line: bytes, code: int, why: str) -> SessionMessage | None:
    found = _ID.search(line[:256]) or _ID.search(line[-256:])
    if found is None or b'"method"' in line[:256]:
        return None
    id = int(found[1]) if found[1] else found[2].decode("utf-8", "replace")
    return SessionMessage(JSONRPCError(jsonrpc="2.0", id=id, error=ErrorData(code=code, message=why)))


class _Bounded(httpx2.AsyncHTTPTransport):
    """Reads bodies no further than there may be."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        events = response.headers.get("content-type", "").startswith("text/event-stream")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_BoundedStream(response.stream, None if events else MOST_BYTES),
            extensions=response.extensions,
        )


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, most: int | None) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for part in self._stream:
            read += len(part)
            if self._most is not None and read > self._most:
                raise httpx2.StreamError(f"the answer has more than {self._most:,} bytes")
            yield part
            if self._most is None:
                # events come no faster than they are read
                await asyncio.sleep(NOISE_S)

    async def aclose(self) -> None:
        await self._stream.aclose()
