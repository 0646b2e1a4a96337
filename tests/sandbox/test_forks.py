"""The fork server against its promises: what it forks ends as it is told, knows nothing of others, and is replaced with
it when it dies.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import psutil
import pytest

from caxton.sandbox.crash_record import shared
from caxton.sandbox.forks.client import Forked, ForkServer

pytestmark = pytest.mark.system

PATIENCE_S = 20.0


@pytest.fixture
async def forks() -> AsyncGenerator[ForkServer]:
    server = ForkServer()
    async with asyncio.timeout(PATIENCE_S):
        yield server
        await server.close()


async def cell(forks: ForkServer) -> tuple[Forked, socket.socket]:
    """A cell that said hello, and the daemon's end of its socket."""
    ours, theirs = socket.socketpair()
    record = shared()
    with theirs:
        forked = await forks.fork("cell", ["--fd", "{0}", "--box", "{1}"], [theirs.fileno(), record])
    os.close(record)
    ours.setblocking(False)
    assert await asyncio.get_running_loop().sock_recv(ours, 4096)
    return forked, ours


async def test_a_process_that_was_hung_up_on_ends_well(forks: ForkServer) -> None:
    forked, link = await cell(forks)
    assert psutil.pid_exists(forked.pid)
    assert forked.returncode is None
    link.close()
    assert await forked.wait() == 0 == forked.returncode
    # nothing to end any more, and nobody else is hit
    forked.kill()


async def test_a_process_that_finds_nobody_there_is_quiet(
    forks: ForkServer, capfd: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        forked = await forks.fork("cell", ["--fd", "{0}"], [theirs.fileno()])
    await forked.wait()
    assert capfd.readouterr().err == ""


async def test_a_process_that_was_killed_says_by_what(forks: ForkServer) -> None:
    first, link = await cell(forks)
    os.kill(first.pid, signal.SIGTERM)
    assert await first.wait() == -signal.SIGTERM
    second, other = await cell(forks)
    second.kill()
    assert await second.wait() == -signal.SIGKILL
    for one in (link, other):
        one.close()


async def test_what_fails_ends_with_a_code(forks: ForkServer, capfd: pytest.CaptureFixture[str]) -> None:
    forked = await forks.fork("cell", ["--nothing"], [])
    assert await forked.wait() == 2
    assert "required: --fd" in capfd.readouterr().err
    unknown = await forks.fork("nothing", [], [])
    assert await unknown.wait() == 1


async def test_the_server_may_die(forks: ForkServer) -> None:
    forked, link = await cell(forks)
    server = psutil.Process(forked.pid).parent()
    assert server is not None
    server.kill()
    if sys.platform == "linux":
        assert await forked.wait() == -signal.SIGKILL
    link.close()
    after, other = await cell(forks)
    assert after.returncode is None
    other.close()
    assert await after.wait() == 0


async def test_close_ends_everything_that_was_forked() -> None:
    forks = ForkServer()
    links = [await cell(forks) for _ in range(3)]
    await forks.close()
    assert [await forked.wait() for forked, _ in links] == [-signal.SIGKILL] * 3
    assert not any(psutil.pid_exists(forked.pid) for forked, _ in links)
    for _, link in links:
        link.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_no_process_has_a_descriptor_of_another(forks: ForkServer) -> None:
    cells = [await cell(forks) for _ in range(4)]
    held = [
        sorted(os.readlink(one) for one in Path(f"/proc/{forked.pid}/fd").iterdir()) for forked, _ in cells
    ]
    sockets = [{one for one in names if one.startswith("socket:")} for names in held]
    # its own link, and nothing of the server's or of those before it
    assert [len(own) for own in sockets] == [1] * 4
    assert len(set.union(*sockets)) == 4
    assert len({len(names) for names in held}) == 1
    for _, link in cells:
        link.close()


async def test_who_is_cancelled_leaves_no_number_to_the_next(forks: ForkServer) -> None:
    await forks.ready()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        asked = asyncio.create_task(forks.fork("cell", ["--fd", "{0}"], [theirs.fileno()]))
        # it has asked, and waits for the answer
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    for _ in range(3):
        forked, link = await cell(forks)
        assert Path(f"/proc/{forked.pid}").exists() or sys.platform != "linux"
        os.kill(forked.pid, signal.SIGTERM)
        assert await forked.wait() == -signal.SIGTERM
        assert await asyncio.get_running_loop().sock_recv(link, 1) == b"", "it was another process"
        link.close()


async def test_many_begin_and_end_at_the_same_time(forks: ForkServer) -> None:
    cells = await asyncio.gather(*(cell(forks) for _ in range(12)))
    for number, (forked, link) in enumerate(cells):
        link.close() if number % 2 else forked.kill()
    codes = [await forked.wait() for forked, _ in cells]
    assert codes == [-signal.SIGKILL, 0] * 6
    for _, link in cells:
        link.close()
