"""Who waits while the daemon is started again goes on waiting; nothing is lost or said twice, nobody waits for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from api.process import Daemon

from caxton.client import Client, requests
from caxton.errors import Unreachable
from caxton.schemas.messages import SubmittedBody, TaskDetail

ASKED = {"performative": "request", "receiver": "echo", "content": "once"}
TASK = {"protocol": "request", "to": "echo", "content": "once", "reply_by": "60s"}


def asked_for(client: Client, times: int) -> None:
    """Return when echo was asked so often."""
    said = client.events(after=0, kinds=["message"])
    for _, event in zip(range(times), said, strict=False):
        assert event.kind == "message"


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_message_and_a_task_are_waited_for_over_a_restart(own_daemon: Daemon, how: str) -> None:
    def ask() -> SubmittedBody:
        with own_daemon.client() as client:
            return client.send(ASKED, wait_s=60)

    def run() -> TaskDetail:
        with own_daemon.client() as client:
            return client.run_task(TASK)

    with ThreadPoolExecutor(2) as pool:
        with own_daemon.client() as client:
            client.change_agent("echo", "suspend")
            asked, task = pool.submit(ask), pool.submit(run)
            asked_for(client, 2)
        getattr(own_daemon, how)()
        own_daemon.start()
        with own_daemon.client() as client:
            client.change_agent("echo", "resume")
            assert [one.message.content for one in asked.result(60).replies] == ["once"]
            assert task.result(60).ending == "achieved"
            said = [one.message.performative for one in client.messages(agent="echo")]
            assert sorted(said) == ["inform", "inform", "request", "request"]


def test_who_waits_for_a_daemon_that_does_not_come_back_is_told(
    own_daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "RESTART_S", 0.5)

    def ask(client: Client) -> SubmittedBody:
        return client.send(ASKED, wait_s=60)

    with own_daemon.client() as client, own_daemon.client() as other, ThreadPoolExecutor(1) as pool:
        client.change_agent("echo", "suspend")
        asked = pool.submit(ask, other)
        asked_for(client, 1)
        own_daemon.kill()
        with pytest.raises(Unreachable, match="no daemon answers"):
            asked.result(30)
