"""A message is the same after it was written in any form and read again, for all 22 acts and everything they carry."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given

from caxton.acl import Performative, read_draft
from caxton.acl.fipa_string import read_string, read_string_messages, write_string
from caxton.acl.full_message import FullMessage, read_json, read_json_messages, write_json
from caxton.acl.xml import read_xml, read_xml_messages, write_xml, write_xml_document

from .messages import MESSAGES

FORMS: dict[str, tuple[Callable[[FullMessage], bytes], Callable[[bytes], FullMessage]]] = {
    "json": (write_json, read_json),
    "fipa-string": (lambda message: write_string(message).encode(), read_string),
    "xml": (lambda message: write_xml(message).encode(), read_xml),
}


@pytest.mark.parametrize("form", FORMS)
@given(message=MESSAGES)
def test_what_was_written_reads_as_the_same_message(form: str, message: FullMessage) -> None:
    write, read = FORMS[form]
    text = write(message)
    again = read(text)
    assert again == message
    assert write(again) == text


@pytest.mark.parametrize("act", list(Performative))
@pytest.mark.parametrize("form", FORMS)
def test_every_act_in_every_form(form: str, act: Performative) -> None:
    write, read = FORMS[form]
    message = read_json(json.dumps({"performative": act, "receiver": "bob", "content": {"n": 1}}).encode())
    assert read(write(message)) == message


@given(message=MESSAGES)
def test_one_form_after_the_other_loses_nothing(message: FullMessage) -> None:
    passed = message
    for write, read in FORMS.values():
        passed = read(write(passed))
    assert json.loads(write_json(passed)) == json.loads(write_json(message))


def test_digits_stay_as_they_were_spelled() -> None:
    line = b'{"performative":"inform","content":{"price":1.50,"n":1E2},"x_n":0.10}'
    for write, read in FORMS.values():
        assert write_json(read(write(read_json(line)))) == line


def test_many_messages_in_one_file() -> None:
    messages = [
        read_json(json.dumps({"performative": "inform", "content": n, "conversation_id": "c"}).encode())
        for n in range(3)
    ]
    assert read_string_messages("\n\n".join(map(write_string, messages)).encode()) == messages
    assert read_xml_messages(write_xml_document(messages).encode()) == messages
    assert read_json_messages(b"\n".join(map(write_json, messages))) == messages
    assert read_json_messages(b"[" + b",".join(map(write_json, messages)) + b"]") == messages
    assert (
        read_json_messages(json.dumps(json.loads(write_json(messages[0])), indent=2).encode()) == messages[:1]
    )


def test_a_draft_carries_what_is_known_of_agents_and_the_full_message_has_it_in_place() -> None:
    line = json.dumps(
        {
            "performative": "request",
            "receiver": ["ann", {"name": "bob", "addresses": ["http://there:7778/acc"]}],
            "reply_to": {"name": "bob", "addresses": ["http://there:7778/acc"]},
        }
    ).encode()
    draft = read_draft(line)
    assert draft.receiver == ["ann", "bob"]
    assert draft.reply_to == ["bob"]
    assert draft.extensions is not None
    carried = bytes(draft.extensions["x_agents"])
    assert json.loads(carried) == [{"name": "bob", "addresses": ["http://there:7778/acc"]}]
    stored = b'{"performative":"request","receiver":["ann@local","bob@local"],"x_agents":' + carried + b"}"
    assert [agent.addresses for agent in read_json(stored).receiver] == [(), ("http://there:7778/acc",)]
    assert read_json(stored).extensions == {}


def test_what_is_known_of_a_stranger_stays_beside() -> None:
    stored = (
        b'{"performative":"inform","receiver":["a@x","a@y"],"x_agents":[{"name":"a","addresses":["u"]},"z"]}'
    )
    message = read_json(stored)
    assert [agent.addresses for agent in message.receiver] == [(), ()]
    assert msgspec.json.decode(message.extensions["x_agents"]) == [{"name": "a", "addresses": ["u"]}, "z"]
