"""Two writers meet: the second is told that what it saw has changed. And numbers that no row could have."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from access.asking import ECHO, api

from caxton.access import Role

HUGE = 1 << 64
JSON = {"content-type": "application/json"}


def test_a_held_message_goes_on_only_as_it_was_seen(tmp_path: Path) -> None:
    with api(tmp_path, "echo") as served:
        served.ask("POST", "/api/v1/breaks", body={"filter": ""}, headers=JSON, local=True)
        said = {"performative": "request", "receiver": "echo", "content": 1}
        seq = served.ask("POST", "/api/v1/messages", body=said, local=True).body["seq"]
        path = f"/api/v1/held/{seq}"
        seen = {"if-match": served.ask("GET", path, local=True).headers["etag"]}
        changed = served.ask("PATCH", path, body={"content": 2}, headers=JSON | seen, local=True)
        assert changed.status == 200
        for method, place, body in (
            ("PATCH", path, {"content": 3}),
            ("POST", f"{path}/delay", {"delay": "5s"}),
            ("POST", f"{path}/drop", None),
            ("POST", f"{path}/release", None),
        ):
            late = served.ask(method, place, body=body, headers=JSON | seen, local=True)
            assert (late.status, late.code) == (412, "changed")
        now = {"if-match": changed.headers["etag"]}
        assert served.ask("POST", f"{path}/release", headers=now, local=True).status == 200


def test_a_build_goes_in_only_in_place_of_the_one_that_was_seen(tmp_path: Path) -> None:
    with api(tmp_path, "echo") as served:
        present = served.ask("GET", "/api/v1/agents/echo", local=True).headers["etag"]
        body = {"name": "echo", "wasm_module": base64.b64encode(ECHO.read_bytes()).decode()}
        other = served.ask("POST", "/api/v1/agents", body=body, headers={"if-match": '"0000"'}, local=True)
        assert (other.status, other.body["error"]["details"]) == (412, {"revision": present.strip('"')})
        same = served.ask("POST", "/api/v1/agents", body=body, headers={"if-match": present}, local=True)
        assert same.status == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/api/v1/events?after={HUGE}", None),
        ("GET", f"/api/v1/held/{HUGE}", None),
        ("POST", "/api/v1/dead-letters/redeliver", {"seqs": [HUGE]}),
        ("POST", "/api/v1/dead-letters/drop", {"seqs": [1 << 63]}),
        ("POST", "/api/v1/held/release", {"seqs": [HUGE]}),
        ("POST", "/api/v1/agents/echo/leave", {"moment": HUGE}),
    ],
)
def test_a_number_that_no_row_could_have_is_refused(
    tmp_path: Path, method: str, path: str, body: object
) -> None:
    with api(tmp_path, "echo") as served:
        answer = served.ask(method, path, body=body, headers=JSON, local=True)
        assert answer.status in (400, 422)
        assert "less than" in answer.body["error"]["message"]


def test_lists_in_memory_come_in_pages(tmp_path: Path) -> None:
    with api(tmp_path, "echo") as served:
        for name in ("a", "b", "c"):
            said = {"performative": "inform", "receiver": f"topic:{name}", "content": 1}
            served.ask("POST", "/api/v1/messages", body=said, local=True)
        token = served.token("reader", Role.VIEWER)
        first = served.ask("GET", "/api/v1/topics?limit=2", token).body
        rest = served.ask("GET", f"/api/v1/topics?limit=2&after={first['next']}", token).body
        assert [one["topic"] for one in (*first["items"], *rest["items"])] == ["a", "b", "c"]
        assert (first["next"], rest["next"]) == ("b", None)
