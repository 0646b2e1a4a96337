"""The client side as the conformance suite drives it: the calls that it asks for, else each tool once.

python conformance_client.py URL
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from caxton.effects.own_process import Call, Failed
from caxton.effects.tools.server import Server
from caxton.effects.tools.transports import Settings, connect
from caxton.effects.tools.vocabulary import Offer, Offered, Tool

EXAMPLES = {
    "number": 5,
    "integer": 5,
    "boolean": True,
    "string": "text",
    "array": [],
    "object": {},
    "null": None,
}


def calls(tools: list[Tool]) -> list[tuple[str, dict[str, Any]]]:
    """The calls that the suite asks for, and one of each tool that is not among them, with what it needs."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    # a null that the schema does not know would be refused: what is not there is the same to the suite
    told = [(call["name"], _some(call["arguments"])) for call in context.get("toolCalls", [])]
    names = {name for name, _ in told}
    return told + [(one.name, arguments(one, tools[0])) for one in tools if one.name not in names]


def _some(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def arguments(tool: Tool, first: Tool) -> dict[str, Any]:
    """What a tool needs; one that wants a schema gets that of the first tool, as it came."""
    schema = tool.schema or {}
    properties, needed = schema.get("properties", {}), schema.get("required", [])
    made = {name: EXAMPLES[properties[name].get("type", "string")] for name in needed}
    return made | ({"schema": first.schema} if "schema" in made else {})


async def main(url: str) -> None:
    """Connect, call, leave."""
    told = asyncio.get_running_loop().create_future()

    def tell(what: object) -> None:
        if not told.done():
            told.set_result(what)

    offered = Offered(["*"])
    server = Server(
        connect(Settings([], url, [], {}, offered), os.environ), offered, tell, lambda id, what: None
    )
    life = asyncio.create_task(server.run())
    offer: Offer = await told
    if offer.down:
        sys.exit(offer.down)
    for number, (name, given) in enumerate(calls(offer.tools or [])):
        try:
            said = await server.do(Call(str(number), {"tool": name, "arguments": given}, 10_000))
        except Failed as failed:
            said = failed.content
        sys.stderr.write(f"{name}: {said}\n")
    life.cancel()
    await asyncio.wait({life})


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
