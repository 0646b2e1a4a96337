"""Commands that are run beside the screen, in a process of their own: they play agents, and this process does not.

In: a project's folder, the words of a command. Out: what it printed, or why it was refused.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from caxton.errors import CaxtonError


async def run(folder: Path, words: Sequence[str]) -> tuple[int, str, str]:
    """The exit code, what it printed, and its last word; raises CaxtonError where it was refused."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "caxton.cli", "--project", str(folder), *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, talk = (part.decode("utf-8", "replace") for part in await process.communicate())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    lines = talk.strip().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("error: "):
            hint = next((one for one in lines[number:] if one.startswith("hint: ")), None)
            raise CaxtonError(line.removeprefix("error: "), hint=hint and hint.removeprefix("hint: "))
    return process.returncode or 0, out, lines[-1] if lines else ""
