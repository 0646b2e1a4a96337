"""Looks at a busy daemon, recorded once: processor times are never twice the same, so screen 6 is drawn from these.

In: the market on two cells, which buys for some seconds, rests, and buys again. Out: `looks.jsonl` beside this file, a
line a look as `caxton_tui.model.reader` takes them: the moment, the status, at times the agents and the newest
turns. Made anew by `python -m tui.recorded.looks` in the folder `tests`, and the picture after it by `just shots`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from shapes import made

from caxton.client import AsyncClient
from caxton.clock import SystemClock
from caxton.daemon_socket import socket_path
from caxton.schemas.daemon import AgentBody, StatusBody
from caxton.schemas.messages import TurnRow
from caxton.schemas.shape import plain
from caxton_tui.model.store import Store

FILE: Final = Path(__file__).with_suffix(".jsonl")
LOOKS: Final = 60
LOOK_S: Final = 0.5
BUSY: Final = (range(6, 22), range(36, 50))
"""The looks during which orders are under way."""
TURNS: Final = 60
FIGURES: Final = ("revision", "queue_us", "turn_us")
"""What the screen takes of a turn."""
MARKET: Final = Path(__file__).resolve().parents[3] / "agents-examples" / "market"


def fed(store: Store) -> Generator[float]:
    """Bring the recorded looks into the store, one after the other; their moments."""
    for line in FILE.read_text("utf-8").splitlines():
        look = json.loads(line)
        agents = look["agents"]
        store.looked(
            look["at"],
            made(StatusBody, look["status"]),
            None if agents is None else [made(AgentBody, one) for one in agents],
        )
        if look["turns"] is not None:
            store.asked(turns=[made(TurnRow, one) for one in look["turns"]])
        yield look["at"]


async def record(folder: Path) -> None:
    """Look at the daemon of that folder, and write down what was seen."""
    clock = SystemClock()
    async with AsyncClient(socket_path(folder / ".caxton"), timeout=30.0) as client:
        lines: list[str] = []
        began = clock.monotonic()
        for number in range(LOOKS):
            if any(number in busy for busy in BUSY):
                await client.send(_order(40))
            due = asyncio.Event()
            clock.later(max(began + number * LOOK_S - clock.monotonic(), 0), due.set)
            await due.wait()
            often = number % 4 == 0
            turns = await client.turns(limit=TURNS) if often else None
            look: dict[str, Any] = {
                "at": round(clock.monotonic() - began, 3),
                "status": plain(await client.status()),
                "agents": plain(await client.agents()) if often else None,
                "turns": None
                if turns is None
                else [{key: getattr(turn, key) for key in FIGURES} for turn in turns],
            }
            # where it was recorded is nobody's business
            look["status"]["folder"] = "/srv/market"
            lines.append(json.dumps(look, separators=(",", ":")) + "\n")
    FILE.write_text("".join(lines), "utf-8")


def _order(rounds: int) -> dict[str, Any]:
    return {
        "performative": "request",
        "receiver": ["buyer"],
        "protocol": "fipa-request",
        "content": {"action": "buy", "item": "book", "rounds": rounds, "pause_ms": 0},
    }


def main() -> None:
    """Run the market, record it, end it."""
    with tempfile.TemporaryDirectory(prefix="cx") as folder:
        home = Path(folder) / "market"
        shutil.copytree(MARKET, home)
        toml = home / "caxton.toml"
        toml.write_text(toml.read_text("utf-8").replace('"market"', '"market"\ncells = 2', 1))
        caxton = [sys.executable, "-m", "caxton.cli", "-p", str(home)]
        subprocess.run([*caxton, "up"], check=True)
        try:
            asyncio.run(record(home))
        finally:
            subprocess.run([*caxton, "down"], check=True)


if __name__ == "__main__":
    main()
