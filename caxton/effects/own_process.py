"""What effects of our own have in common on the other side: a process that answers calls, many at a time.

    python -m caxton.effects.KIND SETTINGS

In: lines on standard input. Out: an answer for each call on standard output. It ends when its input does. Nothing
here is imported by the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import msgspec

LINE_BYTES: Final = 64 << 20
Json = dict[str, Any]


class Failed(Exception):
    """Raised where a call cannot be done: its code, a sentence, and what else the asker is told."""

    def __init__(self, code: str, reason: str, **more: object) -> None:
        super().__init__(reason)
        self.content = {"error": code, "reason": reason, **more}


class Refused(Failed):
    """Raised where a call is not to be done; nothing has happened."""


class Call(msgspec.Struct):
    """A line of the daemon: a call, or the end of one."""

    id: str = ""
    request: Any = None
    timeout_ms: int = 0
    cancel: str = ""


Do = Callable[[Call], Awaitable[object]]
"""What is done for a call; its value is the content of the answer. Raises Failed or Refused."""

_read = msgspec.json.Decoder(Call).decode
_write = msgspec.json.Encoder().encode


async def serve(do: Do) -> None:
    """Answer calls until the input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    open_calls: dict[str, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            while line := await reader.readline():
                call = _read(line)
                if call.cancel:
                    if call.cancel in open_calls:
                        open_calls[call.cancel].cancel()
                    continue
                task = group.create_task(_answer(do, call))
                open_calls[call.id] = task
                task.add_done_callback(partial(_forget, open_calls, call.id))
            for task in open_calls.values():
                task.cancel()
    except* BrokenPipeError:
        pass


async def unavailable(why: str) -> None:
    """Say that nothing can be done here, and why, until the input ends."""

    async def refuse(call: Call) -> object:
        raise Failed("unavailable", why)

    about({"down": why})
    await serve(refuse)


def _forget(calls: dict[str, asyncio.Task[None]], id: str, task: asyncio.Task[None]) -> None:
    calls.pop(id, None)


async def _answer(do: Do, call: Call) -> None:
    try:
        _say({"id": call.id, "inform": await do(call)})
    except Refused as refused:
        _say({"id": call.id, "refuse": refused.content})
    except Failed as failed:
        _say({"id": call.id, "failure": failed.content})
    except asyncio.CancelledError:
        with contextlib.suppress(BrokenPipeError):
            _say({"id": call.id, "failure": {"error": "cancelled", "reason": "nobody waits for it any more"}})
        raise


def progress(id: str, what: object) -> None:
    """Say how far a call is, for the log."""
    _say({"id": id, "progress": what})


def about(what: object) -> None:
    """Say what the process offers."""
    _say({"about": what})


def _say(line: Json) -> None:
    sys.stdout.buffer.write(_write(line) + b"\n")
    sys.stdout.buffer.flush()
