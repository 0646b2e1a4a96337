"""The process behind `/a2a`: agents of this project for clients of the Agent2Agent protocol.

    python -m caxton.gateways.a2a PROJECT DAEMON-SOCKET OWN-SOCKET AGENT…

In: requests that the daemon passes on. Out: what the SDK's routes make of a `Handler` for each agent: JSON-RPC and
HTTP+JSON, by version 1.0 and by 0.3, and the card.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.types.a2a_pb2 import AgentCard
from a2a.utils.constants import AGENT_CARD_WELL_KNOWN_PATH
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from caxton.gateways.a2a.card import card_of
from caxton.gateways.a2a.requests import Handler
from caxton.gateways.own_process import Place, run


def routes(agent: str, place: Place, *, alone: bool) -> list[BaseRoute]:
    """The routes of one agent; `alone`: its card is also the host's."""
    handler: Any = Handler(agent, place)
    path = f"/a2a/{agent}"

    async def card(_: AgentCard) -> AgentCard:
        async with place.async_client() as client:
            return card_of(agent, place.base, await client.df_entries())

    found: list[BaseRoute] = [
        *create_jsonrpc_routes(handler, path, enable_v0_3_compat=True),
        *create_rest_routes(handler, path_prefix=path, enable_v0_3_compat=True),
    ]
    for prefix in (path, "") if alone else (path,):
        url = f"{prefix}{AGENT_CARD_WELL_KNOWN_PATH}"
        found += create_agent_card_routes(card_of(agent, "http://localhost", []), card, url)
    # not below a tenant: there is one
    return [one for one in found if isinstance(one, Route)]


def main(arguments: Sequence[str]) -> None:
    """Serve until the daemon hangs up."""
    place, agents = Place.of(arguments), arguments[3:]
    app = Starlette(routes=[one for agent in agents for one in routes(agent, place, alone=len(agents) == 1)])
    run(app, place)


if __name__ == "__main__":
    main(sys.argv[1:])
