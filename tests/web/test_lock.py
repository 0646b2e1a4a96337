"""The lock before what a browser is served: links, cookies, hosts, origins."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from .serving import web

NOWHERE = Path("/nowhere/daemon.sock")


async def test_a_link_lets_one_browser_in_once(tmp_path: Path) -> None:
    now = [0.0]
    async with web(tmp_path, NOWHERE, now_s=lambda: now[0]) as caxton:
        http = caxton.http
        closed = await http.get("/c/market-1")
        assert (closed.status_code, "show a token" in closed.text) == (401, True)
        link = caxton.server.link()
        newer = caxton.server.link()
        assert (await http.get(link)).status_code == 401
        now[0] = 601.0
        assert (await http.get(newer)).status_code == 401
        link = caxton.server.link()
        entered = await http.get(link, params={"once": link.partition("=")[2], "to": "//evil.example/"})
        assert entered.status_code == 200
        assert 'content="0; url=/"' in entered.text
        cookie = entered.headers["set-cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
        assert (await http.get(link)).status_code == 401
        # it is in, and the daemon is away
        page = await http.get("/c/market-1")
        assert (page.status_code, "not running" in page.text or "daemon" in page.text) == (503, True)
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert (await http.post("/leave", headers={"origin": caxton.url})).status_code == 303
        assert (await http.get("/c")).status_code == 401
        assert caxton.told == ["127.0.0.1 came in by the link"]


async def test_who_comes_from_elsewhere_is_refused(tmp_path: Path) -> None:
    async with web(tmp_path, NOWHERE) as caxton:
        await caxton.enter()
        http = caxton.http
        evil = {"origin": "https://evil.example"}
        asked = {
            "host": await http.get("/c", headers={"host": "evil.example"}),
            "origin": await http.get("/static/live.js", headers=evil),
            "form": await http.post("/leave", headers=evil),
            "no origin": await http.post("/leave"),
            "null": await http.post("/leave", headers={"origin": "null"}),
            "another port": await http.get("/static/live.js", headers={"origin": "http://127.0.0.1:1"}),
        }
        assert {name: one.status_code for name, one in asked.items()} == {
            "host": 421,
            "origin": 403,
            "form": 403,
            "no origin": 403,
            "null": 403,
            "another port": 403,
        }
        assert (await http.get("/static/live.js", headers={"origin": caxton.url})).status_code == 200
        for name in ("..%2fserver.py", "../server.py", "server.py", ""):
            assert (await http.get(f"/static/{name}")).status_code == 404
        http.cookies.clear()
        # a strict cookie is left out where another site's page has the link; the page then asks again itself
        for path, to in (("/c/a?after=1", "/c/a?after=1"), ("//evil.example/", "/")):
            again = await http.get(caxton.url + path, headers={"sec-fetch-site": "cross-site"})
            assert f'content="0; url={to}"' in again.text


async def test_a_session_ends_when_nobody_uses_it(tmp_path: Path) -> None:
    now = [0.0]
    async with web(tmp_path, NOWHERE, now_s=lambda: now[0], idle_s=10.0, sessions=1) as caxton:
        await caxton.enter()
        assert (await caxton.http.get(caxton.server.link())).status_code == 429
        now[0] = 6.0
        assert (await caxton.http.get("/static/live.js")).status_code == 200
        now[0] = 12.0
        # what a page asks by itself is no use of it
        assert (await caxton.http.get("/c", headers={"x-caxton-refresh": "1"})).status_code == 503
        now[0] = 16.0
        async with asyncio.timeout(30):
            while (await caxton.http.get("/live/a")).status_code != 401:
                await asyncio.sleep(0)
        await caxton.enter()


@pytest.mark.parametrize("said", [b"caxton_1=x; ;;=", b"\xff\xfe", b"a" * 4000])
async def test_a_cookie_of_no_sense_is_none(tmp_path: Path, said: bytes) -> None:
    async with web(tmp_path, NOWHERE) as caxton:
        assert (await caxton.http.get("/c", headers=[(b"cookie", said)])).status_code == 401
