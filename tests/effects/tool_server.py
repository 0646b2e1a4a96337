"""A server of MCP tools over stdio, made with the SDK: python tool_server.py JOURNAL

What it does is written to JOURNAL, a line for each call, so that a test can count.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

server: MCPServer[None] = MCPServer("fixture", log_level="ERROR")
JOURNAL = Path(sys.argv[1]) if len(sys.argv) > 1 else None


def write(line: str) -> None:
    """One line, on the disk."""
    if JOURNAL is not None:
        with JOURNAL.open("a") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())


async def pause(seconds: float) -> None:
    """What takes time in the world."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), max(0.0, seconds))


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: Annotated[int, Field(le=100)]) -> int:
    """Add two numbers."""
    write(f"add {a} {b}")
    return a + b


@server.tool()
async def pay(sum: int, ctx: Context[None], seconds: float = 0.0) -> str:
    """Pay: done once for each call, and seen in the journal."""
    write(f"pay {sum} {(ctx.request_context.meta or {}).get('caxton/message-id')}")
    for step in range(10):
        await pause(seconds / 10)
        await ctx.report_progress(step + 1, 10, "paying")
    write(f"paid {sum}")
    return f"paid {sum}"


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
async def mark(sum: int, seconds: float = 0.0) -> str:
    """Set a mark, twice as well as once; the first time it ends the server."""
    first = JOURNAL is None or f"mark {sum}" not in JOURNAL.read_text()
    write(f"mark {sum}")
    if first and seconds < 0:
        os._exit(3)
    await pause(seconds)
    return "marked"


@server.tool()
def fail(why: str) -> str:
    """Fail."""
    raise ToolError(why)


@server.tool()
async def grow(ctx: Context[None]) -> str:
    """Offer one tool more."""
    server.add_tool(lambda: "new", name="grown", description="It was not here before.")
    await ctx.notify_tools_changed()
    return "grown"


@server.tool()
def environment(name: str) -> str:
    """What a variable of the environment is."""
    return os.environ.get(name, "")


@server.tool()
def die() -> str:
    """End without a word."""
    write("die")
    os._exit(3)


if __name__ == "__main__":
    server.run("stdio")
