"""What a turn says, made comparable: as the bus would have it, without what the host gives."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from caxton.acl import Message, Performative
from caxton.bus.turn_output import TurnRefused
from caxton.limits import Limits
from caxton.replay import comparable, read_said

ASKED = Message(
    "0",
    Performative.REQUEST,
    "operator@local",
    ["c@local"],
    "talk",
    "t",
    "s",
    5,
    reply_with="r",
    language="l",
)


def said(
    *lines: dict[str, Any], asked: Message = ASKED, limits: Limits | None = None
) -> list[dict[str, Any]]:
    output = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return [
        one.form for one in read_said(output, len(lines), asked, "c@local", limits or Limits(), 1_000_000)
    ]


def test_a_reply_takes_from_the_message_in_hand_what_it_does_not_say() -> None:
    assert said({"performative": "inform", "content": {"a": 1}}) == [
        {
            "performative": "inform",
            "receiver": ["operator@local"],
            "conversation_id": "talk",
            "content": {"a": 1},
            "in_reply_to": "r",
            "language": "l",
        }
    ]


def test_reply_to_is_where_a_reply_goes() -> None:
    asked = msgspec.structs.replace(ASKED, reply_to=["a@local", "b@local"])
    assert said({"performative": "inform"}, asked=asked)[0]["receiver"] == ["a@local", "b@local"]


def test_a_recorded_message_and_the_same_message_now_are_alike() -> None:
    line = {
        "performative": "cfp",
        "receiver": ["x", "y@far"],
        "protocol": "fipa-contract-net",
        "reply_by": "2s",
        "x_note": [1],
    }
    stored = {
        "id": "1", "performative": "cfp", "sender": "c@local", "receiver": ["x@local", "y@far"],
        "conversation_id": "c-0123456789abcdef", "trace_id": "t", "span_id": "u", "timestamp": 9,
        "protocol": "fipa-contract-net", "reply_by": "2026-01-01T00:00:00Z", "x_note": [1],
    }  # fmt: skip
    assert said(line) == [comparable(stored, "talk")]


def test_a_conversation_id_of_the_guests_own_is_compared() -> None:
    assert (
        said({"performative": "inform", "receiver": "x", "conversation_id": "mine"})[0]["conversation_id"]
        == "mine"
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"performative": "inform", "sender": "other"}, "foreign_sender"),
        ({"performative": "sing"}, "invalid_message"),
        ({"performative": "inform", "receiver": ["a", "b", "c"]}, "invalid_message"),
        ({"performative": "inform", "content": "x" * 300}, "message_bytes"),
    ],
)
def test_what_the_bus_refuses_is_refused(line: dict[str, Any], code: str) -> None:
    with pytest.raises(TurnRefused) as caught:
        said(line, limits=Limits(receivers=2, message_bytes=256))
    assert caught.value.code == code


def test_a_turn_that_says_nothing() -> None:
    assert read_said(b"", 0, ASKED, "c@local", Limits(), 0) == []
