"""Hosts, origins, rates, request ids, and what is written down."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from access.asking import api
from caxton.access import OWNER, Principal, Role, acting_for
from caxton.api.guard import Peer
from caxton.schemas.access import ACTING_FOR
from caxton.telemetry.logs import configure


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:9999"}, 200),
        ({"host": "caxton.example:443"}, 200),
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:8080"}, 421),
        ({"host": "127.0.0.1:8080@evil.example"}, 421),
        ({"host": ""}, 421),
        ({"host": "[::1"}, 421),
        ({"origin": "http://127.0.0.1:8080"}, 200),
        ({"origin": "https://board.example"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9090"}, 403),
    ],
)
def test_hosts_and_origins(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    with api(tmp_path, hosts=["caxton.example"], origins=["https://board.example"]) as served:
        token = served.token("a", Role.VIEWER)
        # a route that everybody may use has the same lock
        assert served.ask("GET", "/health", headers=headers).status == status
        answered = served.ask("GET", "/api/v1/identity", token, headers=headers)
        assert answered.status == status
        named = headers.get("origin") == "https://board.example"
        assert answered.headers.get("access-control-allow-origin") == (
            "https://board.example" if named else None
        )


def test_a_preflight_is_answered_for_named_origins_only(tmp_path: Path) -> None:
    with api(tmp_path, origins=["https://board.example"]) as served:
        wish = {"access-control-request-method": "POST"}
        answered = served.ask(
            "OPTIONS", "/api/v1/messages", headers={"origin": "https://board.example", **wish}
        )
        assert (answered.status, "authorization" in answered.headers["access-control-allow-headers"]) == (
            204,
            True,
        )
        assert (
            served.ask(
                "OPTIONS", "/api/v1/messages", headers={"origin": "https://evil.example", **wish}
            ).status
            == 403
        )
        assert served.ask("OPTIONS", "/api/v1/messages", headers=wish).status == 401


def test_rates_of_a_token_and_of_those_who_guess(tmp_path: Path) -> None:
    with api(tmp_path, requests_per_s=2) as served:
        token, other = served.token("a", Role.VIEWER), served.token("b", Role.VIEWER)

        async def many() -> list[int]:
            return [(await served.asked("GET", "/api/v1/identity", token)).status for _ in range(5)]

        assert served.system.run(many()) == [200, 200, 200, 200, 429]
        assert served.ask("GET", "/api/v1/identity", other).status == 200
        guesser = Peer("198.51.100.1")

        async def guesses() -> list[int]:
            asked = [await served.asked("GET", "/metrics", "cxt_", peer=guesser) for _ in range(12)]
            return [one.status for one in asked]

        assert served.system.run(guesses()) == [401] * 10 + [429] * 2
        # whoever has a token is not kept out by others at the same address
        assert served.ask("GET", "/api/v1/identity", other, peer=guesser).status == 200


def test_acts_are_written_down_with_who_and_from_where(tmp_path: Path) -> None:
    with api(tmp_path, "echo") as served:
        admin, viewer = served.token("boss", Role.ADMIN), served.token("eve", Role.VIEWER)
        there = Peer("198.51.100.7")
        served.ask("GET", "/api/v1/agents", viewer, peer=there)
        mine = served.ask(
            "POST", "/api/v1/agents/echo/stop", admin, peer=there, headers={"x-request-id": "r-1"}
        )
        assert (mine.status, mine.headers["x-request-id"]) == (200, "r-1")
        refused = served.ask(
            "POST", "/api/v1/agents/echo/start", viewer, peer=there, headers={"x-request-id": "a\nb"}
        )
        assert refused.body["error"]["details"] == {"role": "operator"}
        assert re.fullmatch("[0-9a-f]{16}", refused.headers["x-request-id"])
        served.ask("GET", f"/api/v1/agents/{admin}", None, peer=there)
        rows = served.ask("GET", "/api/v1/audit", admin).body["items"]
        assert [(row["who"], row["role"], row["method"], row["status"]) for row in rows] == [
            (None, None, "GET", 401),
            ("eve", "viewer", "POST", 403),
            ("boss", "admin", "POST", 200),
        ]
        assert rows[2]["request_id"] == "r-1"
        assert {row["address"] for row in rows} == {"198.51.100.7"}
        # a secret that stands in a path stands nowhere else
        assert admin not in str(rows)
        assert [row["who"] for row in served.ask("GET", "/api/v1/audit?who=eve", admin).body["items"]] == [
            "eve"
        ]


def test_a_gateway_asks_in_the_name_of_who_came_and_by_the_projects_socket_only(tmp_path: Path) -> None:
    with api(tmp_path, "echo", "other") as served:
        named = Principal("eve", Role.OPERATOR, ("echo",), token="0000abcd")
        header = {ACTING_FOR: acting_for(named, "198.51.100.9")}
        local: dict[str, Any] = {"headers": header, "local": True}
        assert served.ask("GET", "/api/v1/identity", **local).body["name"] == "eve"
        listed = served.ask("GET", "/api/v1/agents", **local).body["items"]
        assert [one["name"] for one in listed] == ["echo"]
        assert served.ask("POST", "/api/v1/agents/other/stop", **local).status == 403
        assert served.ask("POST", "/api/v1/agents/echo/stop", **local).status == 200
        assert served.ask("POST", "/api/v1/daemon/stop", **local).status == 403
        owner = {ACTING_FOR: acting_for(OWNER, "")}
        assert served.ask("GET", "/api/v1/identity", headers=owner, local=True).body["name"] == "owner"
        for forged in ("", "e30=", "=", "\xff"):
            assert served.ask("GET", "/api/v1/agents", headers={ACTING_FOR: forged}, local=True).status == 403
        # who comes by TCP is who its token says
        assert served.ask("POST", "/api/v1/daemon/stop", headers=owner).status == 401
        eve = served.token("eve", Role.VIEWER)
        assert served.ask("POST", "/api/v1/daemon/stop", eve, headers=owner).status == 403
        rows = served.ask("GET", "/api/v1/audit", served.token("boss", Role.ADMIN)).body["items"]
        mine = [(row["status"], row["path"]) for row in rows if row["address"] == "198.51.100.9"]
        assert mine == [
            (403, "/api/v1/daemon/stop"),
            (200, "/api/v1/agents/echo/stop"),
            (403, "/api/v1/agents/other/stop"),
        ]


def test_a_certificate_has_the_role_of_its_name(tmp_path: Path) -> None:
    with api(tmp_path, subjects={"ops": "operator"}) as served:
        known = served.ask("GET", "/api/v1/identity", peer=Peer("198.51.100.1", "ops"))
        assert (known.body["name"], known.body["role"]) == ("ops", "operator")
        assert served.ask("GET", "/api/v1/identity", peer=Peer("198.51.100.1", "eve")).status == 401
        assert served.ask("GET", "/api/v1/tokens", peer=Peer("198.51.100.1", "ops")).status == 403


def test_a_secret_is_in_no_refusal_no_event_and_no_log(tmp_path: Path) -> None:
    with api(tmp_path, "echo") as served:
        secret = served.token("ann", Role.ADMIN)
        tail = secret.rpartition("_")[2]
        asked = [
            served.ask("GET", f"/api/v1/agents/{secret}", secret),
            served.ask("GET", f"/{secret}", secret),
            served.ask("GET", f"/api/v1/messages?after={secret}", secret),
            served.ask("POST", "/api/v1/tokens", secret, {"name": secret, "role": "viewer"}),
        ]
        assert {one.status // 100 for one in asked} == {4}
        assert not any(tail.encode() in one.raw for one in asked)

        async def told() -> None:
            served.services.bus.event("log", agent="echo@local", body={"message": f"my token is {secret}"})

        served.system.run(told())
        stream = served.ask("GET", "/api/v1/events?after=0", secret, for_s=5).raw
        assert tail.encode() not in stream
        assert f"cxt_{secret.split('_')[1]}_…".encode() in stream
    said = io.StringIO()
    for style in ("text", "json"):
        with _log(style, said):
            logging.getLogger("caxton.api").error(
                "refused", extra={"_why": 1}, exc_info=ValueError(f"no {secret}")
            )
            structlog.get_logger("caxton.api").info("seen", path=f"/{secret}", inside=[secret])
    assert "seen" in said.getvalue()
    assert tail not in said.getvalue()


@contextmanager
def _log(style: str, stream: io.StringIO) -> Generator[None]:
    root = logging.getLogger()
    before = (root.handlers, root.level, structlog.get_config())
    configure(style, "info", stream)
    try:
        yield
    finally:
        root.handlers, root.level = before[0], before[1]
        structlog.configure(**before[2])
