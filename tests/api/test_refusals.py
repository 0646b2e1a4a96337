"""What is refused, in which shape, and before anything large was kept."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Generator

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from api.process import EXAMPLES, Daemon
from caxton.api import responses
from caxton.api.body_limits import DEPLOY_CAP, MESSAGE_CAP, OTHER_CAP, BodyLimits, cap_of


@pytest.fixture
def raw(daemon: Daemon) -> Generator[httpx.Client]:
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(daemon.socket)), base_url="http://caxton", trust_env=False
    ) as client:
        yield client


def code(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "hint", "details"}
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"]


def test_the_framework_refuses_in_the_same_shape(raw: httpx.Client) -> None:
    assert code(raw.get("/api/v1/nothing")) == (404, "not_found")
    assert code(raw.put("/api/v1/agents")) == (405, "method_not_allowed")
    assert code(raw.get("/api/v1/messages?limit=0")) == (400, "bad_request")
    assert code(raw.get("/api/v1/messages?limit=x&after=-1")) == (422, "invalid_request")
    assert code(raw.post("/api/v1/agents/echo/dance")) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "messages?after={}",
        "messages?before={}",
        "agents/echo/logs?after={}",
        "agents/echo/logs?before={}",
        "agents/echo/messages?after={}",
        "conversations?before={}",
        "conversations/c?after={}",
        "turns?before={}",
        "tasks?before={}",
        "dead-letters?before={}",
        "dead-letters?seq={}",
        "held?after={}",
        "events?after={}",
        "events?back={}",
        "messages?limit={}",
    ],
)
def test_numbers_that_no_row_has_are_refused_by_name(raw: httpx.Client, path: str) -> None:
    name = path.rpartition("?")[2].partition("=")[0]
    for number in (1 << 63, 10**20, "9" * 5_000, -1):
        answer = raw.get("/api/v1/" + path.format(number))
        assert code(answer) == (400, "bad_request")
        assert answer.json()["error"]["message"].startswith(f"query.{name}: ")


def test_times_long_ago_find_everything(raw: httpx.Client) -> None:
    for since in ("999999999d", "0001-01-01"):
        assert raw.get("/api/v1/messages", params={"since": since}).status_code == 200


def test_what_is_possible_at_a_path_is_said(raw: httpx.Client) -> None:
    for method, path, allowed in (
        ("PUT", "/health", "GET"),
        ("PUT", "/api/v1/agents", "GET, POST"),
        ("POST", "/api/v1/held/7", "GET, PATCH"),
        ("POST", "/api/v1/pins/a/b", "DELETE, PUT"),
    ):
        answer = raw.request(method, path)
        assert code(answer) == (405, "method_not_allowed")
        assert answer.headers["allow"] == allowed


def test_a_body_of_the_wrong_kind(raw: httpx.Client) -> None:
    assert code(raw.post("/api/v1/agents", content=b"[1]"))[0] == 400
    assert code(raw.post("/api/v1/agents", json={"name": "a"}))[0] == 400
    assert code(raw.post("/api/v1/agents", json={"name": "a", "wasm_module": "AA==", "x": 1}))[0] == 400
    assert code(raw.post("/api/v1/agents", json={"name": "a", "wasm_module": "*"})) == (422, "invalid_module")
    nested = b'{"receiver":"echo","performative":"inform","content":' + b"[" * 60_000 + b"]" * 60_000 + b"}"
    assert code(raw.post("/api/v1/messages", content=nested)) == (400, "invalid_message")
    deep = b'{"name":"a","wasm_module":"","settings":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}"
    assert code(raw.post("/api/v1/agents", content=deep))[0] == 400


def test_too_much_is_refused_with_or_without_a_length(raw: httpx.Client) -> None:
    assert code(raw.post("/api/v1/messages", content=bytes(MESSAGE_CAP + 1))) == (413, "too_large")
    assert code(raw.post("/api/v1/daemon/stop", content=bytes(OTHER_CAP + 1))) == (413, "too_large")

    def pieces() -> Generator[bytes]:
        for _ in range(MESSAGE_CAP // 65_536 + 1):
            yield bytes(65_536)

    assert code(raw.post("/api/v1/messages", content=pieces())) == (413, "too_large")


@pytest.mark.parametrize(
    ("path", "cap"),
    [
        ("/api/v1/agents", DEPLOY_CAP),
        ("/api/v1/agents/plan", DEPLOY_CAP),
        ("/api/v1/replays", DEPLOY_CAP),
        ("/api/v1/messages", MESSAGE_CAP),
        ("/api/v1/tasks", MESSAGE_CAP),
        ("/api/v1/held/7", MESSAGE_CAP),
        ("/api/v1/daemon/stop", OTHER_CAP),
    ],
)
def test_what_carries_the_same_may_be_as_large(path: str, cap: int) -> None:
    assert cap_of(path) == cap


def test_a_build_of_48_kib_is_planned_and_replayed(raw: httpx.Client) -> None:
    section = bytes(100 * 1024)
    module = (EXAMPLES / "echo" / "echo.wasm").read_bytes() + b"\0" + leb(len(section) + 2) + b"\1x" + section
    body = {"name": "echo", "wasm_module": base64.b64encode(module).decode()}
    assert raw.post("/api/v1/agents/plan", json=body).status_code == 200
    replay = {"last": 1, "agent": "echo", "wasm_module": body["wasm_module"]}
    assert raw.post("/api/v1/replays", json=replay).status_code == 200


def leb(number: int) -> bytes:
    return bytes([number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14])


def test_a_false_length_is_refused_before_the_body(daemon: Daemon) -> None:
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(10)
        plain.connect(str(daemon.socket))
        plain.sendall(
            b"POST /api/v1/messages HTTP/1.1\r\nHost: caxton\r\nContent-Length: 99999999999\r\n\r\n"
        )
        assert plain.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000,
        b"POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_daemon_lives(
    daemon: Daemon, raw: httpx.Client, garbage: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(10)
        plain.connect(str(daemon.socket))
        plain.sendall(garbage)
        answer = b"".join(iter(lambda: plain.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 4")
    assert answer.rpartition(b"\r\n\r\n")[2].startswith(b'{"error":{"code":"')
    assert raw.get("/health").json() == {"status": "ok"}


def test_compressed_bodies_are_refused(raw: httpx.Client) -> None:
    answer = raw.post("/api/v1/messages", content=b"x", headers={"Content-Encoding": "gzip"})
    assert code(answer) == (415, "unsupported_media_type")


async def test_what_nobody_expected_shows_a_number_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    responses.install(app)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the canary sang")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://caxton") as client:
        answer = await client.get("/broken")
    assert code(answer) == (500, "internal_error")
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text


@given(st.lists(st.integers(0, OTHER_CAP), min_size=1, max_size=8))
def test_the_cap_counts_what_comes(sizes: list[int]) -> None:
    """A body passes when its pieces together are within the cap, however they are cut."""
    seen: list[int] = []

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        while True:
            message = await receive()
            seen.append(len(message["body"]))
            if not message["more_body"]:
                return

    left = list(sizes)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": bytes(left.pop(0)), "more_body": bool(left)}

    async def send(_: object) -> None:
        raise AssertionError("nothing is sent here")

    async def run() -> int:
        try:
            await BodyLimits(app)({"type": "http", "path": "/x", "headers": []}, receive, send)
        except HTTPException as refused:
            return refused.status_code
        return 200

    assert asyncio.run(run()) == (200 if sum(sizes) <= OTHER_CAP else 413)
    assert sum(seen) <= OTHER_CAP
