"""The process behind an agent `a2a.NAME`.

python -m caxton.effects.a2a '{"url": "https://agents.example/translator"}'
"""

from __future__ import annotations

import asyncio
import os
import sys

import msgspec

from caxton.effects.own_process import about, serve, unavailable
from caxton.install_hint import install_hint


async def main(settings: str) -> None:
    """Serve until the input ends."""
    try:
        from caxton.effects.a2a.remote import Remote, Settings
    except ImportError as error:
        await unavailable(
            f"agents of other systems need a package of their own ({error.name}): {install_hint('a2a')}"
        )
        return
    remote = Remote(msgspec.json.decode(settings, type=Settings), os.environ, about)
    reading = asyncio.create_task(remote.run())
    try:
        await serve(remote.do)
    finally:
        reading.cancel()
        await remote.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
