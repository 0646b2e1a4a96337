"""Pages of conversations over a real daemon: what was said, news of it, and who may see it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx
from access.test_tcp import project, served

from caxton.access import Role
from caxton.client import AsyncClient, Remote
from caxton.daemon_socket import socket_path

from .serving import web

EVIL = "</main><script>alert(1)</script>\u202e\x1b"


async def test_a_conversation_has_a_page_that_says_when_there_is_news(tmp_path: Path) -> None:
    folder = project(tmp_path / "shop", 'tcp = "127.0.0.1:0"\n')
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    async with served(folder) as (services, url):
        where = socket_path(folder / ".caxton")
        said = {"receiver": "df", "performative": "request", "conversation_id": "a/b c", "content": EVIL}
        async with AsyncClient(where) as client, web(tokens, where, Remote(url)) as caxton:
            await client.send(said)
            await caxton.enter()
            http = caxton.http
            assert (await http.get("/c/nothing")).status_code == 404
            assert (await http.get("/c/a/b%20c?after=x")).status_code == 400
            assert 'href="/c/a/b%20c"' in (await http.get("/c")).text
            page = await http.get("/c/a/b%20c")
            assert "script-src 'self'" in page.headers["content-security-policy"]
            assert r"&lt;/main&gt;&lt;script&gt;alert(1)&lt;/script&gt;\u202e" in page.text
            assert page.text.count("<script") == 1
            async with asyncio.timeout(30), http.stream("GET", "/live/a/b%20c") as news:
                lines = news.aiter_lines()
                async for line in lines:
                    if line == "event: there":
                        await client.send(said)
                    if line == "event: news":
                        break
            secret = services.tokens.create("vera", Role.VIEWER, ["nobody-*"], None, "owner")[1]
            form = {"token": secret, "to": "/c"}
            async with httpx.AsyncClient(base_url=caxton.url, trust_env=False, timeout=60) as other:
                mine = {"origin": caxton.url}
                wrong = await other.post("/enter", data={"token": f"{secret}x"}, headers=mine)
                assert (wrong.status_code, secret in wrong.text) == (401, False)
                assert (
                    await other.post("/enter", data={"token": "x" * 9000}, headers=mine)
                ).status_code == 400
                assert os.listdir(tokens) == []
                assert (await other.post("/enter", data=form, headers=mine)).status_code == 200
                (kept,) = tokens.iterdir()
                assert (kept.read_text(), kept.stat().st_mode & 0o777) == (secret, 0o600)
                # the daemon's own table says what that token may see
                assert "a/b" not in (await other.get("/c")).text
                assert (await other.get("/c/a/b%20c")).status_code == 403
                await other.post("/leave", headers=mine)
                assert os.listdir(tokens) == []
            assert caxton.told[-1] == "127.0.0.1 came in as vera, viewer"
            assert secret not in "".join(caxton.told)
