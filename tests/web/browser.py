"""A headless Chromium that is driven by its own protocol: pages, keys, pictures."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WAIT_S = 60.0


class Browser:
    """One tab."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = count(1)
        self.said: list[str] = []
        """What the page complained of."""
        self.shown = ""
        """What came over its WebSockets."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            heard = self._hear(WAIT_S)
            if heard.get("id") == number:
                assert "error" not in heard, heard
                result: dict[str, Any] = heard["result"]
                return result

    def _hear(self, for_s: float) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self._connection.recv(timeout=for_s))
        match heard:
            case {"method": "Log.entryAdded", "params": {"entry": {"text": str(text)}}}:
                self.said.append(text)
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": dict(details)}}:
                self.said.append(json.dumps(details))
            case {
                "method": "Network.webSocketFrameReceived",
                "params": {"response": {"opcode": 2, "payloadData": str(data)}},
            }:
                self.shown += base64.b64decode(data).decode("utf-8", "replace")
            case _:
                pass
        return heard

    def _hear_more(self) -> None:
        with suppress(TimeoutError):
            self._hear(0.05)

    def open(self, url: str) -> None:
        self.do("Page.navigate", url=url)

    def get(self, expression: str) -> Any:
        """What that JavaScript says."""
        answer = self.do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until that is true."""
        deadline = monotonic() + WAIT_S
        while monotonic() < deadline:
            # a page that is being left has nothing to say
            answer = self.do("Runtime.evaluate", expression=f"Boolean({expression})", returnByValue=True)
            if answer.get("result", {}).get("value"):
                return
            self._hear_more()
        raise AssertionError((expression, self.get("document.body.innerText")))

    def until_shown(self, word: str) -> None:
        """Wait until a terminal was shown that word, since the last time that one was waited for."""
        deadline = monotonic() + WAIT_S
        while word not in self.shown and monotonic() < deadline:
            self._hear_more()
        before, found, self.shown = self.shown.partition(word)
        assert found, (word, before[-2000:])

    def press(self, keys: str) -> None:
        for key in keys:
            self.do("Input.dispatchKeyEvent", type="keyDown", text=key, key=key)
            self.do("Input.dispatchKeyEvent", type="keyUp", key=key)

    def size(self, width: int, height: int) -> None:
        self.do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def picture(self, path: Path, **more: Any) -> None:
        path.write_bytes(base64.b64decode(self.do("Page.captureScreenshot", format="png", **more)["data"]))


@contextmanager
def browser(folder: Path) -> Generator[Browser]:
    """A browser with a profile of its own in that folder."""
    assert CHROMIUM is not None
    words = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    words += ["--remote-debugging-port=0", f"--user-data-dir={folder}", "--no-first-run", "about:blank"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = next(line for line in process.stderr if "DevTools listening on" in line)
            root = line.split()[-1].strip()
            tabs = httpx.get(f"http://{root.split('/')[2]}/json/list", trust_env=False).json()
            tab = next(one for one in tabs if one["type"] == "page")
            with connect(tab["webSocketDebuggerUrl"], max_size=None) as connection:
                yield Browser(connection)
        finally:
            process.terminate()
