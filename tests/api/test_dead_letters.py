"""Dead letters are brought back, changed or put away, each once."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from caxton.client import Client
from caxton.errors import InvalidFilter, InvalidState, MessageNotFound
from caxton.example_modules import module

TRAP = {"trap": True}


@pytest.fixture
def parser(caxton: Client) -> Generator[str]:
    """An agent that traps where it is told to."""
    caxton.deploy("parser", module("rogue"))
    yield "parser"
    caxton.remove_agent("parser")


def ask(
    caxton: Client, content: object, *, conversation: str | None = None, protocol: str | None = None
) -> int:
    wish = {"performative": "request", "receiver": "parser", "content": content, "protocol": protocol}
    answer = caxton.send({**wish, "conversation_id": conversation}, wait_s=10)
    return int(answer.seq)


def waiting(caxton: Client) -> list[int]:
    return [one.seq for one in caxton.dead_letters(agent="parser", waiting=True)]


def test_they_are_delivered_again_each_once_and_in_order(caxton: Client, parser: str) -> None:
    seqs = [ask(caxton, {"trap": True, "n": n}) for n in range(3)]
    assert waiting(caxton) == seqs[::-1]
    assert {one.code for one in caxton.dead_letters(agent="parser", waiting=True)} == {"unreachable"}
    caxton.deploy("parser", module("echo"), fresh_state=True)
    gone = caxton.redeliver({"agent": "parser"})
    assert [one.seq for one in gone.done] == seqs
    assert gone.kept == []
    for seq, one in zip(seqs, gone.done, strict=True):
        old, new = caxton.message(str(seq)), caxton.message(str(one.went_on))
        assert new.message.json["x_redelivers"] == old.message.id
        assert (new.cause, new.message.content) == (seq, old.message.content)
        assert new.message.conversation_id == old.message.conversation_id == one.conversation_id
    assert waiting(caxton) == []
    (ended,) = caxton.dead_letters(seq=seqs[0])
    assert (ended.ended, ended.went_on) == ("redelivered", gone.done[0].went_on)
    with pytest.raises(InvalidState, match=f"message {seqs[0]} was redelivered already as message"):
        caxton.redeliver({"seqs": [seqs[0]]})
    assert caxton.redeliver({"agent": "parser"}).done == []


def test_a_filter_and_a_reason_choose(caxton: Client, parser: str) -> None:
    first, second = ask(caxton, {"trap": True, "word": "needle"}), ask(caxton, {"trap": True, "word": "hay"})
    assert [one.seq for one in caxton.drop_dead_letters({"agent": "parser", "filter": "needle"}).done] == [
        first
    ]
    assert waiting(caxton) == [second]
    assert caxton.drop_dead_letters({"agent": "parser", "code": "fuel"}).done == []
    unreachable = {"agent": "parser", "code": "unreachable"}
    assert [one.seq for one in caxton.drop_dead_letters(unreachable).done] == [second]
    with pytest.raises(InvalidFilter):
        caxton.redeliver({"filter": '~"['})
    with pytest.raises(InvalidState, match="which dead letters are meant"):
        caxton.redeliver({})
    with pytest.raises(MessageNotFound, match="message 1 is no dead letter"):
        caxton.redeliver({"seqs": [1]})


def test_one_is_changed_on_its_way(caxton: Client, parser: str) -> None:
    seq = ask(caxton, TRAP, conversation="mended")
    (gone,) = caxton.redeliver({"seqs": [seq], "content": "fine"}).done
    assert caxton.message(str(gone.went_on)).message.content == "fine"
    ask(caxton, "behind it")
    said = caxton.messages(conversation="mended")
    assert [one.message.content for one in said][-2:] == ["fine", "fine"], "and it is answered"
    two = [ask(caxton, TRAP), ask(caxton, TRAP)]
    with pytest.raises(InvalidState, match="2 dead letters are meant"):
        caxton.redeliver({"seqs": two, "content": 1})
    caxton.drop_dead_letters({"seqs": two})


def test_what_cannot_be_delivered_now_either_stays(caxton: Client, parser: str) -> None:
    seq = ask(caxton, TRAP)
    caxton.change_agent("parser", "stop")
    (kept,) = caxton.redeliver({"seqs": [seq]}).kept
    assert (kept.seq, kept.reason) == (seq, "parser is stopped")
    assert waiting(caxton) == [seq]
    caxton.change_agent("parser", "start")
    caxton.drop_dead_letters({"seqs": [seq]})


def test_what_failed_by_a_protocol_begins_anew(caxton: Client, parser: str) -> None:
    seq = ask(caxton, TRAP, conversation="by-protocol", protocol="fipa-request")
    (gone,) = caxton.redeliver({"seqs": [seq], "content": "fine"}).done
    assert gone.conversation_id != "by-protocol"
    assert caxton.message(str(gone.went_on)).message.protocol == "fipa-request"
