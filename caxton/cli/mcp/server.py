"""The MCP server: the tools and resources, given to the library with their signatures.

In: tools. Out: a server, to be run over stdio (where nothing else may write to stdout) or over HTTP (`http`). The
library is an extra; these two files load it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resources import FileResource
from mcp_types import ToolAnnotations

import caxton
from caxton.cli import doc_pages
from caxton.cli.mcp.tools import ACTING, DECIDING, LOOKING, Tools
from caxton.errors import CaxtonError

T = TypeVar("T")

INSTRUCTIONS: Final = """Caxton runs sandboxed agents that talk FIPA-ACL; every message is in its journal.
Begin with status and problems. Read a conversation as a diagram before its messages. After a change of an agent's
source: replay(last=20, build=FILE, agent=NAME) says which recorded answers would differ, deploy brings it in.
Answers are short; where more is there, the last line says how to go on. docs explains everything."""


def server(tools: Tools, *, read_only: bool, approve: bool = False) -> MCPServer[None]:
    """The server with these tools; `read_only`: without the tools that change something; `approve`: with the one
    that decides about messages that need an approval."""
    made: MCPServer[None] = MCPServer(
        "caxton", instructions=INSTRUCTIONS, version=caxton.__version__, log_level="WARNING"
    )
    acting = () if read_only else (*ACTING, *(DECIDING if approve else ()))
    for name in (*LOOKING, *acting):
        acts = name in acting
        made.add_tool(
            _spoken(getattr(tools, name)),
            name=name,
            description=inspect.getdoc(getattr(Tools, name)),
            annotations=ToolAnnotations(
                read_only_hint=not acts, destructive_hint=name == "deploy", open_world_hint=False
            ),
            structured_output=False,
        )

    @made.resource("caxton://conversation/{id}", mime_type="text/plain")
    def conversation(id: str) -> str:
        """A conversation as a sequence diagram."""
        return tools.conversation(id)

    for page, path in doc_pages.pages(doc_pages.folder()).items():
        made.add_resource(
            FileResource(uri=f"caxton://docs/{page}", name=page, path=path, mime_type="text/markdown")
        )
    return made


def _spoken(tool: Callable[..., Any]) -> Callable[..., Any]:
    """The tool with Caxton's own refusals as errors that a model can read and mend."""
    if inspect.iscoroutinefunction(tool):

        @functools.wraps(tool)
        async def later(**arguments: Any) -> Any:
            try:
                return await tool(**arguments)
            except CaxtonError as error:
                raise _readable(error) from error

        return later

    @functools.wraps(tool)
    def now(**arguments: Any) -> Any:
        try:
            return tool(**arguments)
        except CaxtonError as error:
            raise _readable(error) from error

    return now


def _readable(error: CaxtonError) -> ToolError:
    return ToolError(f"{error.message}\nhint: {error.hint}" if error.hint else error.message)
