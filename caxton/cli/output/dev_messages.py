"""What the agents say while one develops them: messages, log lines, dead letters, one line each.

In: the daemon's event stream, from when it is up. Out: lines on stdout, or JSON objects whose `event` is the kind.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from caxton.cli.connection import STATE
from caxton.cli.output.printing import colour_wanted, paint, safe, say
from caxton.client import AsyncClient, StreamEvent
from caxton.daemon_socket import socket_path
from caxton.errors import TimedOut, Unreachable
from caxton.presentation.json_line import compact
from caxton.presentation.names import receivers, short

KINDS = ("message", "log", "dead_letter")


async def follow(folder: Path, up: asyncio.Event, *, as_json: bool) -> None:
    """Print what passes, from each time that a daemon is `up`, until cancelled."""
    while True:
        await up.wait()
        up.clear()
        try:
            async with AsyncClient(socket_path(folder / STATE)) as caxton:
                async for event in caxton.events(kinds=KINDS):
                    say(_as_json(event) if as_json else _line(event))
        except (Unreachable, TimedOut):
            continue


def _as_json(event: StreamEvent) -> str:
    return json.dumps({"event": event.kind, **event.data})


def _line(event: StreamEvent) -> str:
    colour = colour_wanted()
    data: dict[str, Any] = event.data
    if event.kind == "gap":
        return paint(f"          … {data['lost']:,} not shown", "dim", colour)
    stamp = time.strftime("%H:%M:%S", time.localtime(datetime.fromisoformat(data["at"]).timestamp()))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 160
    if event.kind == "log":
        style = {"error": "red", "warning": "yellow"}.get(str(data["level"]))
        text = f"{short(data['agent'])} {safe(data['level'])}: {safe(data['message'])}"
        return f"{paint(stamp, 'dim', colour)}    {paint(text, style, colour)}"
    if event.kind == "dead_letter":
        text = f"✗ {short(data['agent'])}: {safe(data['code'])}: {safe(data['reason'])}"
        return f"{paint(stamp, 'dim', colour)}    {paint(text, 'red', colour)}"
    message = event.stored.message
    head = f"{short(message.sender)} → {receivers(message)}  {safe(message.performative)}"
    room = max(width - len(head) - 14, 16)
    tail = "" if message.content is None else f"  {compact(message.content, room)}"
    return f"{paint(stamp, 'dim', colour)}    {paint(head, 'dim', colour)}{tail}"
