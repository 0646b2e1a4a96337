"""What may be said here, from the messages alone."""

from __future__ import annotations

from shapes import made

from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import iso
from caxton_tui.model.legal_acts import legal_acts

BEGAN_US = 1_700_000_000_000_000


def said(
    seq: int, sender: str, receiver: str, act: str, protocol: str | None = "fipa-request"
) -> MessageBody:
    message = {
        "id": f"m-{seq}",
        "performative": act,
        "sender": f"{sender}@local",
        "receiver": [f"{receiver}@local"],
        "conversation_id": "c",
        "trace_id": "t",
        "span_id": "s",
        "timestamp": BEGAN_US + seq,
    }
    said = message | ({"protocol": protocol} if protocol else {})
    return made(MessageBody, {"at": iso(BEGAN_US + seq), "message": said})


def legal(messages: list[MessageBody], sender: str, receiver: str) -> tuple[str, ...] | None:
    return legal_acts(messages, "c", f"{sender}@local", f"{receiver}@local", BEGAN_US + 1_000)


def test_who_was_asked_may_agree_refuse_or_answer_at_once() -> None:
    messages = [said(1, "buyer", "operator", "request")]
    asked = legal(messages, "operator", "buyer")
    assert asked is not None
    assert {"agree", "refuse", "inform", "failure", "not-understood"} <= set(asked)
    assert "propose" not in asked
    agreed = legal([*messages, said(2, "operator", "buyer", "agree")], "operator", "buyer")
    assert agreed is not None
    assert "refuse" not in agreed
    assert {"inform", "failure"} <= set(agreed)


def test_the_initiator_may_cancel() -> None:
    found = legal([said(1, "operator", "buyer", "request")], "operator", "buyer")
    assert found is not None
    assert "cancel" in found
    assert "inform" not in found


def test_without_a_protocol_anything_may_be_said() -> None:
    assert legal([said(1, "operator", "buyer", "request", None)], "operator", "buyer") is None
    assert legal([], "operator", "buyer") is None
