"""Timers are listed a page at a time."""

from __future__ import annotations

from typing import Any

import httpx

from api.process import Daemon
from caxton.client import Client


def test_timers_come_in_pages_and_none_is_left_out(daemon: Daemon, caxton: Client) -> None:
    for minutes in (3, 1, 2):
        asked: dict[str, Any] = {"after_ms": minutes * 60_000, "tag": minutes}
        caxton.send({"performative": "request", "receiver": "timer", "content": asked})
    assert [one.tag for one in caxton.timers()] == [1, 2, 3]
    transport = httpx.HTTPTransport(uds=str(daemon.socket))
    with httpx.Client(transport=transport, base_url="http://caxton", trust_env=False) as http:
        seen: list[int] = []
        after: str | None = None
        while True:
            page = http.get(
                "/api/v1/timers", params={"limit": 1, **({"after": after} if after else {})}
            ).json()
            seen += [one["tag"] for one in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert seen == [1, 2, 3]
        assert http.get("/api/v1/timers", params={"after": "2027"}).status_code == 422
    for minutes in (1, 2, 3):
        caxton.send({"performative": "request", "receiver": "timer", "content": {"cancel": minutes}})
