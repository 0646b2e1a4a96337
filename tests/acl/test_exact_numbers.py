"""Decimals keep their digits, from the text that came to the text that goes."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton import exact_numbers
from caxton.cli.input import message_files
from caxton.cli.input.json_argument import json_argument
from caxton.cli.output.json_document import json_document
from caxton.exact_numbers import ExactNumber
from caxton.finding import Filter, MessageSubject
from caxton.presentation.json_line import compact
from caxton.replay.diff import differences
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import Message, decoder

LONG = "0.1234567890123456789012345"
SPELLINGS = ["1.10", LONG, "100000000000000000.5", "1E5", "-0.0", "1.0", "12345678901234567890123.0", "1e400"]

digits = st.text("0123456789", min_size=1, max_size=30)
decimals = st.builds(
    lambda minus, whole, part, power: f"{minus}{int(whole)}.{part}{power}",
    st.sampled_from(["", "-"]), digits, digits, st.sampled_from(["", "e5", "E-7", "e+30"]),
)  # fmt: skip


@given(decimals)
def test_a_decimal_is_written_as_it_was_read(spelling: str) -> None:
    value = exact_numbers.decode(f'{{"n":[{spelling}]}}'.encode())
    assert exact_numbers.encode(value) == f'{{"n":[{spelling}]}}'.encode()
    assert isinstance(value["n"][0], float)
    assert isinstance(value["n"][0] + 1, float)


@given(decimals, decimals)
def test_two_are_equal_when_their_values_are(one: str, other: str) -> None:
    equal = exact_numbers.decimal(one) == exact_numbers.decimal(other)
    assert equal == (Decimal(one) == Decimal(other))
    if equal:
        assert hash(exact_numbers.decimal(one)) == hash(exact_numbers.decimal(other))


def test_it_is_a_float_to_those_who_count() -> None:
    price = ExactNumber("1.10")
    assert price == 1.1
    assert price * 2 == 2.2
    assert price != ExactNumber("1.1000000000000000000001")
    assert copy.deepcopy(price).spelling == pickle.loads(pickle.dumps(price)).spelling == "1.10"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_whatever_shows_a_content_shows_its_digits(spelling: str) -> None:
    message = (
        f'{{"performative":"inform","sender":"a@local","receiver":["b@local"],"content":{{"n":{spelling}}}}}'
    )
    body = decoder(MessageBody).decode(
        f'{{"seq":1,"at":"2026-01-31T12:00:00.000000Z","cause":null,"hops":0,"redelivered":false,"message":{message}}}'.encode()
    )
    content = f'{{"n":{spelling}}}'
    assert compact(body.message.content) == content
    assert json_document(body.message, indented=False) == message
    assert f'"n": {spelling}\n' in json_document(body.message, indented=True)
    assert Filter(f'"{spelling}"').passes(MessageSubject(body.message))


def test_what_is_typed_keeps_its_digits() -> None:
    assert exact_numbers.encode(json_argument(f'{{"n": [1.10, {LONG}]}}', "--content")).decode() == (
        f'{{"n":[1.10,{LONG}]}}'
    )


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "content.json").write_bytes('\ufeff{\r\n"n": 1.10}\r\n'.encode())
    assert exact_numbers.encode(json_argument(f"@{tmp_path / 'content.json'}", "--content")) == b'{"n":1.10}'
    (tmp_path / "m.acl").write_bytes("\ufeff(inform\r\n :receiver (agent-identifier :name b))".encode())
    read = message_files.read(
        message_files.source(str(tmp_path / "m.acl"), "FILE"), message_files.Form.FIPA_STRING, "m.acl"
    )
    assert [one.receiver[0].name for one in read] == ["b"]


def test_a_replay_sees_the_digit_that_a_float_has_not() -> None:
    then, now = (exact_numbers.decode(f'{{"n":{LONG}{end}}}'.encode()) for end in "12")
    (difference,) = differences([then], [now])
    assert str(difference) == f"[0].n: {LONG}1 before, {LONG}2 after"
    assert differences([{"n": ExactNumber("1.10")}], [{"n": 1.1}]) == []


def test_a_message_that_is_shown_is_the_one_that_was_said() -> None:
    said = Message(exact_numbers.decode(b'{"content":1.10}'))
    assert exact_numbers.text(said.json) == '{"content": 1.10}'
