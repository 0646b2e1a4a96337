"""The directory over a real daemon, its restarts and its death: leases, subscriptions, suspended agents, all legal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from caxton.client import Client
from flow.running import running

CONFIGURATION = """
cells = 1
[agents.echo]
wasm = "echo.wasm"
[agents.counter]
wasm = "counter.wasm"
"""
SELLING = {"services": [{"type": "selling"}]}


def tell(caxton: Client, receiver: str, action: str, description: dict[str, Any]) -> dict[str, Any]:
    message = {
        "performative": "request",
        "receiver": receiver,
        "protocol": "fipa-request",
        "content": {"action": action, "description": description},
    }
    answer: dict[str, Any] = caxton.send(message, wait_s=10).replies[0].message.json
    return answer


def notices(caxton: Client, talk: str) -> list[tuple[list[str], str | None]]:
    """What a subscriber was told: who is found, and what had changed."""
    rows = [one.message.content for one in caxton.conversation(talk).items[1:]]
    return [
        ([entry["name"] for entry in one["result"]], one["change"]["what"] if "change" in one else None)
        for one in rows
    ]


def test_registrations_subscriptions_and_suspended_agents_survive_whatever_ends_the_daemon(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "shop", CONFIGURATION) as daemon:
        with daemon.client() as caxton:
            subscribe = {
                "performative": "subscribe",
                "receiver": "df",
                "protocol": "fipa-subscribe",
                "conversation_id": "watch",
                "reply_with": "watch-1",
                "content": {"action": "search", "description": SELLING},
            }
            assert caxton.send(subscribe, wait_s=10).replies[0].message.content["result"] == []
            assert tell(caxton, "df", "register", {"name": "echo", **SELLING})["performative"] == "inform"
            short = {"name": "counter", **SELLING, "lease-time": "400ms"}
            assert tell(caxton, "df", "register", short)["performative"] == "inform"
            said = tell(caxton, "ams", "modify", {"name": "counter", "state": "suspended"})
            assert said["performative"] == "inform"
            caxton.send({"performative": "request", "receiver": "counter", "conversation_id": "waits"})
        daemon.kill()
        daemon.start()
        with daemon.client() as caxton:
            # the lease of the counter ends, before the start or after it
            for event in caxton.events(after=0, kinds=["message"], conversation="watch"):
                if event.kind == "message" and "expired" in str(event.data["message"].get("content")):
                    break
            assert [one.name for one in caxton.df_search(SELLING)] == ["echo@local"]
            view = caxton.agent("counter")
            assert (view.state, view.mailbox, view.turns) == ("suspended", 1, 0)
            said = tell(caxton, "ams", "search", {"state": "suspended"})
            assert said["content"]["result"] == [{"name": "counter@local", "state": "suspended"}]
            assert tell(caxton, "df", "modify", {"name": "counter"})["content"]["error"] == "not-registered"
        assert daemon.stop() == 0
        daemon.start()
        with daemon.client() as caxton:
            caxton.remove_agent("echo")
            assert notices(caxton, "watch") == [
                ([], None),
                (["echo@local"], "registered"),
                (["echo@local", "counter@local"], "registered"),
                (["echo@local"], "expired"),
                ([], "removed"),
            ]
            cancel = {
                "performative": "cancel",
                "receiver": "df",
                "protocol": "fipa-subscribe",
                "conversation_id": "watch",
                "reply_with": "watch-2",
            }
            answer = caxton.send(cancel, wait_s=10).replies[0].message
            assert (answer.performative, answer.in_reply_to) == ("inform", "watch-2")
            assert caxton.df_subscriptions() == []
            assert caxton.change_agent("counter", "resume").state == "running"
            assert tell(caxton, "counter", "count", {})["content"] == {"count": 2}
            first = caxton.conversation("waits").items[1].message
            assert first.content == {"count": 1}
            assert caxton.status().counts["violations"] == 0
            assert caxton.conversation("watch").state == "Completed"
