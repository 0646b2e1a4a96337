"""`/api/v1/replays`: recorded conversations run against a build, with no effect on anything."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from caxton import exact_numbers
from caxton.api.bodies import read_body
from caxton.api.openapi import described
from caxton.api.responses import answer
from caxton.api.routing import noun_router
from caxton.api.services import services_of
from caxton.errors import ConfigurationError, InvalidModule
from caxton.replay import ReplayRequest, Report
from caxton.schemas.deployments import ReplayBody
from caxton.schemas.shape import iso

router = noun_router("/replays", "replays")


class ReplayWish(BaseModel):
    """What is to be replayed; at least one conversation, or `last`."""

    model_config = ConfigDict(extra="forbid")

    conversations: list[str] = Field(default_factory=list[str], max_length=1000, description="Their ids.")
    last: int = Field(default=0, ge=0, le=1000, description="And so many of the newest.")
    agent: str | None = Field(default=None, max_length=63, description="Only this agent's turns.")
    wasm_module: str | None = Field(
        default=None,
        description="A build to try, in base64; else the one that each agent runs.",
        json_schema_extra={"contentEncoding": "base64", "format": "byte"},
    )
    timeout_s: float = Field(default=60.0, gt=0, le=3600, description="When to stop; the rest is not run.")
    baseline: bool = Field(
        default=False, description="Run the build of then as well, for the memory that it had."
    )
    live: bool = Field(
        default=False, description="Ask models, tools and other effects what the record has no answer to."
    )


@router.post(
    "",
    response_model=described(ReplayBody),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ReplayWish.model_json_schema()}},
        }
    },
)
async def replay(request: Request) -> Response:
    """Replay; answers when it is done. What is said in it leaves only in this answer."""
    wish = read_body(ReplayWish, await request.body(), ConfigurationError)
    if not wish.conversations and not wish.last:
        raise ConfigurationError(
            "nothing is to be replayed", hint="name conversations, or how many of the last ones"
        )
    wasm: bytes | None = None
    if wish.wasm_module is not None:
        try:
            wasm = base64.b64decode(wish.wasm_module, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidModule("wasm_module is not base64") from error
    report = await services_of(request).replayer.replay(
        ReplayRequest(
            conversations=wish.conversations,
            last=wish.last,
            agent=wish.agent,
            wasm=wasm,
            wat=wasm is not None and not wasm.startswith(b"\0"),
            timeout_s=wish.timeout_s,
            baseline=wish.baseline,
            live=wish.live,
        )
    )
    return answer(report_body(report))


def verdict_body(verdict: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the gate of a deployment said, as plain data; moments as ISO times."""
    for turn in verdict["turns"] if verdict else ():
        if "at_us" in turn:
            turn["at"] = iso(turn.pop("at_us"))
    return verdict


def report_body(report: Report) -> dict[str, Any]:
    """A report as plain data; moments as ISO times."""
    body: dict[str, Any] = exact_numbers.builtins(report)
    for turn in body["turns"]:
        turn["at"] = iso(turn.pop("at_us"))
    return body
