"""Break points and held messages over HTTP: pages, refusals in one shape, repeated requests, two clients at once."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from api.process import Daemon, running
from caxton.client import Client
from caxton.errors import BreakNotFound, CaxtonError, HeldBehind, InvalidFilter, InvalidMessage, NotHeld
from caxton.schemas.shape import plain


@pytest.fixture
def shop(tmp_path: Path) -> Generator[Client]:
    with running(tmp_path / "shop") as daemon, daemon.client() as client:
        yield client


def say(caxton: Client, content: object, conversation: str = "talk", key: str | None = None) -> int:
    message = {"performative": "inform", "receiver": "nobody", "content": content}
    answer = caxton.send({**message, "conversation_id": conversation}, idempotency_key=key)
    return int(answer.seq)


def test_what_is_held_comes_in_pages_and_goes_one_by_one(shop: Client) -> None:
    point = shop.add_break("to:nobody", name="all-of-it")
    assert (point.id, point.held, point.by) == ("b1", 0, "operator@local")
    seqs = [say(shop, n, f"talk-{n}") for n in range(5)]
    first = shop.held(limit=2)
    assert [one.seq for one in first] == seqs[:2]
    assert [one.seq for one in shop.held(after=seqs[1])] == seqs[2:]
    assert [one.seq for one in shop.held(conversation="talk-3")] == [seqs[3]]
    assert shop.held(break_id="b2") == []
    changed = shop.edit(
        seqs[0], {"performative": "refuse", "content": {"n": [1, 2]}, "receiver": ["no", "one"]}
    )
    assert changed.message.receiver == ["no@local", "one@local"]
    gone = shop.release(seqs[0])
    assert gone.state == "released"
    assert gone.held == 4
    message = shop.message(changed.message.id)
    assert message.seq == gone.went_on
    assert (message.held.seq, message.held.break_id, message.held.edited) == (seqs[0], "b1", True)
    assert shop.message(str(seqs[0])).seq == gone.went_on
    detail = shop.held_message(seqs[0])
    assert (detail.said.content, detail.message.content) == (0, {"n": [1, 2]})
    assert shop.release_some(following=True).messages == 1
    assert plain(shop.drop_some(conversation="talk-2")) == {"break_points": 0, "messages": 1, "held": 2}
    taken = shop.remove_break("all-of-it", then="drop")
    assert (taken.messages, taken.held) == (2, 0)
    assert shop.breaks() == []
    assert {one.code for one in shop.dead_letters()} == {"dropped", "unknown_agent"}


def test_refusals_say_what_became_of_it(shop: Client) -> None:
    shop.add_break("to:nobody", count=2, duration="10m")
    first, second = say(shop, 1), say(shop, 2)
    with pytest.raises(HeldBehind) as behind:
        shop.release(second)
    assert behind.value.status == 422
    shop.release(first)
    with pytest.raises(NotHeld) as gone:
        shop.drop(first)
    assert gone.value.status == 410
    assert gone.value.details["state"] == "released"
    with pytest.raises(NotHeld):
        shop.held_message(99_999)
    with pytest.raises(BreakNotFound):
        shop.remove_break("b9")
    with pytest.raises(InvalidFilter):
        shop.add_break("state:open")
    with pytest.raises(InvalidMessage):
        shop.edit(second, {"performative": "sing"})
    with pytest.raises(InvalidMessage):
        shop.edit(second, {"sender": "somebody"})
    with pytest.raises(InvalidMessage):
        shop.delay(second, "soon")
    with pytest.raises(CaxtonError) as name:
        shop.add_break("to:a", name="no name")
    assert name.value.code == "invalid_request"
    assert shop.release(second).held == 0


def test_of_two_who_let_the_same_message_go_one_is_told_so(tmp_path: Path) -> None:
    with running(tmp_path / "shop") as daemon, daemon.client() as one, daemon.client() as other:
        one.add_break("to:nobody")
        for n in range(10):
            seq = say(one, n, f"talk-{n}")

            def act(client: Client, seq: int = seq) -> str:
                try:
                    return str(client.release(seq).state)
                except NotHeld as error:
                    return error.code

            with ThreadPoolExecutor(2) as pool:
                assert sorted(pool.map(act, (one, other))) == ["not_held", "released"]
        assert len(one.messages(performative="inform", limit=100)) == 10


def test_a_request_that_is_repeated_while_its_message_is_held_has_no_second_effect(shop: Client) -> None:
    shop.add_break("to:nobody")
    assert say(shop, 1, key="once") == say(shop, 1, key="once")
    (held,) = shop.held()
    with pytest.raises(CaxtonError) as there:
        shop.message(held.message.id)
    assert there.value.code == "message_not_found"
    assert "is held" in there.value.message
    shop.release(held.seq)
    assert say(shop, 1, key="once") == held.seq
    assert len(shop.messages(performative="inform")) == 1


def test_events_and_metrics_say_it(own_daemon: Daemon) -> None:
    with own_daemon.client() as caxton:
        caxton.add_break("to:nobody")
        seq = say(caxton, 1)
        path = str(own_daemon.socket)
        with httpx.Client(transport=httpx.HTTPTransport(uds=path), base_url="http://caxton") as raw:
            text = raw.get("/metrics").text
        assert "caxton_held_messages 1\n" in text
        assert "caxton_break_points 1\n" in text
        caxton.edit(seq, {"content": 2})
        caxton.delay(seq, "2h")
        caxton.drop(seq)
        caxton.remove_breaks()
        kinds: list[str] = []
        wanted = ("break_added", "held", "edited", "delayed", "dropped", "break_removed")
        for event in caxton.events(after=0, kinds=wanted):
            kinds.append(event.kind)
            if event.kind in ("held", "edited", "delayed", "dropped"):
                assert event.data["message_seq"] == seq
            if event.kind == wanted[-1]:
                break
        assert kinds == list(wanted)


def test_a_deadline_moves_on_with_the_clock_while_something_is_held(shop: Client) -> None:
    def deadlines() -> tuple[datetime, datetime]:
        body = shop.conversation("talk")
        whole, first = body.deadline_at, body.branches[0].deadline_at
        assert whole is not None
        assert first is not None
        return whole, first

    talk = {"conversation_id": "talk", "protocol": "fipa-request"}
    asked = {**talk, "performative": "request", "receiver": "operator.bob", "reply_by": "10m"}
    shop.send(asked, sender="operator.ann")
    before = deadlines()
    assert deadlines() == before
    shop.add_break("act:agree")
    agreed = shop.send({**talk, "performative": "agree", "receiver": "operator.ann"}, sender="operator.bob")
    first = deadlines()
    second = deadlines()
    assert before < first < second
    assert first[0] == first[1]
    shop.release(int(agreed.seq))
    assert shop.conversation("talk").branches[0].state == "agreed"
