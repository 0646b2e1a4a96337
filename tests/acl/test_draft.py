"""Reading messages: what is taken, what is refused and in which words, and that the two readers agree."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.acl import Performative, read_draft
from caxton.acl.strict import DEPTH, read_fields
from caxton.errors import InvalidMessage


def line(**fields: Any) -> bytes:
    return json.dumps({"performative": "request", "receiver": "bob", **fields}).encode()


@pytest.mark.parametrize("act", list(Performative))
def test_every_act_of_fipa_is_taken(act: Performative) -> None:
    assert read_draft(line(performative=str(act))).performative is act


def test_there_are_22_acts() -> None:
    assert len(Performative) == 22


REFUSED = {
    "no JSON": (b'{"performative"', "not JSON"),
    "no object": (b"[1]", "a list"),
    "a scalar": (b"3", "a number"),
    "nothing": (b"", "not JSON"),
    "bad UTF-8": (b'{"performative":"request","receiver":"bob","content":"\xff"}', "UTF-8"),
    "bad UTF-8 in a name": (b'{"performative":"request","receiver":"b\xffb"}', "UTF-8"),
    "byte order mark": (b'\xef\xbb\xbf{"performative":"request"}', "not JSON"),
    "NaN": (b'{"performative":"request","receiver":"bob","content":NaN}', "NaN"),
    "Infinity": (b'{"performative":"request","receiver":"bob","content":[-Infinity]}', "Infinity"),
    "a number too large": (b'{"performative":"request","receiver":"bob","content":1e999}', "too large"),
    "too many digits": (
        b'{"performative":"request","receiver":"bob","content":' + b"9" * 5000 + b"}",
        "digits",
    ),
    "half a surrogate pair": (
        b'{"performative":"request","receiver":"bob","content":"\\ud800"}',
        "surrogate",
    ),
    "double key": (b'{"performative":"request","performative":"inform","receiver":"bob"}', "stands twice"),
    "double key in content": (b'{"performative":"request","receiver":"bob","content":{"a":1,"a":2}}', "'a'"),
    "double key deep": (
        b'{"performative":"request","receiver":"bob","content":[{"t":"1:2"},{"b":{"c":1,"c":1}}]}',
        "'c'",
    ),
    "no performative": (b'{"receiver":"bob"}', "no performative"),
    "null performative": (b'{"performative":null,"receiver":"bob"}', "no performative"),
    "unknown performative": (line(performative="infrom"), "not a FIPA performative"),
    "a number as performative": (line(performative=3), "not a FIPA performative"),
    "unknown field": (line(recever="x"), "'recever'"),
    "number as receiver": (line(receiver=3), "receiver must be"),
    "empty receiver list": (line(receiver=[]), "empty list"),
    "bad receiver": (line(receiver="Bob Smith"), "not an agent name"),
    "bad receiver in list": (line(receiver=["ann", "../etc"]), "not an agent name"),
    "bad platform": (line(receiver="bob@"), "not an agent name"),
    "bad sender": (line(sender="a b"), "sender"),
    "number as conversation": (line(conversation_id=7), "conversation_id must be a string"),
    "very long id": (line(conversation_id="c" * 2000), "longer than"),
    "NUL in an id": (line(conversation_id="a\0b"), "NUL"),
    "bad own parameter": (line(x_=1), "not a parameter name"),
    "own parameter with space": (line(**{"x_a b": 1}), "not a parameter name"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_with_one_clear_error(name: str) -> None:
    text, said = REFUSED[name]
    with pytest.raises(InvalidMessage) as caught:
        read_draft(text)
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_a_typing_mistake_is_pointed_out() -> None:
    with pytest.raises(InvalidMessage) as caught:
        read_draft(line(performative="infrom"))
    assert caught.value.hint is not None
    assert "inform" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [(b'{"performative":\n  x}', 2, 3), ('{"x_é":\n "é'.encode() + b"\xff", 2, 4), (b"", 1, 1)],
)
def test_what_is_no_json_is_refused_with_its_place(text: bytes, line: int, column: int) -> None:
    with pytest.raises(InvalidMessage) as caught:
        read_draft(text)
    assert (caught.value.details["line"], caught.value.details["column"]) == (line, column)
    assert caught.value.details["expected"]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_depth_is_bounded(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"

    def nested(depth: int) -> bytes:
        inner = opening * depth + b"1" + closing * depth
        return b'{"performative":"request","receiver":"bob","content":' + inner + b"}"

    assert read_draft(nested(DEPTH - 1)).performative is Performative.REQUEST
    with pytest.raises(InvalidMessage, match="nested deeper"):
        read_draft(nested(DEPTH))
    with pytest.raises(InvalidMessage, match="nested deeper"):
        read_draft(nested(50_000))


def test_brackets_inside_strings_are_not_depth() -> None:
    content = "[" * 500 + '"{' * 100
    draft = read_draft(line(content=content))
    assert msgspec.json.decode(draft.content) == content


def test_own_parameters_are_kept_as_they_are() -> None:
    draft = read_draft(b'{"performative":"inform","receiver":"bob","x_color":{"r": 1.50},"x_n":null}')
    assert draft.extensions
    assert {key: bytes(raw) for key, raw in draft.extensions.items()} == {
        "x_color": b'{"r": 1.50}',
        "x_n": b"null",
    }


def test_what_the_host_sets_is_ignored() -> None:
    draft = read_draft(line(id="whatever", timestamp=1, trace_id="t", span_id="s", redelivered=True))
    assert draft.performative is Performative.REQUEST


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
NAME = st.sampled_from(["bob", "ann@local", "a.b-c@there.example", "Bob", "", "a b"])
TEXT = st.none() | st.text(max_size=12) | st.integers()
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "performative": st.sampled_from([*map(str, Performative), "say", None, 1]),
        "receiver": NAME | st.lists(NAME, max_size=3) | st.none(),
        "reply_to": NAME | st.lists(NAME, max_size=2),
        "sender": NAME,
        "content": JSON,
        "conversation_id": TEXT,
        "reply_with": TEXT,
        "language": TEXT,
        "protocol": TEXT,
        "x_mine": JSON,
        "id": TEXT,
        "unknown": JSON,
    },
)


@given(FIELDS)
def test_the_quick_reader_agrees_with_the_strict_one(fields: dict[str, Any]) -> None:
    text = json.dumps(fields).encode()
    try:
        strictly = read_fields(text)
    except InvalidMessage:
        strictly = None
    try:
        quickly = read_draft(text)
    except InvalidMessage:
        assert strictly is None
        return
    assert strictly is not None
    for key, value in strictly.items():
        if key == "content":
            assert bytes(quickly.content) == bytes(value)
        elif key == "x_":
            assert quickly.extensions is not None
            assert {name: bytes(raw) for name, raw in quickly.extensions.items()} == {
                name: bytes(raw) for name, raw in value.items()
            }
        else:
            assert getattr(quickly, key) == value


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_garbage_is_never_anything_but_an_invalid_message(junk: bytes) -> None:
    for text in (junk, b'{"performative":"inform","content":' + junk + b"}"):
        with contextlib.suppress(InvalidMessage):
            read_draft(text)
