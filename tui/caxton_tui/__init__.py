"""The terminal interface: a viewer of one daemon, attached over its API like every other client.

In: a project's folder. Out: agents, the live message tape and each message in detail on a screen, until the operator
leaves. `store`, `reader`, `filter` and `words` know nothing of Textual; the widgets know nothing of HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from caxton_tui.app import CaxtonApp

__all__ = ["CaxtonApp", "attach", "run"]


async def attach(folder: Path, *, dev: AsyncIterator[str] | None = None, seconds: float | None = None) -> int:
    """Show the daemon of the project in `folder` until the operator leaves, or for `seconds`; the exit code.

    `dev` gives the lines of a development loop in the same event loop; they get a strip of their own. A daemon that is
    not there is waited for.
    """
    app = CaxtonApp(folder, dev=dev, seconds=seconds)
    await app.run_async()
    return app.return_code or 0


def run(folder: Path, *, dev: AsyncIterator[str] | None = None, seconds: float | None = None) -> int:
    """`attach` for callers without an event loop."""
    return asyncio.run(attach(folder, dev=dev, seconds=seconds))
