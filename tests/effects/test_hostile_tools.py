"""Servers of tools that do their worst: the call in hand is answered or ends with a code, the next one is served."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from caxton.effects.own_process import Call, Failed
from caxton.effects.tools import server, transports
from caxton.effects.tools.server import Server
from caxton.effects.tools.transports import Input, Output
from caxton.effects.tools.vocabulary import Offer, Offered

Json = dict[str, Any]
PATIENCE_S = 20.0
SCHEMA: Json = {"type": "object", "properties": {"n": {"type": "integer"}}}


def tool(name: str = "t", **more: Any) -> Json:
    return {"name": name, "inputSchema": SCHEMA, **more}


class Peer:
    """The server, played by the test, which hears what it is told and says whatever it likes."""

    def __init__(self) -> None:
        self.output = asyncio.StreamReader(limit=1 << 16)
        self.heard: list[Json] = []
        self._input: asyncio.Queue[Json] = asyncio.Queue()

    # what `Input` wants of a writer
    def write(self, data: bytes) -> None:
        for line in data.splitlines():
            self.heard.append(json.loads(line))
            self._input.put_nowait(self.heard[-1])

    async def drain(self) -> None: ...

    def close(self) -> None: ...

    # what the test says and hears
    async def hear(self, method: str) -> Json:
        """The next message of that method; what comes before it is answered as it should be."""
        while True:
            message = await self._input.get()
            if message.get("method") == method:
                return message
            if message.get("method") == "tools/call":
                self.answer(message, content("late"))

    def say(self, *messages: Json | bytes) -> None:
        for one in messages:
            line = one if isinstance(one, bytes) else json.dumps({"jsonrpc": "2.0", **one}).encode()
            self.output.feed_data(line + b"\n")

    def answer(self, asked: Json, result: Json) -> None:
        self.say({"id": asked["id"], "result": result})

    async def greet(self, tools: list[Json], **capabilities: Any) -> None:
        """The handshake of the older protocols, and the first list."""
        asked = await self.hear("server/discover")
        self.say({"id": asked["id"], "error": {"code": -32601, "message": "what?"}})
        told = {"capabilities": {"tools": {"listChanged": True}}, "serverInfo": {"name": "x", "version": "1"}}
        self.answer(await self.hear("initialize"), {"protocolVersion": "2025-06-18", **told, **capabilities})
        await self.list(tools)

    async def list(self, tools: list[Json], **more: Any) -> None:
        self.answer(await self.hear("tools/list"), {"tools": tools, **more})


def content(text: str, **more: Any) -> Json:
    return {"content": [{"type": "text", "text": text}], **more}


Worst = Callable[[Peer, Json], Awaitable[None]]
"""What it does when it is called; the call is given."""


class Stand:
    def __init__(self) -> None:
        self.peer = Peer()
        self.told: list[Offer] = []
        self.progress: list[object] = []

        @asynccontextmanager
        async def connect(over: asyncio.Event) -> AsyncGenerator[Any]:
            writer: Any = self.peer
            yield Output(self.peer.output, over), Input(writer)

        self.server = Server(
            connect,
            Offered(["*"]),
            lambda what: self.told.append(what),  # type: ignore[arg-type]
            lambda id, what: self.progress.append(what),
        )
        self.life = asyncio.create_task(self.server.run())

    async def call(self, id: str = "1", tool: str = "t", **arguments: Any) -> Any:
        return await self.server.do(Call(id, {"tool": tool, "arguments": arguments}, 1_000))

    async def code(self, **arguments: Any) -> str:
        """How a call ended: `inform` and its text, or the code of its failure."""
        try:
            answer = await self.call(**arguments)
        except Failed as failed:
            return str(failed.content["error"])
        return "inform" + "".join(one.get("text", "") for one in answer["content"])


@asynccontextmanager
async def stand() -> AsyncGenerator[Stand]:
    made = Stand()
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield made
    finally:
        made.life.cancel()
        await asyncio.gather(made.life, return_exceptions=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "NOISE_S", 0.0)
    monkeypatch.setattr(server, "CHANGE_S", 0.01)


def says(*lines: Json | bytes, then: Json | None = None) -> Worst:
    """Says these, in the place of ID the call's, and then an answer where one is given."""

    async def worst(peer: Peer, asked: Json) -> None:
        id = json.dumps(asked["id"]).encode()
        peer.say(*(line.replace(b"ID", id) if isinstance(line, bytes) else line for line in lines))
        if then is not None:
            peer.answer(asked, then)

    return worst


async def endless(peer: Peer, asked: Json) -> None:
    """A hundred megabytes in one line."""
    peer.output.feed_data(b'{"jsonrpc":"2.0","id":%d,"result":"' % asked["id"])
    for _ in range(1_600):
        peer.output.feed_data(b"x" * 65_536)
        await asyncio.sleep(0)
    peer.output.feed_data(b'"}\n')


async def asks_us(peer: Peer, asked: Json) -> None:
    """Wants a model, a person and our folders."""
    for n, method in enumerate(
        ("sampling/createMessage", "elicitation/create", "roots/list", "ping", "nope")
    ):
        peer.say(
            {"id": f"s{n}", "method": method, "params": {"messages": [], "maxTokens": 1, "message": "?"}}
        )
    peer.answer(asked, content("well"))


OK = content("well")
WELL = "informwell"
DEEP = b"[" * 5_000 + b"]" * 5_000

WORST: dict[str, tuple[Worst, str]] = {
    "garbage": (says(b"hello", b"\x00\xff\xfe", b"{", b"[]", b"7", b"null", b"", then=OK), WELL),
    "a batch": (says(b'[{"jsonrpc":"2.0","id":ID,"result":{"content":[]}}]'), "wrong-answer"),
    "wrong ids": (says({"id": 9_999, "result": {}}, {"id": "x", "result": {}}, then=OK), WELL),
    "no id": (says({"id": None, "error": {"code": 1, "message": "m"}}, {"result": {}}, then=OK), WELL),
    "an answer twice": (says(b'{"jsonrpc":"2.0","id":ID,"result":{"content":[]}}', then=OK), "inform"),
    "a hundred megabytes": (endless, "too-long"),
    "five megabytes without an id": (says(b'{"x":"' + b"y" * (5 << 20) + b'"}', then=OK), WELL),
    "deep nesting": (says(b'{"jsonrpc":"2.0","id":ID,"result":{"content":' + DEEP + b"}}"), "wrong-answer"),
    "deep structured content": (
        says(b'{"jsonrpc":"2.0","id":ID,"result":{"content":[],"structuredContent":{"a":' + DEEP + b"}}}"),
        "wrong-answer",
    ),
    "a number without an end": (
        says(
            b'{"jsonrpc":"2.0","id":ID,"result":{"content":[],"structuredContent":{"a":1'
            + b"0" * 5_000
            + b"}}}"
        ),
        "wrong-answer",
    ),
    "half a surrogate": (
        says(b'{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"\\ud800"}]}}'),
        "wrong-answer",
    ),
    "no content": (says(b'{"jsonrpc":"2.0","id":ID,"result":{}}'), "wrong-answer"),
    "content of no kind": (
        says(b'{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"x"}]}}'),
        "wrong-answer",
    ),
    "a result that is none": (says(b'{"jsonrpc":"2.0","id":ID,"result":7}'), "wrong-answer"),
    "an error that is none": (says(b'{"jsonrpc":"2.0","id":ID,"error":"no"}'), "wrong-answer"),
    "an error": (says(b'{"jsonrpc":"2.0","id":ID,"error":{"code":-32603,"message":"ill"}}'), "tool_error"),
    "both result and error": (
        says(b'{"jsonrpc":"2.0","id":ID,"result":{"content":[]},"error":{"code":1,"message":"m"}}'),
        "tool_error",
    ),
    "what the tool says has failed": (says(then=content("no", isError=True)), "tool_error"),
    "a flood of progress": (
        says(
            *[
                {"method": "notifications/progress", "params": {"progressToken": 1, "progress": n}}
                for n in range(500)
            ],
            then=OK,
        ),
        WELL,
    ),
    "a flood of log lines": (
        says(
            *[{"method": "notifications/message", "params": {"level": "error", "data": "x"}}] * 500, then=OK
        ),
        WELL,
    ),
    "a flood of changes": (says(*[{"method": "notifications/tools/list_changed"}] * 500, then=OK), WELL),
    "notifications that are none": (
        says({"method": "nope"}, {"method": "notifications/progress", "params": 7}, then=OK),
        WELL,
    ),
    "requests to us": (asks_us, WELL),
    "a flood of requests": (says(*[{"id": n, "method": "ping"} for n in range(500)], then=OK), WELL),
    "it calls the call off": (
        says(b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":ID}}', then=OK),
        WELL,
    ),
}


@pytest.mark.parametrize("name", WORST)
async def test_whatever_it_does_the_call_ends_and_the_next_one_is_served(name: str) -> None:
    worst, expected = WORST[name]
    async with stand() as made:
        await made.peer.greet([tool()])
        first = asyncio.create_task(made.code(n=1))
        await worst(made.peer, await made.peer.hear("tools/call"))
        assert await first == expected
        second = asyncio.create_task(made.code(n=2))
        asked = await made.peer.hear("tools/call")
        assert asked["params"]["arguments"] == {"n": 2}
        made.peer.answer(asked, content("again"))
        assert await second == "informagain"
        assert len(made.progress) <= 1
        assert sum(one.get("method") == "tools/list" for one in made.peer.heard) < 10
        assert not made.life.done()


async def test_a_call_that_is_never_answered_is_called_off_and_said_to_the_server() -> None:
    async with stand() as made:
        await made.peer.greet([tool()])
        first = asyncio.create_task(made.call())
        asked = await made.peer.hear("tools/call")
        assert asked["params"]["_meta"]["caxton/message-id"] == "1"
        first.cancel()
        told = await made.peer.hear("notifications/cancelled")
        assert told["params"]["requestId"] == asked["id"]
        assert first.cancelled()


async def test_one_that_ends_in_a_call_leaves_it_unanswered() -> None:
    async with stand() as made:
        await made.peer.greet([tool()])
        first = asyncio.create_task(made.call())
        await made.peer.hear("tools/call")
        made.peer.output.feed_eof()
        assert await made.life == "the server has ended"
        await asyncio.sleep(0)
        assert not first.done(), "the process ends now, which says that nobody knows"
        first.cancel()


@pytest.mark.parametrize("how", ["dies", "says nothing", "offers no list", "speaks another protocol"])
async def test_one_that_cannot_be_asked_is_unavailable_and_why(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECT_S", 0.3)
    async with stand() as made:
        waiting = asyncio.create_task(made.code())
        asked = await made.peer.hear("server/discover")
        match how:
            case "dies":
                made.peer.output.feed_eof()
            case "says nothing":
                pass
            case _:
                made.peer.say({"id": asked["id"], "error": {"code": -32601, "message": "what?"}})
                version = "2025-06-18" if how == "offers no list" else "1066-10-14"
                told = {"capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}}
                made.peer.answer(await made.peer.hear("initialize"), {"protocolVersion": version, **told})
        assert await waiting == "unavailable"
        why = await made.life
        assert made.told[-1].down == why
        assert "the server" in why


def circle() -> Json:
    return {"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}


def nested(depth: int) -> Json:
    schema: Json = {"type": "object"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.filterwarnings("ignore:The metaschema specified by")
@pytest.mark.parametrize(
    ("schema", "code"),
    [
        (circle(), "bad-schema"),
        ({"type": "object", "properties": {"n": {"type": "nonsense"}}}, "bad-schema"),
        ({"type": "object", "minProperties": "7"}, "bad-schema"),
        ({"type": "object", "properties": {"n": {"pattern": "("}}}, "bad-schema"),
        ({"type": "object", "$ref": "http://127.0.0.1:1/schema"}, "bad-schema"),
        ({"type": "object", "$ref": "file:///etc/passwd"}, "bad-schema"),
        ({"type": "object", "$ref": "#/nowhere"}, "bad-schema"),
        ({"$schema": "http://nowhere.example/", "type": "object"}, WELL),
        ({"type": "object", "required": ["m"]}, "bad-arguments"),
        ({"type": "object", "additionalProperties": False}, "bad-arguments"),
        ({"type": "object", "if": {"required": ["n"]}, "then": {"required": ["m"]}}, "bad-arguments"),
        ({"type": "object", "description": "x" * 1_000_000, "required": ["m"]}, "bad-arguments"),
        (nested(80), WELL),
        (nested(120), "unavailable"),
    ],
)
async def test_arguments_are_checked_by_whatever_is_a_schema_before_the_call(schema: Json, code: str) -> None:
    async with stand() as made:
        await made.peer.greet([tool(inputSchema=schema)])
        first = asyncio.create_task(made.code(n="text"))
        if code == WELL:
            made.peer.answer(await made.peer.hear("tools/call"), OK)
        assert await first == code
        assert len(json.dumps([one.schema for one in made.told[0].tools or []])) < 20_000
        assert sum(one.get("method") == "tools/call" for one in made.peer.heard) == (code == WELL)


@pytest.mark.parametrize(
    ("structured", "expected"),
    [({"n": 1}, "inform"), ({"n": "x"}, "wrong-answer"), (None, "wrong-answer")],
)
async def test_a_result_is_held_to_its_schema(structured: object, expected: str) -> None:
    async with stand() as made:
        await made.peer.greet([tool(outputSchema={**SCHEMA, "required": ["n"]})])
        first = asyncio.create_task(made.code())
        more = {} if structured is None else {"structuredContent": structured}
        made.peer.answer(await made.peer.hear("tools/call"), {"content": [], **more})
        assert await first == expected


async def test_a_list_is_cut_to_what_can_be_offered() -> None:
    names = ["t", "t", "", "two words", "\x1b[2J", "x" * 200, "ä", *(f"n{n}" for n in range(5_000))]
    async with stand() as made:
        await made.peer.greet([tool(name, description="d" * 600) for name in names])
        while not made.told:
            await asyncio.sleep(0)
        offered = made.told[0].tools or []
        assert [one.name for one in offered[:3]] == ["t", "n0", "n1"]
        assert len(offered) <= 250
        assert sum(len(one.description) for one in offered) < 140_000


async def test_pages_without_an_end_are_left_at_some() -> None:
    async with stand() as made:
        await made.peer.greet([tool("t0")])
        made.peer.say({"method": "notifications/tools/list_changed"})
        for n in range(server.PAGES):
            await made.peer.list([tool(f"t{n}")], nextCursor=f"c{n}")
        while len(made.told) < 2:
            await asyncio.sleep(0)
        assert len(made.told[1].tools or []) == server.PAGES
        assert await made.code(tool="nope") == "unknown-tool"


async def test_noise_is_read_at_a_bounded_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "NOISE_S", 0.01)
    async with stand() as made:
        await made.peer.greet([tool()])
        first = asyncio.create_task(made.code())
        asked = await made.peer.hear("tools/call")
        began = asyncio.get_running_loop().time()
        await says(*[{"method": "notifications/tools/list_changed"}] * 20, then=OK)(made.peer, asked)
        assert await first == WELL
        assert asyncio.get_running_loop().time() - began >= 0.2
