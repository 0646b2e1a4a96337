"""What waits for an agent: shown in its order, and emptied."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.client import Client
from caxton.errors import AgentNotFound, InvalidFilter
from caxton.example_modules import module


def tell(caxton: Client, content: object, **more: Any) -> int:
    return int(caxton.send({"performative": "inform", "receiver": "slow", "content": content, **more}).seq)


def test_mail_is_listed_in_its_order_and_purged(caxton: Client) -> None:
    caxton.deploy("slow", module("echo"))
    caxton.change_agent("slow", "suspend")
    first, second = tell(caxton, "a"), tell(caxton, "b", conversation_id="asks", reply_with="r-1")
    urgent = tell(caxton, "now", x_priority="urgent")
    mail = caxton.mailbox("slow")
    assert [(one.place, one.seq, one.urgent, one.in_cell) for one in mail] == [
        (1, urgent, True, False),
        (2, first, False, False),
        (3, second, False, False),
    ]
    assert [one.seq for one in caxton.mailbox("slow", filter="conv:asks")] == [second]
    assert caxton.purge("slow", filter="conv:asks", reason="it was withdrawn").purged == 1
    (told,) = caxton.messages(conversation="asks", agent="ams")
    assert (told.message.performative, told.message.json["in_reply_to"]) == ("failure", "r-1")
    assert "it was withdrawn" in str(told.message.content)
    (letter,) = caxton.dead_letters(seq=second)
    assert (letter.code, letter.reason) == ("purged", "it was withdrawn")
    assert caxton.purge("slow").purged == 2
    assert caxton.mailbox("slow") == []
    assert caxton.purge("slow").purged == 0
    caxton.change_agent("slow", "resume")
    caxton.remove_agent("slow")


def test_what_is_wrong_is_named(caxton: Client) -> None:
    with pytest.raises(AgentNotFound):
        caxton.mailbox("nobody")
    caxton.deploy("slow", module("echo"))
    with pytest.raises(InvalidFilter):
        caxton.purge("slow", filter="nowhere:x")
    caxton.remove_agent("slow")
