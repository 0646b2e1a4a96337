"""A real browser: the link, keys in the terminal, a daemon that is started again, a page that stays fresh.

It needs Chromium, and is left to the long check: `apt-get install chromium`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from api.process import Daemon, running
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from .browser import CHROMIUM, browser

pytestmark = [
    pytest.mark.system,
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
SHOWN = "[...document.querySelectorAll('canvas')].some(one => one.width > 100)"


@contextmanager
def link(folder: Path) -> Generator[str]:
    """The one-time link of a `caxton web` on that project."""
    words = [sys.executable, "-m", "caxton.cli", "--project", str(folder), "web", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_a_terminal_ends_with_its_server_however_that_ends(daemon: Daemon) -> None:
    with link(daemon.folder) as first, httpx.Client(trust_env=False, timeout=60) as http:
        base = first.partition("/enter")[0]
        http.get(first)
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        place = f"{base.replace('http', 'ws')}/terminal"
        (server,) = (one for one in psutil.Process().children() if one.cmdline()[-1] == "127.0.0.1:0")
        with (
            suppress(ConnectionClosed),
            connect(
                place, origin=Origin(base), additional_headers={"Cookie": cookie}, max_size=None
            ) as socket,
        ):
            socket.recv()
            (child,) = server.children()
            server.kill()
            assert psutil.wait_procs([child], timeout=30)[1] == []


@pytest.fixture
def daemon(tmp_path: Path) -> Generator[Daemon]:
    with running(tmp_path / "shop") as daemon:
        yield daemon


def test_a_page_stays_fresh_and_runs_nothing_that_was_said(daemon: Daemon, tmp_path: Path) -> None:
    said = {"receiver": "df", "performative": "request", "conversation_id": "c"}
    with daemon.client() as caxton, link(daemon.folder) as first, browser(tmp_path / "profile") as tab:
        caxton.send(
            {**said, "content": "<img src=x onerror=document.title=1><script>document.title=2</script>"}
        )
        root = first.partition("/enter")[0]
        tab.open(first)
        tab.until("location.pathname == '/' || location.pathname == '/c'")
        tab.open(f"{root}/c/c")
        tab.until("document.getElementById('live')?.textContent == 'live'")
        before = tab.get("document.querySelectorAll('details').length")
        assert (tab.get("document.title"), tab.get("document.images.length")) == ("c: conversation", 0)
        caxton.send({**said, "content": "more"})
        tab.until(f"document.querySelectorAll('details').length > {before}")
        assert [one for one in tab.said if "Content Security" in one] == []


def test_a_terminal_is_typed_into_and_outlives_its_daemon(daemon: Daemon, tmp_path: Path) -> None:
    with link(daemon.folder) as first, browser(tmp_path / "profile") as tab:
        tab.open(first)
        tab.until("document.body.classList.contains('-first-byte')")
        tab.until(SHOWN)
        tab.until_shown("live")
        tab.press("2")
        tab.until_shown("echo")
        daemon.stop()
        tab.until_shown("lost")
        daemon.start()
        tab.until_shown("live")
        tab.press("q")
        tab.until("document.body.classList.contains('-closed')")
        assert tab.get("document.getElementById('why').textContent") == "the terminal interface has ended"
        port = re.search(r":(\d+)/", first)
        assert port is not None
        tab.open("data:text/html,<title>evil</title>")
        tab.until("document.title == 'evil'")
        refused = f"new Promise(go => {{ const one = new WebSocket('ws://127.0.0.1:{port[1]}/terminal'); "
        refused += "one.onopen = () => go('open'); one.onclose = () => go('closed'); })"
        assert tab.get(refused) == "closed"
