"""A provider of models, on a port of this machine: it speaks both wires, and does what providers do on bad days.

In: for each request what it is to do. Out: the requests that came, as they were.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 5}}


@dataclass
class Reply:
    """What comes of one request: a status, or an answer as events, cut off after so many of them where that is said."""

    text: str = "hello"
    calls: list[Json] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    raw: bytes | None = None
    whole: bool = False
    gate: asyncio.Event | None = None


class Provider:
    """Answers the next request with the next reply; with the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = deque(replies or [Reply()])
        self.requests: list[tuple[str, dict[str, str], Json]] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))) or b"{}")
        path = first.split()[1]
        self.requests.append((path, headers, body))
        reply = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
        if reply.gate is not None:
            await reply.gate.wait()
        told = {"connection": "close", **reply.headers}
        if reply.status != 200:
            payload = [json.dumps({"error": {"message": reply.text}}).encode()]
        elif reply.raw is not None:
            payload = [reply.raw]
        elif reply.whole:
            payload = [json.dumps(whole(path, reply)).encode()]
        else:
            told["content-type"] = "text/event-stream"
            payload = [f"data: {json.dumps(one)}\n\n".encode() for one in events(path, reply)][: reply.cut]
            payload += [] if reply.cut is not None or path.endswith("messages") else [b"data: [DONE]\n\n"]
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in told.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + b"".join(payload))
        writer.close()


def events(path: str, reply: Reply) -> Iterable[Json]:
    half = len(reply.text) // 2
    parts = [reply.text[:half], reply.text[half:]]
    if path.endswith("/messages"):
        usage = {"input_tokens": 6, "cache_read_input_tokens": 5, "output_tokens": 1}
        yield {"type": "message_start", "message": {"model": "claude-x", "usage": usage}}
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        for part in parts:
            yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": part}}
        for number, call in enumerate(reply.calls, 1):
            block = {"type": "tool_use", "id": call["id"], "name": call["name"], "input": {}}
            yield {"type": "content_block_start", "index": number, "content_block": block}
            text = json.dumps(call["arguments"])
            for piece in (text[:3], text[3:]):
                delta = {"type": "input_json_delta", "partial_json": piece}
                yield {"type": "content_block_delta", "index": number, "delta": delta}
        stop = "tool_use" if reply.calls else "end_turn"
        yield {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 7}}
        yield {"type": "message_stop"}
        return
    for part in parts:
        yield {"model": "gpt-x", "choices": [{"index": 0, "delta": {"content": part}}]}
    for number, call in enumerate(reply.calls):
        text = json.dumps(call["arguments"])
        for at, piece in enumerate((text[:3], text[3:])):
            said = {"index": number, "function": {"arguments": piece}}
            if not at:
                said = {**said, "id": call["id"], "function": {"name": call["name"], "arguments": piece}}
            yield {"choices": [{"delta": {"tool_calls": [said]}}]}
    yield {"choices": [{"delta": {}, "finish_reason": "tool_calls" if reply.calls else "stop"}]}
    yield {"choices": [], "usage": USAGE}


def whole(path: str, reply: Reply) -> Json:
    if path.endswith("/messages"):
        usage = {"input_tokens": 6, "cache_read_input_tokens": 5, "output_tokens": 7}
        content = [{"type": "text", "text": reply.text}]
        return {"model": "claude-x", "content": content, "stop_reason": "end_turn", "usage": usage}
    message = {"role": "assistant", "content": reply.text}
    choices = [{"message": message, "finish_reason": "stop"}]
    return {"model": "gpt-x", "choices": choices, "usage": USAGE}


@asynccontextmanager
async def provider(*replies: Reply) -> AsyncGenerator[Provider]:
    made = Provider(*replies)
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    async with server:
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        yield made
