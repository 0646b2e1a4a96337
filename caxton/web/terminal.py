"""The terminal interface in a browser: a process of its own for each WebSocket, and nothing else that could be run.

In: keys and sizes, as the script of `textual-serve` sends them. Out: what Textual's driver for the web writes. The
process is started by its words and not by a shell, with its session's credential, without the environment's secrets.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from caxton.client import Remote
from caxton.web.pages import session_of
from caxton.web.sessions import Session, Sessions

LARGEST: Final = 65_536
"""Bytes that a browser may send at once."""
END_S: Final = 2.0
"""How long the process has to end by itself."""
_READY: Final = b"__GANGLION__\n"
_KEPT: Final = ("PATH", "HOME", "LANG", "TZ", "USER", "VIRTUAL_ENV", "PYTHONPATH")
_CLOSE_ROOM: Final = 120
"""Bytes of a reason that a WebSocket can be closed with."""


class Terminals:
    """At most `most` at a time. `project` is the folder of the project that sessions of the owner look at."""

    def __init__(self, sessions: Sessions, project: Path | None, most: int) -> None:
        self._sessions = sessions
        self._project = project
        self._most = most
        self._open = 0

    async def serve(self, websocket: WebSocket) -> None:
        """One terminal, until the browser goes, the interface is left, or the session ends."""
        await websocket.accept()
        if self._open >= self._most:
            await websocket.close(4429, f"there are {self._most} terminals already")
            return
        self._open += 1
        try:
            reason = await self._play(websocket, session_of(websocket))
        finally:
            self._open -= 1
        with suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close(4000, reason.encode()[:_CLOSE_ROOM].decode(errors="ignore"))

    async def _play(self, websocket: WebSocket, session: Session) -> str:
        sizes = [_bounded(websocket.query_params.get(name, "")) for name in ("width", "height")]
        process = await asyncio.create_subprocess_exec(
            *self._words(session),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=_environment(session, sizes),
            start_new_session=True,
        )
        try:
            async with asyncio.TaskGroup() as group:
                last = group.create_task(_last_words(process), name="errors")
                ends = [
                    group.create_task(self._typed(websocket, session, process), name="keys"),
                    group.create_task(_shown(websocket, process), name="screen"),
                    group.create_task(_ended(session), name="session"),
                ]
                done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                for one in ends:
                    one.cancel()
                await _stopped(process)
                said = await last
        finally:
            if process.returncode is None:
                process.kill()
        return said or next(iter(done)).result()

    def _words(self, session: Session) -> list[str]:
        local = isinstance(session.where, Path) and self._project is not None
        project = ["--project", str(self._project)] if local else []
        read_only = ["--read-only"] if session.read_only else []
        return [sys.executable, "-m", "caxton.cli", *project, "tui", *read_only]

    async def _typed(self, websocket: WebSocket, session: Session, process: Process) -> str:
        assert process.stdin is not None
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return "the browser has gone"
            match _read(message.get("text")):
                case ["stdin", str(keys)]:
                    self._sessions.use(session)
                    process.stdin.write(_packet(b"D", keys.encode("utf-8", "replace")))
                case ["resize", {"width": int(width), "height": int(height)}]:
                    size = {"type": "resize", "width": _bounded(width), "height": _bounded(height)}
                    process.stdin.write(_packet(b"M", json.dumps(size).encode()))
                case ["focus" | "blur" as kind]:
                    process.stdin.write(_packet(b"M", json.dumps({"type": kind}).encode()))
                case ["ping", str(when)]:
                    await websocket.send_text(json.dumps(["pong", when]))
                case _:
                    return "what the browser sent cannot be read"
            try:
                await process.stdin.drain()
            except OSError:
                return "the terminal interface has ended"


async def _shown(websocket: WebSocket, process: Process) -> str:
    assert process.stdout is not None
    try:
        while await process.stdout.readline() not in (_READY, b""):
            pass
        while True:
            head = await process.stdout.readexactly(5)
            payload = await process.stdout.readexactly(int.from_bytes(head[1:], "big"))
            # files and addresses that the interface would hand to the browser stay here
            if head[:1] == b"D":
                await websocket.send_bytes(payload)
    except (asyncio.IncompleteReadError, ValueError):
        return "the terminal interface has ended"
    except (OSError, RuntimeError, WebSocketDisconnect):
        return "the browser has gone"


async def _ended(session: Session) -> str:
    await session.ended.wait()
    return "the session has ended"


async def _last_words(process: Process) -> str:
    """What the command line said was wrong."""
    assert process.stderr is not None
    said = b""
    while piece := await process.stderr.read(4096):
        said = (said + piece)[-4096:]
    lines = said.decode("utf-8", "replace").splitlines()
    return next((line for line in lines if line.startswith("error: ")), "")


async def _stopped(process: Process) -> None:
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.write(_packet(b"M", b'{"type":"quit"}'))
    with suppress(TimeoutError):
        async with asyncio.timeout(END_S):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()


def _environment(session: Session, sizes: Sequence[int]) -> dict[str, str]:
    """What the process may know: no key that the server's environment has is any of its business."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("LC_")}
    where = session.where.environ() if isinstance(session.where, Remote) else {}
    return {
        **kept,
        **where,
        "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "TEXTUAL_FPS": "30",
        "TERM_PROGRAM": "textual",
        "COLUMNS": str(sizes[0]),
        "ROWS": str(sizes[1]),
    }


def _packet(kind: bytes, payload: bytes) -> bytes:
    return b"%s%s%s" % (kind, len(payload).to_bytes(4, "big"), payload)


def _read(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except ValueError:
        return None


def _bounded(size: str | int) -> int:
    """Columns or lines that a screen can have."""
    said = size if isinstance(size, int) else int(size) if size.isascii() and size.isdigit() else 80
    return max(10, min(said, 500))
