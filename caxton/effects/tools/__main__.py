"""The process behind an agent `tool.NAME`.

python -m caxton.effects.tools '{"command": ["npx", "…"], …}'
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Final

import msgspec

from caxton.effects.own_process import about, progress, serve, unavailable
from caxton.install_hint import install_hint

STUCK_S: Final = 5
"""Seconds of processor time in which the loop must go round; a pattern of a schema may take for ever."""
ANSWERING_S: Final = 0.3


async def main(settings: str) -> None:
    """Serve until the input or the connection ends."""
    try:
        from caxton.effects.tools.server import Server
        from caxton.effects.tools.transports import Settings, connect
    except ImportError as error:
        await unavailable(f"tools need a package of their own ({error.name}): {install_hint('mcp')}")
        return
    told = msgspec.json.decode(settings, type=Settings)
    server = Server(connect(told, os.environ), told.offered, about, progress)
    alive = asyncio.create_task(_alive())
    owner, serving = asyncio.create_task(server.run()), asyncio.create_task(serve(server.do))
    await asyncio.wait({owner, serving}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        owner.cancel()
        alive.cancel()
        await asyncio.wait({owner})
        return
    # what waited for the connection is told that there is none
    await asyncio.sleep(ANSWERING_S)
    sys.stderr.write(f"{owner.result()}\n")
    sys.stderr.flush()
    # calls that are open are not answered: that is for the daemon to say
    os._exit(1)


async def _alive() -> None:
    """Have the kernel end this process when it computes without an end."""
    while True:
        signal.setitimer(signal.ITIMER_PROF, STUCK_S)
        await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
