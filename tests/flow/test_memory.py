"""`kill -9` of the daemon and of its cells: an agent without any hook is where it was."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
from contextlib import aclosing
from pathlib import Path

import pytest
from agents.systems import tally

from caxton.client import AsyncClient, Client

from .running import Daemon, running

pytestmark = pytest.mark.crash

TURNS = 10_000
BURST = 50
PROJECT = """
cells = 1
[agents.tally]
wasm = "tally.wat"
limits = { mailbox = 20_000 }
[agents.driver]
wasm = "driver.wat"
"""


def driver() -> str:
    """A guest that asks the tally many times a turn, and answers when it has done so."""
    wish = '{"performative":"request","receiver":"tally","reply_to":"operator"}\n'
    says = wish * BURST + '{"performative":"inform"}\n'
    quoted = says.replace('"', '\\"').replace("\n", "\\n")
    numbers = (0x31415843, 1 << 16, 0, 4096, 8192, 16_384, len(says), 16_384)
    mailbox = "".join(f"\\{byte:02x}" for byte in struct.pack("<8I", *numbers))
    return f"""(module (memory (export "memory") 1)
      (data (i32.const 16) "{mailbox}") (data (i32.const 16384) "{quoted}")
      (func (export "caxton_abi") (result i32) (i32.const 16))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      (func (export "handle_message") (param i32 i32) (result i32) (i32.const {BURST + 1})))"""


def count_up(caxton: Client) -> None:
    for _ in range(TURNS // BURST):
        sent = caxton.send({"performative": "request", "receiver": "driver"}, wait_s=30)
        assert sent.replies[0].message.performative == "inform"


def ask(caxton: Client) -> int:
    sent = caxton.send({"performative": "request", "receiver": "tally"}, wait_s=30)
    return int(sent.replies[0].message.content)


async def kill_cell(daemon: Daemon) -> str:
    """Kill the only cell and wait until its agent is back; what is said of its memory."""
    async with AsyncClient(daemon.socket, timeout=60) as caxton:
        status = await caxton.status()
        async with aclosing(caxton.events(after=status.journal.last_seq, kinds=["agent"])) as events:
            victim = status.cells[0].pid
            assert victim is not None
            os.kill(victim, signal.SIGKILL)
            async for event in events:
                if (event.data["what"], event.data["agent"]) == ("restarted", "tally@local"):
                    return str(event.data["memory"])
    raise AssertionError("the stream ended")


async def test_a_counter_at_ten_thousand_is_at_ten_thousand_after_kill_9(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "tally.wat").write_bytes(tally())
    (folder / "driver.wat").write_text(driver())
    with running(folder, PROJECT) as daemon:
        with daemon.client() as caxton:
            await asyncio.to_thread(count_up, caxton)
            assert await asyncio.to_thread(ask, caxton) == TURNS + 1
        await asyncio.to_thread(daemon.kill)
        await asyncio.to_thread(daemon.start)
        with daemon.client() as caxton:
            assert await asyncio.to_thread(ask, caxton) == TURNS + 2
            assert await kill_cell(daemon) == "replayed 10,002 turns"
            assert await asyncio.to_thread(ask, caxton) == TURNS + 3
    assert any("replayed 10,001 turns" in line for line in daemon.log)
