"""The example orders on a real daemon: a worker for each order, over `kill -9`, and seen on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli.command import caxton

from .running import EXAMPLES, running

pytestmark = pytest.mark.crash

FOLDER = EXAMPLES / "orders"
ORDER: dict[str, Any] = {"receiver": "dispatcher", "performative": "request", "protocol": "fipa-request"}


def test_orders_are_done_by_workers_over_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "orders"
    configuration = (FOLDER / "caxton.toml").read_text()
    with running(folder, configuration, [*FOLDER.glob("*.wasm")]) as daemon:
        with daemon.client(60.0) as client:
            done = client.send({**ORDER, "content": {"order": 1}}, wait_s=20.0, replies=2)
            assert [one.message.performative for one in done.replies] == ["agree", "inform"]
            for number in range(20):
                client.send({**ORDER, "content": {"order": number}, "conversation_id": f"order-{number}"})
        daemon.kill()
        daemon.start()
        with daemon.client(60.0) as client:
            wish = {"receiver": "ams", "performative": "request", "conversation_id": "make"}
            kid = {"action": "create", "description": {"name": "kid", "like": "worker"}}
            (made,) = client.send({**wish, "content": kid}, wait_s=20.0).replies
            assert made.message.json["content"]["description"]["maker"] == "operator@local"
            tree = caxton("agent", "tree", cwd=folder).stdout
            assert "\n└ kid" in tree[tree.index("\noperator") :], tree
            # each of the orders has one end, whatever the kill met
            for number in range(20):
                said = client.messages(conversation=f"order-{number}", limit=100)
                ends = [one for one in said if one.message.performative in ("inform", "failure")]
                while not ends:
                    client.send({**ORDER, "performative": "query-ref", "protocol": "fipa-query"}, wait_s=20.0)
                    said = client.messages(conversation=f"order-{number}", limit=100)
                    ends = [one for one in said if one.message.performative in ("inform", "failure")]
                assert [one.message.performative for one in ends] == ["inform"], number
