"""What can be asked of the agent `model`, in the ontology `caxton-model`.

In: the content of a request. Out: a checked `Complete`, or InvalidMessage with the field that is wrong.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, Literal

import msgspec

from caxton.errors import InvalidMessage

ONTOLOGY: Final = "caxton-model"
BYTES_A_TOKEN: Final = 3
"""A low estimate of how many bytes of JSON are a token, so that a reservation is rather too high."""
SCHEMA_TRIES: Final = 3
"""How often a model is asked for an answer that fits its schema."""


class ToolCall(msgspec.Struct, forbid_unknown_fields=True):
    """What a model wants to be done."""

    id: str
    name: str
    arguments: dict[str, Any]


class Part(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One message of the talk with a model."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: list[ToolCall] = []
    tool_call_id: str = ""


class Tool(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Something that the model may ask for; `parameters` is a JSON schema."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})


class Complete(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A request: go on with these messages."""

    messages: list[Part]
    action: Literal["complete"] = "complete"
    model: str = ""
    tools: list[Tool] = []
    schema: dict[str, Any] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None


_decode = msgspec.json.Decoder(Complete).decode
_sorted = msgspec.json.Encoder(order="sorted").encode


def read_request(content: bytes) -> Complete:
    """The request that a content is; raises InvalidMessage."""
    try:
        asked = _decode(content)
    except msgspec.MsgspecError as error:
        raise InvalidMessage(
            f"this is no request to a model: {error}",
            hint='for example {"action": "complete", "messages": [{"role": "user", "content": "…"}]}',
        ) from error
    if not asked.messages:
        raise InvalidMessage("a request to a model has at least one message", field="messages")
    if asked.max_tokens is not None and asked.max_tokens < 1:
        raise InvalidMessage("max_tokens is at least 1", field="max_tokens")
    return asked


def estimate(asked: Complete, max_tokens: int) -> tuple[int, int]:
    """How many tokens a request may cost at the most: what goes in, and what comes out."""
    tries = SCHEMA_TRIES if asked.schema is not None else 1
    size = len(_sorted([asked.messages, asked.tools, asked.schema]))
    into = size // BYTES_A_TOKEN + 1
    # each try has the answers before it in its messages
    return into * tries + max_tokens * (tries - 1), max_tokens * tries


def key_of(asked: Complete, place: str) -> str:
    """What two requests have in common that ask the same of the same model; `place` is where that is."""
    return f"sha256:{hashlib.sha256(_sorted([place, asked])).hexdigest()}"
