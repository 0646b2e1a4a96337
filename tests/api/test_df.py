"""`/api/v1/df` and suspending over HTTP, against a real daemon: what agents say by message is what people see."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from api.process import Daemon
from caxton.client import AsyncClient, Client
from caxton.errors import AgentNotFound, InvalidMessage, InvalidState
from caxton.schemas.shape import plain


def tell(caxton: Client, receiver: str, content: Any, **more: Any) -> dict[str, Any]:
    """Request it; the answer."""
    message = {
        "performative": "request",
        "receiver": receiver,
        "content": content,
        "protocol": "fipa-request",
    }
    answer: dict[str, Any] = caxton.send({**message, **more}, wait_s=10).replies[0].message.json
    return answer


def register(caxton: Client, name: str, **more: Any) -> dict[str, Any]:
    description = {"name": name, "services": [{"type": "selling", "name": name}], **more}
    return tell(caxton, "df", {"action": "register", "description": description})


def test_what_is_registered_is_listed_and_found(own_daemon: Daemon) -> None:
    with own_daemon.client() as caxton:
        assert caxton.df_entries() == []
        assert register(caxton, "echo", **{"lease-time": "1h"})["performative"] == "inform"
        assert register(caxton, "counter")["performative"] == "inform"
        echo, counter = caxton.df_entries()
        assert (echo.name, counter.name) == ("echo@local", "counter@local")
        assert echo.expires_at == datetime.fromisoformat(echo.description["lease-time"])
        assert counter.expires_at is None
        assert echo.registered_at < counter.registered_at
        assert caxton.df_search() == [echo, counter]
        assert caxton.df_search({"services": [{"name": "counter"}]}) == [counter]
        assert caxton.df_search({"services": {"type": "selling"}}, {"max_results": 1}) == [echo]
        assert caxton.df_search({"protocols": ["fipa-request"]}) == []


def test_what_is_no_description_is_refused_with_fipas_name(caxton: Client) -> None:
    with pytest.raises(InvalidMessage) as refused:
        caxton.df_search({"service": []})
    assert refused.value.details == {
        "error": "unexpected-parameter",
        "arguments": ["df-agent-description", "service"],
    }
    assert refused.value.hint == "did you mean 'services'?"
    with pytest.raises(InvalidMessage):
        caxton.df_search({}, {"max-results": "all"})


async def test_subscriptions_are_listed_and_the_asynchronous_client_does_the_same(own_daemon: Daemon) -> None:
    wanted = {"services": [{"type": "selling"}]}
    search = {"action": "search", "description": wanted}
    with own_daemon.client() as caxton:
        sent = caxton.send(
            {"performative": "subscribe", "receiver": "df", "content": search, "protocol": "fipa-subscribe"},
            wait_s=10,
        )
        register(caxton, "echo")
        (one,) = caxton.df_subscriptions()
        assert (one.subscriber, one.content) == ("operator@local", search)
        assert one.conversation_id == sent.conversation_id
        entries = caxton.df_entries()
        told = [row.message for row in caxton.conversation(sent.conversation_id).items]
        assert [one.performative for one in told] == ["subscribe", "inform", "inform"]
        assert told[-1].content["result"] == [entries[0].description]
        assert caxton.conversation(sent.conversation_id).state == "InProgress"
    async with AsyncClient(own_daemon.socket) as client:
        assert await client.df_entries() == entries
        assert await client.df_search(wanted) == entries
        assert await client.df_subscriptions() == [one]


def test_an_agent_is_suspended_and_resumed(own_daemon: Daemon) -> None:
    with own_daemon.client() as caxton:
        assert caxton.change_agent("counter", "suspend").state == "suspended"
        assert plain(caxton.status().agents) == {
            "total": 2,
            "running": 1,
            "suspended": 1,
            "stopped": 0,
            "failed": 0,
            "unbuilt": 0,
            "recovering": 0,
        }
        sent = caxton.send({"performative": "request", "receiver": "counter"})
        assert caxton.agent("counter").mailbox == 1
        with pytest.raises(InvalidState):
            caxton.change_agent("counter", "drain")
        with pytest.raises(AgentNotFound):
            caxton.change_agent("nobody", "suspend")
        assert caxton.change_agent("counter", "resume").state == "running"
        answer = tell(caxton, "counter", {})
        assert answer["content"] == {"count": 2}
        rows = caxton.conversation(sent.conversation_id).items
        assert rows[1].message.content == {"count": 1}
