"""MCP over HTTP: the SDK's own client does by a token what one on stdio does, and no more than the token allows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from caxton.cli.mcp.tools import ACTING, LOOKING

from .served import Served, served

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    with served(tmp_path_factory.mktemp("mcp-http") / "shop") as shop:
        yield shop


@asynccontextmanager
async def asking(shop: Served, role: str, *agents: str, mode: Any = "auto") -> AsyncGenerator[Client]:
    async with httpx2.AsyncClient(headers=shop.headers(role, *agents), timeout=60) as http:
        transport = streamable_http_client(f"{shop.url}/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


async def said(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    (one,) = result.content
    assert one.type == "text"
    return f"error: {one.text}" if result.is_error else one.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_eleven_tools_are_there_a_message_is_sent_and_its_conversation_read(
    shop: Served, mode: str
) -> None:
    async with asking(shop, "operator", mode=mode) as client:
        assert [one.name for one in (await client.list_tools()).tools] == [*LOOKING, *ACTING]
        sent = await said(client, "send", to=["counter"], content={"add": 2}, conversation=f"h-{mode}")
        assert "inform          → operator.operator" in sent
        assert "operator.operator" in await said(client, "conversation", id=f"h-{mode}")
        (content,) = (await client.read_resource(f"caxton://conversation/h-{mode}")).contents
        assert "counter" in getattr(content, "text", "")
        came = await said(client, "events", after=0, filter=f"conv:h-{mode}", wait_s=5)
        assert f"h-{mode}: operator.operator request → counter" in came


async def test_each_request_has_the_rights_of_its_own_token(shop: Served) -> None:
    async with asking(shop, "viewer") as viewer, asking(shop, "operator", "echo") as scoped:
        refused = await said(viewer, "send", to=["echo"], content=1)
        assert "viewer is viewer; POST /api/v1/messages is for operator and above" in refused
        assert "hint: ask for a token with --role operator" in refused
        assert "counter: running" in await said(viewer, "agents")
        seen = await said(scoped, "agents")
        assert "echo: running" in seen
        assert "counter" not in seen
        assert "out of its reach" in await said(scoped, "send", to=["counter"], content=1)
        assert "sent as message" in await said(scoped, "send", to=["echo"], content=1, wait_s=0)
        assert "is for developer and above" in await said(scoped, "deploy", agent="echo", build="echo.wasm")
    with shop.daemon.client() as caxton:
        rows = [(one.who, one.path, one.status, one.address) for one in caxton.audit()]
    # what was done is written down, and not that somebody looked
    assert ("viewer", "/api/v1/messages", 403, "127.0.0.1") in rows
    assert ("operator-echo", "/api/v1/messages", 202, "127.0.0.1") in rows
    assert not [row for row in rows if row[1:3] == ("/mcp", 200)]


async def test_a_build_is_taken_from_the_projects_folder_only(shop: Served) -> None:
    async with asking(shop, "developer") as client:
        assert "relay is new" in await said(client, "deploy", agent="relay", build="relay.wasm", plan=True)
        for outside in ("/etc/passwd", "../../../../../../etc/passwd"):
            answer = await said(client, "deploy", agent="relay", build=outside, plan=True)
            assert "is not in the project's folder" in answer


def test_the_lock_is_the_listeners(shop: Served) -> None:
    mine = shop.headers("viewer")
    ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json, text/event-stream"}
    with httpx.Client(base_url=shop.url, timeout=60) as http:
        for headers, status in (
            ({}, 401),
            (mine | {"host": "evil.example"}, 421),
            (mine | {"origin": "https://evil.example"}, 403),
            (mine | accept, 200),
        ):
            assert http.post("/mcp", json=ask, headers=headers).status_code == status
        # there are no sessions, and so no stream that belongs to one
        assert http.get("/mcp", headers=mine | accept).status_code == 405
        assert http.delete("/mcp", headers=mine).status_code == 405
        # whose name it is, only a gateway may say
        forged = shop.headers("viewer") | {"x-caxton-acting-for": "e30="}
        assert http.get("/api/v1/identity", headers=forged).json()["role"] == "viewer"
