"""`python -m caxton.bench.killed_storm FOLDER [STORM]`: a system that is killed in the middle of a storm.

In: a project with agents, and the storm's name. Out: nothing but what its journal has when the process kills itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from caxton.bench.measured_system import opened
from caxton.bench.storms import storms

BLOWS_S: Final = 1.0


async def _run(folder: Path, name: str | None) -> None:
    async with opened(folder, snapshots=True) as runtime:
        storm = next((one for one in storms() if one.name == name), None)
        async with storm.blows(runtime) if storm else nullcontext():
            await asyncio.sleep(BLOWS_S)
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
