"""The daemon's side of the process that exports spans: started, started again when it dies, hung up on at the end.

In: the journal's last number as the daemon found it. Out: nothing that the daemon waits for, but `LAST_S` at its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Final

import structlog

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 300.0
LAST_S: Final = 6.0

log = structlog.get_logger("caxton.telemetry")


async def export_spans(folder: Path, instance: str, begin: int, opened: asyncio.Event) -> None:
    """Keep the process alive from when the journal is `opened` until this is cancelled; then it sends what is left."""
    await opened.wait()
    words = ("--project", str(folder), "--from", str(begin), "--instance", instance)
    await keep_running("the export of spans", "caxton.telemetry.span_export", *words)


async def keep_running(what: str, module: str, *words: str) -> None:
    """Keep a process of our own alive until this is cancelled, or it has ended well; its standard input is ours."""
    pause = FIRST_PAUSE_S
    while True:
        process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", module, *words, stdin=PIPE)
        began = asyncio.get_running_loop().time()
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _hang_up(process)
            raise
        if code == 0:
            # switched off by the environment
            return
        if asyncio.get_running_loop().time() - began > LONGEST_PAUSE_S:
            pause = FIRST_PAUSE_S
        log.warning(f"{what} has ended and is started again", exit_code=code, in_s=pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_S)


async def _hang_up(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(LAST_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
