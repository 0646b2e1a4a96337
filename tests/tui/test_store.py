"""The store, the filter and the words: no Textual, no daemon."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import made

from caxton.client import StreamEvent
from caxton.finding import Filter
from caxton.schemas.daemon import AgentBody, StatusBody
from caxton.schemas.messages import ConversationDetail, MessageBody
from caxton.schemas.shape import Message, plain
from caxton_tui.model import formatting
from caxton_tui.model.connection import Connection, Link
from caxton_tui.model.meter_history import MeterHistory, percentile
from caxton_tui.model.open_views import OpenConversation
from caxton_tui.model.ring_buffer import RingBuffer
from caxton_tui.model.store import Store

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def row(seq: int, act: str = "inform", **more: Any) -> dict[str, Any]:
    message = {"performative": act, "sender": "ann@local", "receiver": ["bob@local", "cleo@far"], **more}
    return {**EMPTY, "seq": seq, "message": message}


EMPTY: dict[str, Any] = plain(made(MessageBody, {}))


def hear(store: Store, kind: str, seq: int, data: dict[str, Any]) -> None:
    store.heard(StreamEvent(seq, kind, data))


def look(messages: int, **turns: int) -> tuple[StatusBody, list[AgentBody]]:
    counts = {"messages": messages, "turns": 2 * messages, "turn_us": 60 * messages}
    journal = {"waiting_rows": 3, "commits": messages, "commit_us": 500 * messages}
    cells = [{"no": 1, "cpu_s": messages / 100, "rss_kib": 1024, "in_flight": 2}]
    status = {"counts": counts, "journal": journal, "cells": cells, "platform": "local"}
    agents = [{"name": name, "turns": n, "fuel": n * 100, "mailbox": 4} for name, n in turns.items()]
    return made(StatusBody, status), [made(AgentBody, agent) for agent in agents]


@given(st.integers(1, 20), st.integers(0, 60))
def test_a_ring_keeps_the_newest_under_their_numbers(room: int, count: int) -> None:
    ring: RingBuffer[int] = RingBuffer(room)
    for number in range(count):
        ring.add(number)
    kept = [number for number in range(count) if number >= count - room]
    assert list(ring) == kept
    assert ring.end == count
    assert ring.dropped == count - len(kept)
    assert [ring.at(number) for number in range(count + 1)] == [
        n if n in kept else None for n in range(count + 1)
    ]


def test_gaps_are_counted_and_stand_in_the_tape() -> None:
    store = Store()
    hear(store, "message", 1, row(1))
    hear(store, "gap", 2_001, {"lost": 2_000, "from": 2, "to": 2_001})
    store.narrow(Filter("nothing-like-this"))
    hear(store, "gap", 2_500, {"lost": 499, "from": 2_002, "to": 2_500})
    assert store.left_out == 2_499
    assert [entry.kind for entry in store.shown] == ["gap", "gap"]
    assert [entry.text.split()[0] for entry in store.shown] == ["2,000", "499"]
    assert store.last_seq == 2_500


def test_a_deployment_that_is_heard_of_is_asked_for_and_one_that_may_have_been_is_doubted() -> None:
    store = Store()
    store.deployments_due = False
    hear(store, "message", 1, row(1))
    assert (store.deployments_due, store.deployments_doubted) == (False, False)
    hear(store, "gap", 9, {"lost": 8})
    assert (store.deployments_due, store.deployments_doubted) == (False, True)
    hear(store, "deployment", 10, {"agent": "a", "state": "validating"})
    assert (store.deployments_due, store.deployments_doubted) == (True, True)


def test_the_ring_bounds_the_tape_and_its_filtered_view() -> None:
    store = Store(rows=10)
    store.narrow(Filter("act:cfp"))
    for seq in range(1, 101):
        hear(store, "message", seq, row(seq, "cfp" if seq % 2 else "inform"))
    assert [entry.seq for entry in store.entries] == list(range(91, 101))
    assert store.entries.dropped == 90
    assert [entry.seq for entry in store.shown] == list(range(91, 101, 2))


def test_a_full_ring_forgets_in_the_filtered_view_too() -> None:
    store = Store(rows=10)
    store.narrow(Filter("act:cfp"))
    hear(store, "message", 1, row(1, "cfp"))
    for seq in range(2, 50):
        hear(store, "message", seq, row(seq))
    assert list(store.shown) == []


def test_rates_come_from_two_looks_and_not_over_a_break() -> None:
    store = Store()
    store.connected(Connection(Link.LIVE, 10.0))
    store.looked(10.0, *look(1_000, ann=100))
    assert store.messages_s == 0
    assert store.pace(store.agents[0]).turns_s == 0
    store.looked(12.0, *look(1_500, ann=120, bob=5))
    assert store.messages_s == 250
    assert [store.pace(agent).turns_s for agent in store.agents] == [10.0, 0.0]
    assert store.pace(store.agents[0]).fuel_s == 1_000
    store.looked(12.0, *look(1_600, ann=130, bob=5))
    assert store.messages_s == 250
    store.connected(Connection(Link.LOST, 13.0))
    assert store.messages_s == 0
    store.connected(Connection(Link.LIVE, 20.0))
    store.looked(20.0, *look(40, ann=4))
    assert store.messages_s == 0
    store.looked(21.0, *look(60, ann=5))
    assert store.messages_s == 20
    assert store.pace(store.agents[0]).turns_s == 1


def test_every_change_is_told() -> None:
    store, told = Store(), list[int]()
    store.on_change.append(lambda: told.append(store.version))
    hear(store, "message", 1, row(1))
    store.connected(Connection(Link.LIVE))
    store.looked(1.0, *look(1))
    store.narrow(Filter("x"))
    store.built("done")
    store.forget()
    assert told == sorted(set(told))
    assert len(told) >= 6


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("BOOK", True),
        ("pen", False),
        ("!pen", True),
        ("!book", False),
        ("from:ann", True),
        ("from:bob", False),
        ("to:bob", True),
        ("to:cleo@far", True),
        ("agent:ann", True),
        ("agent:bob", True),
        ("agent:an", False),
        ("act:prop", True),
        ("conv:market", True),
        ("!conv:market-2", True),
        ("from:ann act:propose book", True),
        ("from:ann act:cfp book", False),
        ("price=42", True),
        ("agent:bob,zoe", True),
        ('~"bo+k"', True),
        ("is:problem", False),
    ],
)
def test_filters(text: str, passes: bool) -> None:
    store = Store()
    hear(
        store,
        "message",
        1,
        row(1, "propose", conversation_id="market-1", content={"item": "Book", "price": 42}),
    )
    (entry,) = store.entries
    assert Filter(text).passes(entry) is passes


def test_looks_become_series_of_rates_and_levels() -> None:
    store = Store()
    for at, messages in enumerate((0, 10, 40, 40)):
        store.history.note({"turn_p99": messages})
        store.looked(float(at), *look(messages, ann=messages, bob=0))
    history = store.history
    assert history.looks == 3
    assert list(history.series("messages")) == [10, 30, 0]
    assert list(history.series("turns")) == [20, 60, 0]
    assert list(history.series("turn_us")) == [30, 30, 0]
    assert list(history.series("commit_us")) == [500, 500, 0]
    assert list(history.series("turn_p99")) == [10, 40, 40]
    assert (history.last("lag_rows"), history.last("waiting"), history.last("in_flight")) == (3, 8, 2)
    # a daemon that was started again counts from zero
    store.looked(4.0, *look(5, ann=5, bob=0))
    assert history.last("messages") == 5


def test_what_a_cell_takes_belongs_to_all_the_time_since_it_said_so_before() -> None:
    history = MeterHistory()
    status, _ = look(0)

    def took(*cpu_s: float) -> list[float]:
        for was, now in pairwise(cpu_s):
            before, after = (
                msgspec.structs.replace(status, cells=[msgspec.structs.replace(status.cells[0], cpu_s=one)])
                for one in (was, now)
            )
            history.took(before, after, 0.5)
        return list(history.series("cpu 1"))[1 - len(cpu_s) :]

    # when it said the first is not known, so the second says nothing either
    assert took(1.0, 1.2, 1.2, 1.2, 1.2, 1.6, 1.6, 1.6, 1.6, 1.6) == pytest.approx([0] * 4 + [20] * 5)
    assert took(1.6, 1.7) == pytest.approx([0.1 / 2.5 * 100])
    # another process under the same number begins anew
    assert took(1.7, 0.0, 0.3, 0.3, 0.4) == pytest.approx([0, 0, 0, 10])


def test_history_keeps_so_many_looks() -> None:
    history = MeterHistory(room=3)
    for value in range(5):
        history.add({"a": value} if value != 3 else {"a": value, "late": 7})
    assert list(history.series("a")) == [2, 3, 4]
    assert list(history.series("late")) == [0, 7, 7]
    assert list(history.series("never")) == []


@given(st.lists(st.floats(0, 1e6), max_size=40), st.floats(0, 1))
def test_a_percentile_is_one_of_the_values(values: list[float], part: float) -> None:
    found = percentile(values, part)
    assert found in values or (found == 0 and not values)
    assert sum(value <= found for value in values) >= len(values) * part - 1


def test_a_book_reads_on_where_something_is_missing() -> None:
    def body(seq: int, turns: int) -> dict[str, Any]:
        turn = {"agent": "bob@local", "status": "ok", "started_at": "2026-01-31T12:00:00.000000Z"}
        figures = {"revision": None, "queue_us": 1, "turn_us": 1, "fuel": 1, "sent": 0}
        return {
            **row(seq, receiver=["bob@local"]),
            "turns": [{**turn, **figures}] * turns,
            "dead_letters": [],
        }

    book = OpenConversation("c")
    assert (book.after, book.timeline("local")) == (0, None)
    book.take(
        made(
            ConversationDetail,
            {"id": "c", "messages": 3, "items": [body(1, 1), body(2, 0), body(3, 1)], "next": None},
        )
    )
    assert book.after == 1
    version = book.version
    book.take(
        made(ConversationDetail, {"id": "c", "messages": 3, "items": [body(2, 0), body(3, 1)], "next": None})
    )
    assert book.version == version
    book.take(
        made(
            ConversationDetail,
            {"id": "c", "messages": 4, "items": [body(2, 1), body(3, 1), body(4, 0)], "next": None},
        )
    )
    assert book.version == version + 1
    assert book.after == 3
    for _ in range(8):
        book.take(made(ConversationDetail, {"id": "c", "messages": 4, "items": [body(4, 0)], "next": None}))
    assert book.after == 4
    timeline = book.timeline("local")
    assert timeline is not None
    assert [spoken.seq for spoken in timeline.spoken] == [1, 2, 3, 4]
    assert book.left_out == 0
    # what is as it was is not read again, and numbers stay when the oldest go
    book.take(
        made(
            ConversationDetail,
            {"id": "c", "messages": 1_003, "items": [body(n, 1) for n in range(4, 1_004)], "next": None},
        )
    )
    grown = book.timeline("local")
    assert grown is not None
    assert book.left_out == 3
    assert [spoken.number for spoken in grown.spoken] == list(range(4, 1_004))
    book.take(
        made(ConversationDetail, {"id": "c", "messages": 1_003, "items": [body(1_003, 2)], "next": None})
    )
    again = book.timeline("local")
    assert again is not None
    assert again.spoken[-2] is grown.spoken[-2]
    assert len(again.spoken[-1].turns) == 2


@given(JSON, st.text(), st.text())
def test_whatever_is_said_is_one_bounded_printable_line(content: Any, name: str, conversation: str) -> None:
    store = Store()
    hear(
        store,
        "message",
        1,
        row(1, content=content, sender=name, receiver=[name], conversation_id=conversation),
    )
    hear(store, "log", 2, {"seq": 2, "at": "", "agent": name, "level": name, "message": conversation})
    hear(store, "surprise", 3, {"seq": 3, "at": "", "kind": "surprise", name: content})
    for entry in store.entries:
        for text in (entry.act, entry.sender, entry.to, entry.conversation, entry.text):
            assert text.isprintable()
        assert len(entry.text) <= 3_000


def test_a_huge_content_costs_no_more_than_its_line() -> None:
    text = formatting.content(Message({"content": {"a": "x" * 300_000, "b": 1}}))
    assert len(text) <= formatting.CONTENT_ROOM
    assert len(formatting.content(Message({"content": "y" * 300_000}))) <= formatting.CONTENT_ROOM


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (7, "7"),
        (7.46, "7.5"),
        (812, "812"),
        (999.6, "1.0k"),
        (3_440, "3.4k"),
        (120_000, "120k"),
        (5.1e6, "5.1M"),
    ],
)
def test_figures_are_brief(count: float, text: str) -> None:
    assert formatting.brief(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "now"), (8, "8s"), (59.7, "59s"), (61, "1m"), (7_200, "2h"), (500_000, "6d"), (1e9, "long")],
)
def test_ages_are_brief(seconds: float, text: str) -> None:
    assert formatting.ago(seconds) == text
