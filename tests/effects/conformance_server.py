"""A door before a daemon's `/mcp` that shows a token for all who come, as the suite has none: PORT URL TOKEN"""

from __future__ import annotations

import sys

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


async def passed(request: Request) -> StreamingResponse:
    """The daemon's answer, to everything that was asked and the token."""
    headers = {**request.headers, "authorization": f"Bearer {sys.argv[3]}"}
    asked = http.build_request(
        request.method, f"{sys.argv[2]}/mcp", headers=headers, content=await request.body()
    )
    said = await http.send(asked, stream=True)
    return StreamingResponse(said.aiter_raw(), said.status_code, said.headers)


if __name__ == "__main__":
    http = httpx.AsyncClient(timeout=120)
    app = Starlette(routes=[Route("/mcp", passed, methods=["GET", "POST", "DELETE"])])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
