"""XML messages: what other platforms write is taken, what could reach outside or has no meaning is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from caxton.acl.full_message import read_json, write_json
from caxton.acl.xml import read_xml, write_xml
from caxton.errors import InvalidMessage


def value(inside: str, attributes: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        write_json(read_xml(f'<fipa-message act="inform"{attributes}>{inside}</fipa-message>'.encode()))
    )
    del found["performative"]
    return found


AGENT = '<agent-identifier><name id="a@x"/></agent-identifier>'
TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "text": (
        "<language> fipa-sl\n</language><content> a\n </content>",
        {"language": "fipa-sl", "content": " a\n "},
    ),
    "escapes": ("<content>&lt;a&#x41;&amp;<![CDATA[<]]></content>", {"content": "<aA&<"}),
    "a comment": ("<!-- x --><ontology>o</ontology>", {"ontology": "o"}),
    "an id as element": ("<conversation-id>c-1</conversation-id>", {"conversation_id": "c-1"}),
    "agents in one element": (f"<receiver>{AGENT}{AGENT}</receiver>", {"receiver": ["a@x", "a@x"]}),
    "an element for each agent": (
        f"<reply-to>{AGENT}</reply-to><reply-to>{AGENT}</reply-to>",
        {"reply_to": ["a@x", "a@x"]},
    ),
    "an agent in full": (
        '<sender><agent-identifier><name id="a"/><addresses><url href="http://a:1/acc"/></addresses>'
        f'<resolvers>{AGENT}</resolvers><user-defined href="X-k">v</user-defined></agent-identifier></sender>',
        {"sender": {"name": "a", "addresses": ["http://a:1/acc"], "resolvers": ["a@x"], "x_k": "v"}},
    ),
    "a time": ('<reply-by time="+00000000T000005000"/>', {"reply_by": "5s"}),
    "one's own": (
        '<user-defined href="X-a">1</user-defined><user-defined href="x-b" type="json">1</user-defined><X-c>2</X-c>',
        {"x_a": "1", "x_b": 1, "x_c": "2"},
    ),
    "a namespace": ('<content xml:space="preserve" xmlns:a="b">c</content>', {"content": "c"}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_may_stand_in_a_message(name: str) -> None:
    inside, meant = TAKEN[name]
    assert value(inside) == meant


def test_the_id_as_attribute_and_the_act_in_any_case() -> None:
    message = read_xml(b'<?xml version="1.0"?>\n<fipa-message act="CFP" conversation-id="c 1"/>')
    assert json.loads(write_json(message)) == {"performative": "cfp", "conversation_id": "c 1"}


MESSAGE = '<fipa-message act="inform">'
REFUSED: dict[str, tuple[str | bytes, int, str]] = {
    "nothing": ("", 1, "well-formed XML"),
    "no end": (f"{MESSAGE}\n<content>", 2, "well-formed XML"),
    "a document type": (f"<!DOCTYPE fipa-message>\n{MESSAGE}</fipa-message>", 1, "document type"),
    "a bomb": (
        '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + f"{MESSAGE}<content>&b;</content></fipa-message>",
        1,
        "document type",
    ),
    "a file": (
        '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        f"{MESSAGE}<content>&f;</content></fipa-message>",
        1,
        "document type",
    ),
    "a document type elsewhere": (f'<!DOCTYPE a SYSTEM "http://x/a.dtd">{MESSAGE}</fipa-message>', 1, "document type"),
    "an unknown entity": (f"{MESSAGE}\n<content>&f;</content></fipa-message>", 2, "well-formed XML"),
    "an instruction": (f'<?xml-stylesheet href="http://x/"?>{MESSAGE}</fipa-message>', 1, "instruction"),
    "content elsewhere": (f'{MESSAGE}\n<content href="http://x/"/></fipa-message>', 2, "the value itself"),
    "another encoding": ('<?xml version="1.0" encoding="latin-1"?>' + f"{MESSAGE}</fipa-message>", 1, "UTF-8"),
    "no UTF-8": (MESSAGE.encode() + b"<content>\xff</content></fipa-message>", 1, "well-formed XML"),
    "another root": ("<message/>", 1, "<fipa-message>"),
    "no act": ("<fipa-message/>", 1, "act"),
    "an act that is none": ('\n<fipa-message act="shout"/>', 2, "22 performatives"),
    "an unknown element": (f"{MESSAGE}\n<contents/></fipa-message>", 2, "<content>"),
    "an unknown attribute": (f'{MESSAGE}\n<content kind="a"/></fipa-message>', 2, "type"),
    "text where none belongs": (f"{MESSAGE}\nhello</fipa-message>", 2, "<content>"),
    "an element in text": (f"{MESSAGE}\n<content><b/></content></fipa-message>", 2, "</content>"),
    "twice": (f"{MESSAGE}<content/>\n<content/></fipa-message>", 2, "once"),
    "two ids": (
        '<fipa-message act="inform" conversation-id="a">\n<conversation-id>b</conversation-id></fipa-message>',
        2,
        "once",
    ),
    "one's own twice": (f"{MESSAGE}<X-a/>\n<X-a/></fipa-message>", 2, "once"),
    "a nameless one": (f"{MESSAGE}\n<user-defined>a</user-defined></fipa-message>", 2, "X-"),
    "an agent without name": (f"{MESSAGE}\n<sender><agent-identifier/></sender></fipa-message>", 2, "<name>"),
    "two senders": (f"{MESSAGE}\n<sender>{AGENT}{AGENT}</sender></fipa-message>", 2, "one <agent-identifier>"),
    "an empty name": (f"{MESSAGE}\n<sender>{AGENT.replace('a@x', '')}</sender></fipa-message>", 2, "a name"),
    "no time": (f'{MESSAGE}\n<reply-by time="soon"/></fipa-message>', 2, "date-time"),
    "no JSON": (f'{MESSAGE}\n<X-a type="json">{{</X-a></fipa-message>', 2, "JSON"),
    "no JSON string": (f'{MESSAGE}\n<ontology type="json">1</ontology></fipa-message>', 2, "JSON string"),
    "JSON content that is none": (
        f"{MESSAGE}<language>json</language>\n<content>a</content></fipa-message>", 2, "JSON",
    ),
    "two messages": (f"<conversation>{2 * (MESSAGE + '</fipa-message>')}</conversation>", 1, "one message"),
    "endless resolvers": (MESSAGE + "\n<sender>" + "<agent-identifier><resolvers>" * 10_000, 2, "deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_place_in_one_is_refused_with_its_place(name: str) -> None:
    text, line, expected = REFUSED[name]
    with pytest.raises(InvalidMessage) as caught:
        read_xml(text.encode() if isinstance(text, str) else text)
    details = caught.value.details
    assert details["line"] == line, caught.value.message
    assert details["column"] >= 1
    assert expected in details["expected"], caught.value.message


def test_what_xml_cannot_hold_is_json_inside_it() -> None:
    fields = {
        "performative": "inform",
        "content": "\x01",
        "reply_with": " a",
        "conversation_id": "\x02",
        "x_a": "\ufffe",
    }
    message = read_json(json.dumps(fields).encode())
    text = write_xml(message)
    assert '<content type="json">"\\u0001"</content>' in text
    assert '<reply-with type="json">" a"</reply-with>' in text
    assert read_xml(text.encode()) == message
