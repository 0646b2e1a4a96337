"""The small examples keep to the guest ABI and do what their READMEs say."""

from __future__ import annotations

import json

import pytest
import wasmtime

from .guest import Guest, message

TEXTS = ["", "plain", 'quote " and \\ backslash', "line\nfeed\ttab", "éßñ 漢字 🦀", "}{][,:", "\u2028\x7f"]


@pytest.mark.parametrize("performative", ["request", "query-if", "query-ref"])
@pytest.mark.parametrize("content", [None, 0, -1.5e300, True, [], {}, [1, [2, {"a": []}]], *TEXTS], ids=repr)
def test_echo_gives_the_content_back(performative: str, content: object) -> None:
    echo = Guest("echo/echo")
    assert echo.turn(message(performative, content)) == [{"performative": "inform", "content": content}]


def test_echo_finds_the_members_of_the_message_and_not_those_inside_it() -> None:
    echo = Guest("echo/echo")
    inner = {"performative": "inform", "content": "inner"}
    assert echo.turn({"x_a": inner, "performative": "request", "content": inner}) == [
        {"performative": "inform", "content": inner}
    ]
    assert echo.turn(
        b' { "x" : "\\"content\\":1" , "performative" :\n"request" , "content" : [ 1 , 2 ] } '
    ) == [{"performative": "inform", "content": [1, 2]}]
    assert echo.turn({"performative": "request"}) == [{"performative": "inform"}]


@pytest.mark.parametrize("performative", ["inform", "failure", "not-understood", "requests", "cfp"])
def test_echo_leaves_other_acts_alone(performative: str) -> None:
    assert Guest("echo/echo").turn(message(performative, "hello")) == []


@pytest.mark.parametrize("name", ["echo/echo", "rogue/rogue"])
def test_long_messages_move_the_buffers_and_come_back_whole(name: str) -> None:
    guest = Guest(name)
    for size in (10, 12_000, 16_300, 17_000, 70_000, 256 * 1024 - 600, 5):
        content = {"text": "x" * size}
        assert guest.turn(message("request", content)) == [{"performative": "inform", "content": content}]


def test_alloc_says_no_where_memory_is_short() -> None:
    for name in ("echo/echo", "relay/relay"):
        guest = Guest(name, memory=1 << 20)
        before = guest.mailbox()
        assert guest.function("caxton_alloc")(guest.store, 4 << 20) == 0
        assert guest.function("caxton_alloc")(guest.store, -1) == 0
        assert guest.mailbox() == before
        assert len(guest.turn(message("request", {"n": 1}))) == 1


def test_relay_counts_on() -> None:
    relay = Guest("relay/relay")
    assert relay.turn(message("request", {"n": 41})) == [{"performative": "inform", "content": {"n": 42}}]
    assert relay.turn(message("inform", {"x": {"n": 7}, "n": 42})) == [
        {"performative": "request", "content": {"n": 43}}
    ]
    assert relay.turn(message("request", "no number")) == [{"performative": "inform", "content": {"n": 1}}]
    assert relay.turn(message("failure", {"n": 1})) == []


def test_counter_keeps_its_count_over_a_snapshot() -> None:
    counter = Guest("counter/counter")
    assert counter.turn(message("request", {"add": 5}))[0]["content"] == {"count": 5}
    assert counter.turn(message("request", {}))[0]["content"] == {"count": 6}
    assert counter.turn(message("request", {"add": -16}))[0]["content"] == {"count": -10}
    assert counter.turn(message("inform", {"add": 1})) == []
    assert counter.turn(message("request", {"add": 10**12}))[0]["performative"] == "refuse"
    state = counter.snapshot()
    assert json.loads(state) == {"v": 1, "count": -10}

    fresh = Guest("counter/counter")
    assert fresh.call("caxton_restore", state)[0] == 0
    assert fresh.turn(message("request"))[0]["content"] == {"count": -9}
    for other in (b'{"v":2,"count":3}', b"{}", b"", b"\xff\xfe", b'{"v":1,"count":"3"}'):
        assert fresh.call("caxton_restore", other)[0] < 0
    assert fresh.turn(message("request"))[0]["content"] == {"count": -8}


def test_rogue_traps_spins_and_grows_when_told_to() -> None:
    with pytest.raises(wasmtime.Trap) as trapped:
        Guest("rogue/rogue").turn(message("request", {"trap": True}))
    assert trapped.value.trap_code is wasmtime.TrapCode.UNREACHABLE
    with pytest.raises(wasmtime.Trap) as spun:
        Guest("rogue/rogue").turn(message("request", {"spin": True}))
    assert "fuel" in str(spun.value)
    grown = Guest("rogue/rogue", memory=4 << 20)
    assert grown.turn(message("request", {"grow": True})) == [
        {"performative": "inform", "content": {"memory_kib": 4096}}
    ]
    assert grown.turn(message("request", {"spin": False})) == [
        {"performative": "inform", "content": {"spin": False}}
    ]
