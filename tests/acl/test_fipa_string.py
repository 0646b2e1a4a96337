"""FIPA strings: what the grammar allows is taken as it means, what it does not is refused with its place."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from caxton.acl.fipa_string import read_string, write_string
from caxton.acl.full_message import read_json, write_json
from caxton.errors import InvalidMessage


def value(text: str | bytes) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    found: dict[str, Any] = json.loads(write_json(read_string(data)))
    return found


def said(parameters: str) -> dict[str, Any]:
    found = value(f"(inform {parameters})")
    del found["performative"]
    return found


TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "a word": (":protocol fipa-request", {"protocol": "fipa-request"}),
    "a word with an odd beginning": (":ontology +a", {"ontology": "+a"}),
    "words with marks": (':ontology a#1-@"x', {"ontology": 'a#1-@"x'}),
    "any case": (":PROTOCOL a :Reply-With b", {"protocol": "a", "reply_with": "b"}),
    "any order": (":ontology o :content c :language l", {"ontology": "o", "content": "c", "language": "l"}),
    "no spaces": (':content"a":language"b"', {"content": "a", "language": "b"}),
    "an empty string": (':language ""', {"language": ""}),
    "an escaped quote": (r':content "say \"hi\""', {"content": 'say "hi"'}),
    "a lone backslash": (r':content "a\b\\c"', {"content": r"a\b\\c"}),
    "a backslash before a quote": (r':content "\\""', {"content": r"\""}),
    "lines": (':content "a\n  b"', {"content": "a\n  b"}),
    "other alphabets": (':content "é漢" :ontology ö', {"content": "é漢", "ontology": "ö"}),
    "announced length": (':content #8"(a "b\\")', {"content": '(a "b\\")'}),
    "announced length in bytes": (':content #3"é":language x', {"content": 'é"', "language": "x"}),
    "announced nothing": (':content #0"', {"content": ""}),
    "a quoted id": (':conversation-id "6f1c-1"', {"conversation_id": "6f1c-1"}),
    "a number as text": (":reply-with 42", {"reply_with": "42"}),
    "an expression as text": (":language (a  b)", {"language": "(a  b)"}),
    "content without quotes": (':content ((a "(") b)', {"content": '((a "(") b)'}),
    "nobody": (":receiver (set)", {}),
    "one without its set": (":receiver (agent-identifier :name a)", {"receiver": ["a"]}),
    "sets": (
        ":receiver (SET (agent-identifier :name a) (Agent-Identifier :NAME b@c)) "
        ":reply-to (set (agent-identifier :name d))",
        {"receiver": ["a", "b@c"], "reply_to": ["d"]},
    ),
    "an agent in full": (
        ":sender (agent-identifier :X-k (1 a) :resolvers (sequence (agent-identifier :name r)) "
        ':addresses (sequence http://a:1/acc "iiop://(b)") :name Bob@Host:1099/JADE)',
        {
            "sender": {
                "name": "Bob@Host:1099/JADE",
                "addresses": ["http://a:1/acc", "iiop://(b)"],
                "resolvers": ["r"],
                "x_k": [1, "a"],
            }
        },
    ),
    "an absolute time": (":reply-by 20020314T091400500Z", {"reply_by": "2002-03-14T09:14:00.500000Z"}),
    "five seconds": (":reply-by +00000000T000005000", {"reply_by": "5s"}),
    "five seconds ago": (":reply-by -00000000T000005000", {"reply_by": "-5s"}),
    "a year and a day ago": (":reply-by -00010001T000000000", {"reply_by": "-366d"}),
    "now": (":reply-by -00000000T000000000", {"reply_by": "0s"}),
    "a month and a day": (":reply-by +00000101T000000000", {"reply_by": "31d"}),
    "milliseconds": (":reply-by +00000000T000000001", {"reply_by": "1ms"}),
    "one's own": (
        ':x-a b :X-B "c d" :X-JADE-Trace true :x-n -1.50e3 :x-d 20020314T091400500Z',
        {"x_a": "b", "x_B": "c d", "x_JADE-Trace": True, "x_n": -1500.0, "x_d": "20020314T091400500Z"},
    ),
    "one's own expression": (
        ':x-e (a (b "c" ()) 007 +5 .5 1. :f #2"))g)',
        {"x_e": ["a", ["b", "c", []], 7, 5, 0.5, 1.0, ":f", "))", "g"]},
    ),
    "one's own JSON": (':x-o (json "{\\"a\\": 1}")', {"x_o": {"a": 1}}),
    "what only looks like JSON": (':x-o (json "{")', {"x_o": ["json", "{"]}),
    "JSON content": (':content "{\\"a\\": 1}" :language JSON', {"content": {"a": 1}, "language": "JSON"}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_the_grammar_allows_means(name: str) -> None:
    text, meant = TAKEN[name]
    assert said(text) == meant
    again = write_string(read_string(f"(inform {text})".encode()))
    assert write_string(read_string(again.encode())) == again


def test_the_act_is_read_in_any_case() -> None:
    assert value("\n(\tACCEPT-Proposal\n)\n")["performative"] == "accept-proposal"


REFUSED: dict[str, tuple[str | bytes, int, int, str]] = {
    "nothing": ("", 1, 1, "("),
    "no bracket": ("request", 1, 1, "("),
    "no act": ("()", 1, 2, "performative"),
    "an act that is none": ("(inform-done)", 1, 2, "22 performatives"),
    "no end": ("(inform\n  :content a", 2, 13, ")"),
    "something after it": ("(inform) x", 1, 10, "nothing after"),
    "no parameter": ("(inform\n content)", 2, 2, "a parameter"),
    "no value": ("(inform :content)", 1, 17, "a string"),
    "a parameter as value": ("(inform :language :content a)", 1, 19, "a word"),
    "an unknown parameter": ("(inform :recever a)", 1, 9, ":receiver"),
    "a nameless one": ("(inform :x- a)", 1, 9, ":X-"),
    "twice": ("(inform :content a\n :Content b)", 2, 2, "once"),
    "one's own twice": ("(inform :x-a 1 :X-a 2)", 1, 16, "once"),
    "a string without end": ('(inform\n :content "a\\")', 2, 11, "ends with"),
    "more announced than there is": ('(inform :content #99"abc")', 1, 18, "99 bytes"),
    "less than nothing announced": ('(inform :content #-1"a")', 1, 18, "announced length"),
    "half a character announced": ('(inform :content #1"é")'.encode(), 1, 18, "UTF-8"),
    "an id that begins with a digit": ("(inform :conversation-id 6f1c)", 1, 26, "a word"),
    "a word that begins with @": ("(inform :ontology @a)", 1, 19, "a word"),
    "no UTF-8": (b'(inform\n :content "\xff")', 2, 12, "UTF-8"),
    "columns in characters": ('(inform :content "é漢" x)', 1, 23, "a parameter"),
    "a receiver by name": ("(inform :receiver bob)", 1, 19, "agent-identifier"),
    "no set": ("(inform :receiver (list))", 1, 20, "set"),
    "an agent without name": ("(inform :sender (agent-identifier))", 1, 34, ":name"),
    "an agent's slot twice": ("(inform :sender (agent-identifier :name a :name b))", 1, 43, "once"),
    "an agent's unknown slot": ("(inform :sender (agent-identifier :nam a))", 1, 35, ":name"),
    "a name with a space": ('(inform :sender (agent-identifier :name "a b"))', 1, 41, "a name"),
    "no time": ("(inform :reply-by soon)", 1, 19, "date-time"),
    "no such month": ("(inform :reply-by 20021301T000000000Z)", 1, 19, "date-time"),
    "another zone": ("(inform :reply-by 20020314T091400500Q)", 1, 19, "date-time"),
    "no JSON": ('(inform :language json :content "{")', 1, 33, "JSON"),
    "a number too large": ("(inform :x-n 1e999)", 1, 14, "number"),
    "NUL in an id": ('(inform :reply-with "a\0")', 1, 21, "may have"),
    "a long id": (f"(inform :reply-with {'a' * 1025})", 1, 21, "may have"),
    "a name that JSON cannot have": ("(inform :x-a!b 1)", 1, 9, "may have"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_does_not_allow_is_refused_with_its_place(name: str) -> None:
    text, line, column, expected = REFUSED[name]
    with pytest.raises(InvalidMessage) as caught:
        value(text)
    details = caught.value.details
    assert (details["line"], details["column"]) == (line, column), caught.value.message
    assert expected in details["expected"]
    assert caught.value.message.startswith(f"line {line} column {column}: ")
    assert "\n" not in caught.value.message


def test_a_mistyped_act_is_pointed_out() -> None:
    with pytest.raises(InvalidMessage) as caught:
        value("(reqest)")
    assert caught.value.hint == "did you mean 'request'?"


@pytest.mark.parametrize(
    "text",
    [
        b"(inform :x-a " + b"(" * 2_000_000,
        b"(inform :x-a " + b"() " * 600_000,
        b'(inform :content "' + b'\\"' * 1_000_000,
        b'(inform :content "' + b"\\" * 2_000_000,
        b"(inform :sender " + b"(agent-identifier :resolvers (sequence " * 50_000,
        b"(inform " + b":x-a (" * 400_000,
        b"(inform :x-a " + b"9" * 2_000_000,
        b"#" * 2_000_000,
    ],
)
def test_hostile_input_costs_time_in_proportion_to_its_length(text: bytes) -> None:
    began = time.process_time()
    with pytest.raises(InvalidMessage):
        read_string(text)
    assert time.process_time() - began < 10


WRITTEN = {
    "fipa-request": ":protocol fipa-request",
    "6f1c0a52-7d43": ':protocol "6f1c0a52-7d43"',
    "a b": ':protocol "a b"',
    'a"b': r':protocol "a\"b"',
    "a\\": ':protocol #2"a\\',
    "": ':protocol ""',
    "20260131T120000000Z": ':protocol "20260131T120000000Z"',
}


@pytest.mark.parametrize("text", WRITTEN)
def test_words_are_quoted_where_they_must_be(text: str) -> None:
    line = json.dumps({"performative": "inform", "protocol": text}).encode()
    assert write_string(read_json(line)) == f"(inform\n {WRITTEN[text]})"


CONTENTS = [
    ('"hello"', None, ':content "hello"'),
    ('"hello"', "json", ':content "\\"hello\\""\n :language json'),
    ('{"n":1}', "json", ':content "{\\"n\\":1}"\n :language json'),
    ('{"n":1}', None, ':content "{\\"n\\":1}"\n :language json\n :X-caxton-language ()'),
    ('{"n":1}', "mine", ':content "{\\"n\\":1}"\n :language json\n :X-caxton-language mine'),
    ("null", "mine", ":language mine"),
]


@pytest.mark.parametrize(("content", "language", "written"), CONTENTS)
def test_content_and_its_language(content: str, language: str | None, written: str) -> None:
    fields = {"performative": "inform", "content": json.loads(content), "language": language}
    assert write_string(read_json(json.dumps(fields).encode())) == f"(inform\n {written})"


def test_a_kept_time_counts_only_beside_the_time_that_it_was_kept_for() -> None:
    line = b'{"performative":"inform","reply_by":"2026-01-31T12:00:00.123456Z"}'
    text = write_string(read_json(line))
    assert ":reply-by 20260131T120000123Z" in text
    changed = read_string(text.replace("20260131", "20270131").encode())
    assert changed.reply_by == "2027-01-31T12:00:00.123000Z"
