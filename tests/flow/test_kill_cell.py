"""`kill -9` of cells under load: the daemon stays, its clients notice a gap and nothing else."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from pathlib import Path

import httpx
import pytest

from caxton.client import AsyncClient

from .load import PATIENCE_S, Ledger, check, keep_asking, read, settled
from .running import Daemon, running

pytestmark = pytest.mark.crash

CELLS = 3
CLIENTS = 8
AGENTS = ["echo", "counter", "slow", "slow-2", "echo-2", "counter-2"]
PROJECT = f"""
cells = {CELLS}
[agents.echo]
wasm = "echo.wasm"
[agents.counter]
wasm = "counter.wasm"
[agents.slow]
wasm = "slow.wat"
[agents.slow-2]
wasm = "slow.wat"
[agents.echo-2]
wasm = "echo.wasm"
[agents.counter-2]
wasm = "counter.wasm"
"""


async def stay_healthy(daemon: Daemon, over: asyncio.Event) -> int:
    """Ask for the daemon's health without a pause; how often it answered."""
    transport = httpx.AsyncHTTPTransport(uds=str(daemon.socket))
    answered = 0
    async with httpx.AsyncClient(transport=transport, base_url="http://caxton", timeout=PATIENCE_S) as client:
        while not over.is_set():
            assert (await client.get("/health")).json() == {"status": "ok"}
            answered += 1
    return answered


async def always_up() -> None:
    raise AssertionError("a client was cut off")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.long)])
async def test_killed_cells_are_a_gap_and_nothing_more(tmp_path: Path, kills: int) -> None:
    pick = random.Random(21)
    with running(tmp_path / "p", PROJECT) as daemon:
        pid = daemon.pid
        ledger, over = Ledger(), asyncio.Event()
        killed: list[int] = []
        async with asyncio.TaskGroup() as group, AsyncClient(daemon.socket) as caxton:
            healthy = group.create_task(stay_healthy(daemon, over))
            for number in range(CLIENTS):
                group.create_task(keep_asking(number, AGENTS, ledger, daemon.socket, always_up, over))
            cells = {cell.no: cell.pid for cell in (await caxton.status()).cells}
            events = caxton.events(after=0, kinds=["cell"])
            order = list(cells)
            for kill in range(kills):
                ledger.count(pick.randrange(1, 80))
                await ledger.enough.wait()
                if kill % CELLS == 0:
                    pick.shuffle(order)
                no = order[kill % CELLS]
                victim = cells[no]
                assert victim is not None
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)
                async for event in events:
                    now = event.data
                    if (now["state"], now["cell"]) == ("ready", no) and now["pid"] != cells[no]:
                        assert now["restarts"] == kill // CELLS + 1
                        cells[no] = now["pid"]
                        break
            ledger.count(CLIENTS)
            await ledger.enough.wait()
            over.set()
            await settled(daemon.socket, AGENTS)
            status, metrics, agents = await caxton.status(), await caxton.metrics(), await caxton.agents()
            await events.aclose()
        assert daemon.pid == pid == status.pid
        assert {cell.pid for cell in status.cells} == set(cells.values())
        assert {cell.state for cell in status.cells} == {"ready"}
        assert sum(cell.restarts for cell in status.cells) == kills
        assert re.search(rf"^caxton_cell_restarts_total {kills}$", metrics, re.MULTILINE)
        assert {agent.state for agent in agents} == {"running"}
        assert healthy.result() > kills

    history = await read(daemon.state)
    check(ledger, history)
    assert not any(one.cut_off for one in ledger.requests)
    died = history.told("cell", state="died")
    assert [body["pid"] for _, body in died] == killed
    assert {body["exit_code"] for _, body in died} == {-signal.SIGKILL}
    assert len(history.told("cell", state="ready")) == CELLS + kills
    # an agent whose cell is killed again before it is back has come back once
    came_back = [body["reason"] for _, body in history.told("agent", what="restarted")]
    assert set(came_back) == {"cell"}
    assert len(came_back) == sum(agent.restarts for agent in agents) <= kills * len(AGENTS) // CELLS
    assert {body["agents"] for _, body in died} == {len(AGENTS) // CELLS}
    # what waited outside the cell is not marked, so this holds one way only
    deaths = [seq for seq, _ in died]
    for seq in history.marked:
        assert any(seq < death < history.answer_of[seq] for death in deaths)
    again = int(re.findall(r"^caxton_redelivered_total (\d+)$", metrics, re.MULTILINE)[0])
    assert again >= len(history.marked) >= kills // 4, "the kills did not find the agents at work"
    assert sum("cell died" in line for line in daemon.log) == kills
