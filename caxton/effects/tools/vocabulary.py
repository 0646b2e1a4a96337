"""What can be asked of an agent `tool.NAME`, in the ontology `caxton-tool`, and what its process says that it offers.

In: the content of a request. Out: a checked `Ask`, or InvalidMessage with the field that is wrong.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from caxton.errors import InvalidMessage

ONTOLOGY: Final = "caxton-tool"
SERVICE: Final = "mcp-tool"
"""The type of a tool's service in the directory of services."""


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """A request: call that tool."""

    tool: str
    arguments: dict[str, Any] = {}


class Tool(msgspec.Struct, omit_defaults=True):
    """A tool, as agents learn of it. A schema that is too long to be told is left out."""

    name: str
    description: str = ""
    schema: dict[str, Any] | None = None
    output_schema: dict[str, Any] | None = None
    annotations: dict[str, Any] = {}
    idempotent: bool = False
    """Whether the server says that calling it twice does no more than once."""


class Offer(msgspec.Struct):
    """What a server offers at the moment, and why it cannot be asked where that is so."""

    tools: list[Tool] | None = None
    """None: as before."""
    down: str | None = None


_decode = msgspec.json.Decoder(Ask).decode


def read_request(content: bytes) -> Ask:
    """The request that a content is; raises InvalidMessage."""
    try:
        asked = _decode(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidMessage(
            f"this is no call of a tool: {error}",
            hint='for example {"tool": "read_file", "arguments": {"path": "a.txt"}}',
        ) from error
    if not 1 <= len(asked.tool) <= 200:
        raise InvalidMessage("a tool's name has 1 to 200 characters", field="tool")
    return asked


class Offered(msgspec.Struct):
    """Which tools of a server the project lets be called: names or patterns."""

    allow: list[str]
    deny: list[str] = []
    read_only: bool = False

    def has(self, tool: str) -> bool:
        """Whether that one is, as far as its name says."""
        allowed = any(fnmatchcase(tool, one) for one in self.allow)
        return allowed and not any(fnmatchcase(tool, one) for one in self.deny)
