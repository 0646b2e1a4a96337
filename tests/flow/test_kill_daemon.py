"""`kill -9` of the daemon under load: what was acknowledged is there, and is answered once."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from .load import Ledger, check, keep_asking, read, settled
from .running import running

pytestmark = pytest.mark.crash

CLIENTS = 8
AGENTS = ["echo", "counter", "slow"]
PROJECT = """
cells = 1
[agents.echo]
wasm = "echo.wasm"
[agents.counter]
wasm = "counter.wasm"
[agents.slow]
wasm = "slow.wat"
"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.long)])
async def test_kills_lose_nothing_and_nobody_is_answered_twice(tmp_path: Path, kills: int) -> None:
    pick = random.Random(20)
    with running(tmp_path / "p", PROJECT) as daemon:
        ledger, over, up = Ledger(), asyncio.Event(), asyncio.Event()
        up.set()
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(keep_asking(number, AGENTS, ledger, daemon.socket, up.wait, over))
            for _ in range(kills):
                ledger.count(pick.randrange(1, 80))
                await ledger.enough.wait()
                up.clear()
                await asyncio.to_thread(daemon.kill)
                await asyncio.to_thread(daemon.start)
                up.set()
            ledger.count(CLIENTS)
            await ledger.enough.wait()
            over.set()
        await settled(daemon.socket, AGENTS)
        with daemon.client() as caxton:
            cut = {one.name for one in ledger.requests if one.cut_off}
            shown = {
                row.seq: row.redelivered
                for name in cut
                for row in caxton.messages(conversation=name)
                if row.cause is None
            }
        assert await asyncio.to_thread(daemon.stop) == 0

    history = await read(daemon.state)
    check(ledger, history)
    assert len(history.told("daemon", what="started")) == kills + 1
    # delivered again means: a start that found it unfinished came between the message and its answer
    starts = [seq for seq, _ in history.told("daemon", what="redelivered")]
    again = {
        seq for seq, answer in history.answer_of.items() if any(seq < start < answer for start in starts)
    }
    assert history.marked == again
    assert len(again) >= kills // 2, "the kills did not find the agents at work"
    assert shown == {seq: seq in again for seq in shown}
    # a kill may come when nobody waits for an answer
    assert sum(one.cut_off for one in ledger.requests) > kills // 2
