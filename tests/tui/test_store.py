"""The store, the filter and the words: no Textual, no daemon."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_tui import words
from caxton_tui.filter import Filter
from caxton_tui.ring import Ring
from caxton_tui.store import Connection, Link, Store

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def row(seq: int, act: str = "inform", **more: Any) -> dict[str, Any]:
    message = {"performative": act, "sender": "ann@local", "receiver": ["bob@local", "cleo@far"], **more}
    return {"seq": seq, "at": "2026-01-31T12:00:00.000000Z", "redelivered": False, "message": message}


def look(messages: int, **turns: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    status = {"counts": {"messages": messages}, "platform": "local"}
    return status, [{"name": name, "turns": count, "fuel": count * 100} for name, count in turns.items()]


@given(st.integers(1, 20), st.integers(0, 60))
def test_a_ring_keeps_the_newest_under_their_numbers(room: int, count: int) -> None:
    ring: Ring[int] = Ring(room)
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
    store.heard("message", 1, row(1))
    store.heard("gap", 2_001, {"lost": 2_000, "from": 2, "to": 2_001})
    store.narrow(Filter("nothing-like-this"))
    store.heard("gap", 2_500, {"lost": 499, "from": 2_002, "to": 2_500})
    assert store.left_out == 2_499
    assert [entry.kind for entry in store.shown] == ["gap", "gap"]
    assert [entry.text.split()[0] for entry in store.shown] == ["2,000", "499"]
    assert store.last_seq == 2_500


def test_the_ring_bounds_the_tape_and_its_filtered_view() -> None:
    store = Store(rows=10)
    store.narrow(Filter("act:cfp"))
    for seq in range(1, 101):
        store.heard("message", seq, row(seq, "cfp" if seq % 2 else "inform"))
    assert [entry.seq for entry in store.entries] == list(range(91, 101))
    assert store.entries.dropped == 90
    assert [entry.seq for entry in store.shown] == list(range(91, 101, 2))


def test_a_full_ring_forgets_in_the_filtered_view_too() -> None:
    store = Store(rows=10)
    store.narrow(Filter("act:cfp"))
    store.heard("message", 1, row(1, "cfp"))
    for seq in range(2, 50):
        store.heard("message", seq, row(seq))
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
    store.heard("message", 1, row(1))
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
        ("to:", False),
        ("http://x", False),
        ("!", False),
    ],
)
def test_filters(text: str, passes: bool) -> None:
    store = Store()
    store.heard(
        "message", 1, row(1, "propose", conversation_id="market-1", content={"item": "Book", "price": 42})
    )
    (entry,) = store.entries
    assert Filter(text).passes(entry) is passes


@given(JSON, st.text(), st.text())
def test_whatever_is_said_is_one_bounded_printable_line(content: Any, name: str, conversation: str) -> None:
    store = Store()
    store.heard(
        "message", 1, row(1, content=content, sender=name, receiver=[name], conversation_id=conversation)
    )
    store.heard("log", 2, {"seq": 2, "at": "", "agent": name, "level": name, "message": conversation})
    store.heard("surprise", 3, {"seq": 3, "at": "", "kind": "surprise", name: content})
    for entry in store.entries:
        for text in (entry.act, entry.sender, entry.to, entry.conversation, entry.text):
            assert text.isprintable()
        assert len(entry.text) <= 3_000


def test_a_huge_content_costs_no_more_than_its_line() -> None:
    text = words.content({"content": {"a": "x" * 300_000, "b": 1}})
    assert len(text) <= words.CONTENT_ROOM
    assert len(words.content({"content": "y" * 300_000})) <= words.CONTENT_ROOM


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
    assert words.brief(count) == text
