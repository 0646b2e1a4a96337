"""A server of tools over HTTP: what is sent to it, and its bad days."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from caxton.effects.own_process import Call, Failed
from caxton.effects.tools.server import Server
from caxton.effects.tools.transports import MOST_BYTES, Settings, connect
from caxton.effects.tools.vocabulary import Offer, Offered

from .provider import Json, Provider, Reply, provider

SCHEMA: Json = {"type": "object"}
TOOLS: list[Json] = [
    {"name": "look", "inputSchema": SCHEMA, "annotations": {"readOnlyHint": True}},
    {"name": "pay", "inputSchema": SCHEMA},
]
COMPLETE: Json = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}


def said(id: int, **result: Any) -> Reply:
    body = json.dumps({"jsonrpc": "2.0", "id": id, "result": {**COMPLETE, **result}}).encode()
    return Reply(raw=body, headers={"content-type": "application/json"})


GREETING = (
    said(1, supportedVersions=["2026-07-28"], capabilities={"tools": {}}),
    said(2, tools=TOOLS),
)


class Served(NamedTuple):
    at: Provider
    server: Server
    told: list[Offer]
    life: asyncio.Task[str]


@asynccontextmanager
async def served(*replies: Reply, read_only: bool = False) -> AsyncGenerator[Served]:
    """A connection that stands, and what the next calls are answered."""
    async with provider(*GREETING, *replies) as at:
        told: list[Offer] = []
        offered = Offered(["*"], read_only=read_only)
        settings = Settings([], at.url, [], {"authorization": "TOKEN"}, offered)
        server = Server(
            connect(settings, {"TOKEN": "Bearer abc"}),
            offered,
            lambda what: told.append(what),  # type: ignore[arg-type]
            lambda id, what: None,
        )
        life = asyncio.create_task(server.run())
        try:
            async with asyncio.timeout(20):
                yield Served(at, server, told, life)
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)


async def called(server: Server, tool: str = "pay") -> Any:
    try:
        return await server.do(Call("m-1", {"tool": tool, "arguments": {}}, 1_000))
    except Failed as failed:
        return failed.content["error"]


async def test_a_call_goes_out_with_its_headers_and_its_key() -> None:
    async with served(said(3, content=[{"type": "text", "text": "paid"}])) as (at, server, told, _):
        answer = await called(server)
        assert answer == {"content": [{"type": "text", "text": "paid"}], "structured": None}
        assert [(one.name, one.idempotent) for one in told[0].tools or []] == [("look", True), ("pay", False)]
    assert {headers["authorization"] for _, headers, _ in at.requests} == {"Bearer abc"}
    _, headers, body = at.requests[-1]
    assert (headers["mcp-method"], headers["mcp-name"]) == ("tools/call", "pay")
    assert body["params"]["_meta"]["caxton/message-id"] == "m-1"


async def test_only_what_changes_nothing_is_offered_where_that_was_said() -> None:
    async with served(said(3, content=[]), read_only=True) as (at, server, told, _):
        assert await called(server) == "unknown-tool"
        assert [one.name for one in told[0].tools or []] == ["look"]
    assert len(at.requests) == len(GREETING)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(raw=b" " * (MOST_BYTES + 1), headers={"content-type": "application/json"}), "wrong-answer"),
        (Reply(raw=b"nonsense", headers={"content-type": "application/json"}), "wrong-answer"),
        (Reply(raw=b"", headers={"content-type": "text/event-stream"}), "interrupted"),
        (Reply(raw=b"data: {\n\n", headers={"content-type": "text/event-stream"}), "wrong-answer"),
        (Reply(raw=b"hello", headers={"content-type": "text/html"}), "tool_error"),
        (Reply(status=500), "tool_error"),
        (Reply(status=307, headers={"location": "http://127.0.0.1:1/"}), "tool_error"),
    ],
)
async def test_a_bad_answer_costs_its_own_call_only(reply: Reply, code: str) -> None:
    async with served(reply, said(4, content=[])) as (_, server, _, _):
        assert await called(server) == code
        assert await called(server) == {"content": [], "structured": None}


async def test_a_session_that_is_forgotten_and_a_server_that_is_gone_end_the_process() -> None:
    error = {"jsonrpc": "2.0", "id": 3, "error": {"code": -32600, "message": "Session terminated"}}
    forgotten = Reply(raw=json.dumps(error).encode(), headers={"content-type": "application/json"})
    async with served(forgotten) as (_, server, _, life):
        assert await called(server) == "unavailable"
        assert await life == "the server has ended"
    # what is answered without a line of HTTP is a connection that broke
    async with served(Reply(status=0, headers={"x": "\r\n\r\n"}), said(4)) as (_, server, _, life):
        assert await called(server) == "interrupted"
        assert "cannot be reached" in await life
