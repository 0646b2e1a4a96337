"""The process behind an agent `http.NAME`.

python -m caxton.effects.http '{"hosts": ["example.org"], …}'
"""

from __future__ import annotations

import asyncio
import os
import sys

import msgspec

from caxton.effects.http.fetch import Fetcher, Reach
from caxton.effects.own_process import serve


async def main(reach: Reach) -> None:
    """Serve until the input ends."""
    fetcher = Fetcher(reach, os.environ)
    try:
        await serve(fetcher.do)
    finally:
        await fetcher.close()


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Reach)))
