"""Every route of a real daemon, through the client."""

from __future__ import annotations

from datetime import UTC
from uuid import uuid4

import pytest

from api.process import EXAMPLES
from caxton.client import Client
from caxton.errors import (
    AgentNotFound,
    CaxtonError,
    ConfigurationError,
    ConversationNotFound,
    DeploymentNotFound,
    Exit,
    InvalidMessage,
    InvalidModule,
    KeyTaken,
    MessageNotFound,
    MessageTooLarge,
    SecurityError,
)
from caxton.schemas.shape import plain, text_of

ECHO = {"receiver": "echo", "performative": "request", "content": {"word": "hello"}}


def test_it_is_healthy_and_ready(caxton: Client) -> None:
    parts = {"agents": True, "journal": True, "cells": True}
    assert plain(caxton.ready()) == {"ready": True, "why": [], "parts": parts}
    status = caxton.status()
    assert status.platform == "local"
    assert [cell.state for cell in status.cells] == ["ready"]
    assert status.agents.running >= 2
    assert status.journal.committed_seq >= status.journal.rows >= 1
    assert status.started_at.tzinfo is UTC
    assert status.uptime_s > 0


def test_a_message_comes_back_with_its_reply_turn_and_trace(caxton: Client) -> None:
    trace = uuid4().hex
    sent = caxton.send(ECHO, wait_s=10, traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    (reply,) = sent.replies
    assert not sent.timed_out
    assert sent.trace_id == trace
    assert reply.message.content == {"word": "hello"}
    assert reply.message.sender == "echo@local"
    assert reply.cause == sent.seq
    stored = caxton.message(sent.id)
    assert stored == caxton.message(str(sent.seq))
    assert stored.message.id == sent.id
    (turn,) = stored.turns
    assert (turn.agent, turn.status, turn.sent) == ("echo@local", "ok", 1)
    assert turn.revision == caxton.agent("echo").revision
    assert stored.dead_letters == []
    talk = caxton.conversation(sent.conversation_id)
    assert [item.seq for item in talk.items] == [sent.seq, reply.seq]
    assert talk.initiator == "operator@local"
    assert sent.conversation_id in [one.id for one in caxton.conversations(agent="echo")]


def test_turns_of_an_agent_are_listed_newest_first(caxton: Client) -> None:
    first, second = caxton.send(ECHO, wait_s=10), caxton.send(ECHO, wait_s=10)
    turns = caxton.turns(agent="echo", limit=2)
    assert [turn.seq for turn in turns] == [second.seq, first.seq]
    (alone,) = caxton.turns(conversation=first.conversation_id)
    assert alone == turns[1]
    assert alone.status == "ok"
    assert len(alone.revision or "") == 64


def test_turns_on_one_message_are_not_parted_by_a_page(
    caxton: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, echo = f"parted-{uuid4().hex}", (EXAMPLES / "echo" / "echo.wasm").read_bytes()
    names = [f"parted-{number}" for number in range(3)]
    for name in names:
        caxton.deploy(name, echo)
    sent = [
        caxton.send({**ECHO, "receiver": names, "conversation_id": talk}, wait_s=10, replies=3).seq
        for _ in range(2)
    ]
    assert [turn.seq for turn in caxton.turns(conversation=talk, limit=2)] == [sent[1]] * 3
    monkeypatch.setattr("caxton.client.requests.PAGE", 2)
    assert [turn.seq for turn in caxton.turns(conversation=talk)] == [sent[1]] * 3 + [sent[0]] * 3
    for name in names:
        caxton.remove_agent(name)


def test_a_reply_that_does_not_come_is_said_to_be_late(caxton: Client) -> None:
    silent = {"receiver": "echo", "performative": "cancel"}
    sent = caxton.send(silent, wait_s=0.05)
    assert sent.replies == []
    assert sent.timed_out is True


def test_what_the_platform_answers_at_once_is_not_missed(caxton: Client) -> None:
    sent = caxton.send({"receiver": "nobody", "performative": "inform"}, wait_s=10)
    (reply,) = sent.replies
    assert reply.message.performative == "failure"
    assert reply.message.sender == "ams@local"
    (letter,) = caxton.message(sent.id).dead_letters
    assert letter.code == "unknown_agent"
    newest = caxton.dead_letters(agent="nobody", limit=1)[0]
    assert newest.seq == sent.seq
    assert newest.message.id == sent.id


def test_all_replies_of_several_receivers(caxton: Client) -> None:
    both = {"receiver": ["echo", "nobody"], "performative": "request", "content": 1}
    sent = caxton.send(both, wait_s=10, replies=2)
    assert {item.message.sender for item in sent.replies} == {"echo@local", "ams@local"}


def test_the_same_key_has_one_effect(caxton: Client) -> None:
    key = uuid4().hex
    first = caxton.send(ECHO, wait_s=10, idempotency_key=key)
    again = caxton.send(ECHO, wait_s=10, idempotency_key=key)
    assert again == first
    assert len(caxton.conversation(first.conversation_id).items) == 2
    other = caxton.send(ECHO, idempotency_key=uuid4().hex)
    assert other.seq > first.seq


def test_a_key_belongs_to_its_sender_and_its_message(caxton: Client) -> None:
    key = uuid4().hex
    first = caxton.send(ECHO, wait_s=10, sender="operator.bob", idempotency_key=key)
    hers = {"receiver": "counter", "performative": "request", "content": 1}
    other = caxton.send(hers, wait_s=10, sender="operator.eve", idempotency_key=key)
    assert other.seq > first.seq
    assert [item.message.sender for item in other.replies] == ["counter@local"]
    with pytest.raises(KeyTaken, match=r"operator\.bob@local has sent another message") as taken:
        caxton.send(hers, sender="operator.bob", idempotency_key=key)
    assert (taken.value.status, taken.value.details) == (409, {"seq": first.seq})
    assert caxton.send(ECHO, sender="operator.bob", idempotency_key=key).seq == first.seq
    # a key that begins as another one
    assert caxton.send(ECHO, sender="operator.bob", idempotency_key=key[:-1]).seq > other.seq


def test_messages_are_found_by_what_they_are(caxton: Client) -> None:
    talk = f"find-{uuid4().hex}"
    sent = [caxton.send({**ECHO, "conversation_id": talk}, wait_s=10) for _ in range(3)]
    found = caxton.messages(conversation=talk)
    assert len(found) == 6
    assert [item.seq for item in found] == sorted(item.seq for item in found)
    newest = caxton.messages(conversation=talk, newest=True, limit=2)
    assert [item.seq for item in newest] == [found[5].seq, found[4].seq]
    assert [item.seq for item in caxton.messages(conversation=talk, performative="inform")] == [
        one.replies[0].seq for one in sent
    ]
    assert len(caxton.messages(conversation=talk, after=found[2].seq)) == 3
    assert caxton.messages(conversation=talk, since="1h")
    assert caxton.messages(conversation=talk, until="1h") == []
    assert caxton.messages(conversation=talk, since=text_of(found[0].at))[0].seq == found[0].seq
    assert found[-1].seq in [item.seq for item in caxton.agent_messages("echo", after=found[0].seq)]


def test_lists_are_read_in_pages(caxton: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = f"pages-{uuid4().hex}"
    for _ in range(4):
        caxton.send({**ECHO, "conversation_id": talk}, wait_s=10)
    monkeypatch.setattr("caxton.client.requests.PAGE", 3)
    assert len(caxton.messages(conversation=talk, limit=100)) == 8
    assert len(caxton.messages(conversation=talk, limit=100, newest=True)) == 8
    whole = caxton.conversation(talk, limit=7)
    assert len(whole.items) == 7
    assert whole.next == whole.items[-1].seq
    for _ in range(4):
        caxton.send(ECHO)
    assert len({one.id for one in caxton.conversations(limit=5)}) == 5


def test_every_list_leads_on_to_its_end(caxton: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    echo = (EXAMPLES / "echo" / "echo.wasm").read_bytes()
    names = ["Paged-1", "Paged-2", "paged-0"]
    for name in names:
        caxton.deploy(name, echo)
        registration = {"action": "register", "description": {"name": {"name": f"{name}@local"}}}
        caxton.send(
            {"performative": "request", "receiver": "df", "protocol": "fipa-request", "content": registration}
        )
    for number in (1, 2):
        caxton.deploy("paged-0", echo, settings={"n": number})
    with pytest.raises(ConfigurationError, match="differs from the agent 'paged-0' by capital letters only"):
        caxton.deploy("Paged-0", echo)
    whole = caxton.agents(), caxton.df_entries(), caxton.deployments(agent="paged-0")
    assert {one.name for one in whole[0]} >= set(names)
    assert len(whole[2]) == 3
    monkeypatch.setattr("caxton.client.requests.PAGE", 2)
    assert [one.name for one in caxton.agents()] == [one.name for one in whole[0]]
    assert caxton.df_entries() == whole[1]
    assert caxton.deployments(agent="paged-0") == whole[2]
    for name in names:
        caxton.remove_agent(name)


def test_an_agent_is_deployed_stopped_started_and_removed(caxton: Client) -> None:
    name = f"c{uuid4().hex[:8]}"
    module = (EXAMPLES / "counter" / "counter.wasm").read_bytes()
    made = caxton.deploy(name, module, limits={"memory_bytes": "1MiB"}, settings={"start": 3})
    assert (made.agent, made.state, made.previous) == (name, "running", None)
    assert caxton.deployment(made.id) == made
    assert caxton.deployments(agent=name) == [made]
    shown = caxton.agent(name)
    assert shown.limits["memory_bytes"] == 1024**2
    assert shown.limits["wall_ms"] == 2000
    assert shown.settings == {"start": 3}
    assert name in [one.name for one in caxton.agents()]
    assert caxton.change_agent(name, "drain").desired == "stopped"
    sent = caxton.send({"receiver": name, "performative": "request"}, wait_s=10)
    assert sent.replies[0].message.performative == "failure"
    assert caxton.change_agent(name, "start").state == "running"
    assert caxton.change_agent(name, "restart").state == "running"
    assert caxton.agent_logs(name) == []
    assert caxton.change_agent(name, "stop").desired == "stopped"
    caxton.remove_agent(name)
    with pytest.raises(AgentNotFound):
        caxton.agent(name)


def test_text_of_a_module_is_taken_too(caxton: Client) -> None:
    text = (EXAMPLES / "echo" / "echo.wat").read_bytes()
    made = caxton.deploy("from-text", text)
    assert made.state == "running"
    sent = caxton.send({**ECHO, "receiver": "from-text"}, wait_s=10)
    assert sent.replies[0].message.content == {"word": "hello"}
    caxton.remove_agent("from-text")


def test_every_meter_is_read(caxton: Client) -> None:
    caxton.send(ECHO, wait_s=10)
    lines = dict(
        line.rsplit(" ", 1) for line in caxton.metrics().splitlines() if line and not line.startswith("#")
    )
    assert int(lines["caxton_messages_total"]) >= 2
    assert int(lines['caxton_turns_total{status="ok"}']) >= 1
    assert lines['caxton_cells{state="ready"}'] == "1"
    assert int(lines['caxton_journal_rows_total{table="message"}']) >= 2


@pytest.mark.parametrize(
    ("ask", "error", "leaves"),
    [
        (lambda c: c.agent("missing"), AgentNotFound, Exit.AGENT_FAILED),
        (lambda c: c.agent_logs("missing"), AgentNotFound, Exit.AGENT_FAILED),
        (lambda c: c.message("missing"), MessageNotFound, Exit.USAGE),
        (lambda c: c.message("9999999999"), MessageNotFound, Exit.USAGE),
        (lambda c: c.message("00000000-0000-8000-8000-000000000001"), MessageNotFound, Exit.USAGE),
        (lambda c: c.conversation("a/b ?c"), ConversationNotFound, Exit.USAGE),
        (lambda c: c.deployment("d-0"), DeploymentNotFound, Exit.AGENT_FAILED),
        (lambda c: c.send(b"{"), InvalidMessage, Exit.USAGE),
        (lambda c: c.send({"receiver": "echo", "performative": "shout"}), InvalidMessage, Exit.USAGE),
        (lambda c: c.send({**ECHO, "content": "x" * 300_000}), MessageTooLarge, Exit.LIMIT),
        (lambda c: c.send(ECHO, sender="echo"), SecurityError, Exit.NOT_ALLOWED),
        (lambda c: c.send(ECHO, idempotency_key="a b"), InvalidMessage, Exit.USAGE),
        (lambda c: c.messages(since="yesterday"), InvalidMessage, Exit.USAGE),
        (lambda c: c.deploy("ams", b"\0asm"), ConfigurationError, Exit.USAGE),
        (lambda c: c.deploy("../up", b"\0asm"), ConfigurationError, Exit.USAGE),
        (lambda c: c.deploy("bad", b"\0asm\1\0\0\0"), InvalidModule, Exit.AGENT_FAILED),
        (lambda c: c.deploy("bad", b"\0asm", limits={"fule": 1}), ConfigurationError, Exit.USAGE),
    ],
)
def test_refusals_keep_their_class_and_exit_code(caxton: Client, ask, error, leaves) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CaxtonError) as caught:
        ask(caxton)
    assert type(caught.value) is error
    assert caught.value.exit == leaves
    assert caught.value.message
    assert "\n" not in caught.value.message


def test_it_stops_when_it_is_asked_to(own_daemon) -> None:  # type: ignore[no-untyped-def]
    with own_daemon.client() as caxton:
        caxton.stop_daemon()
    assert own_daemon.process.wait(30) == 0
    assert not own_daemon.socket.exists()
    own_daemon.process.stderr.close()
    own_daemon.process = None


def test_a_replay_says_what_became_of_each_turn(caxton: Client) -> None:
    sent = caxton.send(ECHO, wait_s=10)
    report = caxton.replay([sent.conversation_id])
    (turn,) = report.turns
    assert (turn.seq, turn.agent, turn.verdict) == (sent.seq, "echo", "same")
    assert turn.at.tzinfo is UTC
    assert report.totals.same == 1
    assert report.agents[0].start.exact is True
    for wrong in ({"conversations": ["nothing-of-it"]}, {"agent": "nobody", "last": 1}):
        with pytest.raises(CaxtonError):
            caxton.replay(**wrong)
    with pytest.raises(ConfigurationError, match="nothing is to be replayed"):
        caxton.replay()
