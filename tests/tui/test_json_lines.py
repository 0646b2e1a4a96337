"""A content as lines: what they say, which path each has, and what is left where something is folded."""

from __future__ import annotations

import pytest

from caxton import exact_numbers
from caxton_tui.model.json_lines import containers, json_lines
from caxton_tui.widgets.tables.columns import marked, wrapped

VALUE = exact_numbers.decode(
    b'{"items": [{"price": 1.10, "ok": true}, []], "two words": null, "text": "a\\nb \\u001b[31m"}'
)


def test_each_line_has_its_path_and_its_value() -> None:
    lines = list(json_lines(VALUE))
    assert [(line.text, line.path) for line in lines] == [
        ("{", "."),
        ('  "items": [', ".items"),
        ("    {", ".items[0]"),
        ('      "price": 1.10,', ".items[0].price"),
        ('      "ok": true', ".items[0].ok"),
        ("    },", ".items[0]"),
        ("    []", ".items[1]"),
        ("  ],", ".items"),
        ('  "two words": null,', '.["two words"]'),
        (r'  "text": "a\nb \u001b[31m"', ".text"),
        ("}", "."),
    ]
    # pretty JSON is what it is, sign for sign
    assert exact_numbers.decode("".join(line.text for line in lines).encode()) == VALUE
    assert exact_numbers.text(lines[3].value) == "1.10"
    assert {kind for line in lines for _, kind in line.parts if kind} == {"name", "number", "word", "text"}


def test_what_is_folded_is_counted() -> None:
    assert [line.text for line in json_lines(VALUE, {".items"})][1] == '  "items": […],  2 items'
    assert [line.text for line in json_lines(VALUE, {"."})] == ["{…}  3 members"]
    assert containers(VALUE) == {".items", ".items[0]"}


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("abcdef", 4, ["abcd", "ef"]),
        ("日本語", 5, ["日本", "語"]),
        ("日本", 1, ["日", "本"]),
        ("ae\u0301o\u0308x", 2, ["ae\u0301", "o\u0308x"]),
        (
            "a\U0001f468\u200d\U0001f469\u200d\U0001f467b",
            3,
            ["a\U0001f468\u200d\U0001f469\u200d\U0001f467", "b"],
        ),
        ("", 4, [""]),
    ],
)
def test_lines_break_between_whole_characters(text: str, room: int, lines: list[str]) -> None:
    assert ["".join(said for said, _ in line) for line in wrapped([(text, "")], room)] == lines


def test_what_is_sought_is_a_piece_of_its_own() -> None:
    assert marked([("Book or book", "dim")], "book", "found") == [
        ("Book", "found"),
        (" or ", "dim"),
        ("book", "found"),
    ]
