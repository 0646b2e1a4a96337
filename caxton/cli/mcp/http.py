"""The process behind `/mcp`: the MCP server over streamable HTTP, in the name of who asks.

    python -m caxton.cli.mcp.http PROJECT DAEMON-SOCKET OWN-SOCKET

In: requests that the daemon passes on. Out: their answers. There are no sessions: each request stands for itself and is
judged for itself. Hosts, origins and credentials are the daemon's affair.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mcp.server.transport_security import TransportSecuritySettings

from caxton.cli.mcp.server import server
from caxton.cli.mcp.tools import Tools
from caxton.errors import SecurityError
from caxton.gateways.own_process import Place, run


def main(place: Place) -> None:
    """Serve until the daemon hangs up."""

    def build(named: str) -> Path:
        folder = place.project.resolve()
        found = (folder / named).resolve()
        if not found.is_relative_to(folder):
            raise SecurityError(
                f"{named[:200]} is not in the project's folder",
                hint="name a file in it, such as build/a.wasm",
            )
        return found

    tools = Tools(place.client, place.async_client, build)
    off = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app = server(tools, read_only=False).streamable_http_app(stateless_http=True, transport_security=off)
    run(app, place)


if __name__ == "__main__":
    main(Place.of(sys.argv[1:]))
