"""A headless Chromium that is driven by its own protocol: pages, keys, pictures."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WAIT_S = 30.0


class Browser:
    """One tab."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = count(1)
        self.said: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; what the page complains of meanwhile is in `said`."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            heard = json.loads(self._connection.recv(timeout=WAIT_S))
            match heard:
                case {"method": "Log.entryAdded", "params": {"entry": {"text": str(text)}}}:
                    self.said.append(text)
                case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": dict(details)}}:
                    self.said.append(json.dumps(details))
                case {"id": answered} if answered == number:
                    assert "error" not in heard, heard
                    return heard["result"]
                case _:
                    pass

    def open(self, url: str) -> None:
        self.do("Page.navigate", url=url)

    def get(self, expression: str) -> Any:
        """What that JavaScript says."""
        answer = self.do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, expression: str, for_s: float = WAIT_S) -> None:
        """Wait until that is true."""
        deadline = monotonic() + for_s
        while monotonic() < deadline:
            # a page that is being left has nothing to say
            waited = f"new Promise(go => setTimeout(() => go(Boolean({expression})), 50))"
            answer = self.do("Runtime.evaluate", expression=waited, awaitPromise=True, returnByValue=True)
            if answer.get("result", {}).get("value"):
                return
        raise AssertionError((expression, self.get("document.body.innerText")))

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
            import urllib.request

            port = root.split(":")[2].split("/")[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                tab = next(one for one in json.load(answer) if one["type"] == "page")
            with connect(tab["webSocketDebuggerUrl"], max_size=None) as connection:
                yield Browser(connection)
        finally:
            process.terminate()
