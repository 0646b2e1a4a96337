"""The server of `caxton mcp` over HTTP on a port of this machine, for the conformance suite: PORT FOLDER"""

from __future__ import annotations

import sys
from pathlib import Path

from caxton.cli.mcp.server import server

if __name__ == "__main__":
    made = server(Path(sys.argv[2]), read_only=False)
    made.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
