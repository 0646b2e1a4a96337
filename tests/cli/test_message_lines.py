"""A conversation as lines of text, and the tally of the demo."""

from __future__ import annotations

from typing import Any

from shapes import made

from caxton.cli.output.market_tally import MarketTally
from caxton.cli.output.message_lines import MessageLines
from caxton.schemas.messages import MessageBody


def stored(
    seq: int,
    sender: str,
    act: str,
    to: list[str],
    content: Any = None,
    conversation: str = "market-1",
    **more: Any,
) -> MessageBody:
    message = {
        "performative": act,
        "sender": f"{sender}@local",
        "receiver": [f"{name}@local" for name in to],
        "conversation_id": conversation,
        "protocol": more.pop("protocol", "fipa-contract-net"),
    }
    if content is not None:
        message["content"] = content
    fields = {
        "seq": seq,
        "at": f"2026-01-31T12:00:00.{seq:03d}000Z",
        "redelivered": False,
        "message": message,
        **more,
    }
    return made(MessageBody, fields)


def lines(*messages: MessageBody, **options: Any) -> list[str]:
    out: list[str] = []
    sequence = MessageLines(out.append, colour=False, **options)
    for message in messages:
        sequence.message(message)
    return out


def test_a_conversation_has_a_heading_and_times_from_its_first_message() -> None:
    out = lines(
        stored(1, "buyer", "cfp", ["ann", "bob"], {"item": "book"}),
        stored(3, "ann", "propose", ["buyer"], {"price": 42}),
    )
    assert out == [
        "",
        "market-1  fipa-contract-net",
        '     +0 µs buyer       cfp             → ann, bob    {"item":"book"}',
        '   +2.0 ms ann         propose         → buyer       {"price":42}',
    ]


def test_another_conversation_gets_another_heading() -> None:
    out = lines(
        stored(1, "a", "inform", ["b"]),
        stored(2, "a", "inform", ["b"], conversation="other"),
        stored(3, "a", "inform", ["b"]),
    )
    assert [line for line in out if line and not line.startswith(" ")] == [
        "market-1  fipa-contract-net",
        "other  fipa-contract-net",
        "market-1  fipa-contract-net",
    ]
    assert out[-1].startswith("   +2.0 ms")


def test_content_is_cut_to_the_width() -> None:
    out = lines(stored(1, "a", "inform", ["b"], "x" * 500), width=90, headings=False)
    assert len(out[0]) <= 90
    assert out[0].endswith("…")


def test_dead_letters_redelivery_and_turns_are_marked() -> None:
    turn = {"agent": "bob", "turn_us": 45, "fuel": 1234, "status": "ok"}
    trapped = {"agent": "cleo", "turn_us": 9, "fuel": 7, "status": "trap"}
    dead = {"agent": "cleo", "code": "turn_trapped", "reason": "unreachable\x1b[2J"}
    out = lines(
        stored(
            1, "a", "inform", ["bob", "cleo"], turns=[turn, trapped], dead_letters=[dead], redelivered=True
        ),
        headings=False,
        turns=True,
    )
    assert out[0].endswith("redelivered  [bob: 45 µs, 1,234 fuel]  [cleo: 9 µs, 7 fuel, trap]")
    assert out[1].strip() == "✗ cleo: turn_trapped: unreachable\\x1b[2J"


def test_names_and_acts_of_a_guest_cannot_move_the_cursor() -> None:
    out = lines(stored(1, "a\x1b[1A", "inform\r", ["b\x07"], "\x9b2J", conversation="c\x1b]0;x\x07"))
    assert all(line.isprintable() for line in out)


def test_the_ledger_counts_what_happened_and_hides_the_clockwork() -> None:
    tally = MarketTally()
    shown = [
        tally.add(message)
        for message in (
            stored(1, "operator", "request", ["buyer"], conversation="c-1", protocol="fipa-request"),
            stored(2, "buyer", "request", ["timer"], conversation="market-1-wait", protocol="fipa-request"),
            stored(3, "buyer", "cfp", ["ann", "bob"]),
            stored(4, "ann", "propose", ["buyer"], {"price": 42}),
            stored(5, "bob", "refuse", ["buyer"]),
            stored(6, "buyer", "accept-proposal", ["ann"], {"price": 42}),
            stored(7, "ann", "inform", ["buyer"]),
            stored(8, "buyer", "cfp", ["ann"], conversation="market-2"),
            stored(9, "ann", "propose", ["buyer"], {"price": 40}, conversation="market-2"),
            stored(10, "buyer", "accept-proposal", ["ann"], {"price": 40}, conversation="market-2"),
            stored(11, "ann", "failure", ["buyer"], conversation="market-2"),
        )
    ]
    assert shown == [True, False] + [True] * 9
    assert tally.messages == 11
    assert tally.outcomes() == "1 of 2 bought for 42; 2 proposals, 1 refusal, 1 failure"
    assert tally.sellers() == "ann 1 for 42"
    assert tally.kinds() == "3: 2 fipa-contract-net, 1 fipa-request"
    assert round(tally.last_s - tally.first_s, 3) == 0.01
