"""The process behind the agent `model`.

python -m caxton.effects.models '{"fast": {"url": "…", "model": "…", "wire": "openai", "key_env": "KEY"}}'
"""

from __future__ import annotations

import asyncio
import os
import sys

import httpx
import msgspec

from caxton.effects.models.complete import Models, Place
from caxton.effects.own_process import serve


async def main(places: dict[str, Place]) -> None:
    """Serve until the input ends."""
    # how long a call may take is the daemon's business
    async with httpx.AsyncClient(timeout=httpx.Timeout(None, connect=10.0)) as http:
        await serve(Models(places, os.environ, http).do)


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=dict[str, Place])))
