"""Server-sent events, as far as providers use them: data, joined, and the end.

In: lines of a response. Out: the data of each event, read as JSON; `[DONE]` ends them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

Json = dict[str, Any]


class CutOff(Exception):
    """Raised where events end before the provider said that they do, or say what is no JSON."""


async def events(lines: AsyncIterator[str]) -> AsyncIterator[Json]:
    """The events of a response, in order. Raises CutOff for one that cannot be read."""
    data: list[str] = []
    async for line in lines:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            text, data = "\n".join(data), []
            if text.strip() == "[DONE]":
                return
            yield read(text.encode())


def read(body: bytes) -> Json:
    """A JSON object. Raises CutOff where it is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CutOff(f"the provider said what is no JSON object: {error}") from error
