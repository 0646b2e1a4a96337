"""A token for some agents sees and changes these only, through every door alike."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from access.asking import ECHO, Answered, Api, api
from caxton.access import Role


@pytest.fixture
def served(tmp_path: Path) -> Generator[Api]:
    with api(tmp_path, "seller-a", "buyer") as served:
        yield served


def said(to: str, **more: Any) -> dict[str, Any]:
    return {"receiver": to, "performative": "request", "content": f"for {to}", **more}


def events(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in raw.split(b"\n") if line.startswith(b"data: ")]


def test_what_it_reads(served: Api) -> None:
    whole = served.token("whole", Role.ADMIN)
    part = served.token("part", Role.ADMIN, "seller-*")
    for to in ("seller-a", "buyer"):
        assert served.ask("POST", "/api/v1/messages?wait=1s", whole, said(to)).status == 202
    for path, many in (
        ("/api/v1/agents", 1),
        ("/api/v1/messages", 2),
        ("/api/v1/conversations", 1),
        ("/api/v1/turns", 1),
        ("/api/v1/deployments", 1),
    ):
        everything, some = (served.ask("GET", path, token).body["items"] for token in (whole, part))
        assert (len(some), len(everything)) == (many, 2 * many), path
        assert "buyer" not in json.dumps(some)
    rows = served.ask("GET", "/api/v1/messages", whole).body["items"]
    for row in rows:
        mine = "seller-a@local" in (row["message"]["sender"], *row["message"]["receiver"])
        for path in (f"messages/{row['seq']}", f"conversations/{row['message']['conversation_id']}"):
            assert served.ask("GET", f"/api/v1/{path}", part).status == (200 if mine else 403)
    stream = events(served.ask("GET", "/api/v1/events?after=0", part).raw)
    assert {"message", "agent"} <= {"message" if "message" in one else one["kind"] for one in stream}
    assert "buyer" not in json.dumps(stream)
    assert "buyer" in json.dumps(events(served.ask("GET", "/api/v1/events?after=0", whole).raw))


def test_what_it_changes(served: Api) -> None:
    part = served.token("part", Role.DEVELOPER, "seller-*")
    module = base64.b64encode(ECHO.read_bytes()).decode()

    def refused(method: str, path: str, body: Any = None) -> bool:
        answered = served.ask(method, f"/api/v1/{path}", part, body)
        return answered.status == 403 and answered.code == "not_allowed"

    assert not refused("POST", "messages", said("seller-a"))
    assert refused("POST", "messages", said("buyer"))
    assert refused("POST", "messages", said("seller-a") | {"receiver": ["seller-a", "buyer"]})
    assert refused("POST", "messages", said("seller-a", reply_to="buyer"))
    # the platform's own agents change others on request
    assert refused("POST", "messages", said("ams"))
    assert refused("POST", "messages", said("seller-a", sender="operator.boss"))
    assert not refused("POST", "agents", {"name": "seller-b", "wasm_module": module})
    assert refused("POST", "agents", {"name": "buyer", "wasm_module": module})
    assert refused("POST", "agents/buyer/stop")
    whole = served.token("whole", Role.ADMIN)
    ids = {one["agent"]: one["id"] for one in served.ask("GET", "/api/v1/deployments", whole).body["items"]}
    assert refused("POST", f"deployments/{ids['buyer']}/rollback")
    assert not refused("POST", f"deployments/{ids['seller-a']}/rollback")
    assert refused("POST", "breaks", {"filter": "to:buyer"})


def test_who_is_no_admin_does_not_see_the_audit_trail_in_the_stream(served: Api) -> None:
    viewer, admin = served.token("viewer", Role.VIEWER), served.token("admin", Role.ADMIN)
    served.ask("POST", "/api/v1/agents/buyer/stop", viewer)
    kinds = [
        {one.get("kind") for one in events(served.ask("GET", "/api/v1/events?after=0", token).raw)}
        for token in (viewer, admin)
    ]
    assert "audit" not in kinds[0]
    assert "audit" in kinds[1]


def test_a_stream_ends_with_its_token(served: Api) -> None:
    token = served.token("short", Role.VIEWER)

    async def watched() -> tuple[bool, bool]:
        answered = Answered()
        watching = asyncio.ensure_future(served.asked("GET", "/api/v1/events", token, into=answered))
        while not answered.raw:
            await asyncio.sleep(0)
        before = answered.ended
        served.services.tokens.revoke("short")
        async with asyncio.timeout(1.0):
            return before, (await watching).ended

    assert served.system.run(watched()) == (False, True)
    assert served.ask("GET", "/api/v1/events", token).status == 401
    soon = served.token("soon", Role.VIEWER, expires_us=served.services.clock.now_us() + 10_000_000)
    assert served.ask("GET", "/api/v1/events", soon, for_s=60.0).ended
