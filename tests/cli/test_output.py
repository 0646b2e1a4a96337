"""Printing: aligned, cut, coloured only where wanted, and nothing obeyed by the terminal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.cli.commands.df import _property
from caxton.cli.input.json_argument import json_argument
from caxton.cli.options import Format
from caxton.cli.output import printing as output
from caxton.errors import ConfigurationError
from caxton.presentation.json_line import compact


@given(st.text())
def test_safe_text_has_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = output.safe(text)
    assert all(c.isprintable() or c in "\u200c\u200d" or "\U000e0030" <= c <= "\U000e007f" for c in shown)
    assert all(c in shown for c in text if c.isprintable())


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England's flag
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian
        "\u0915\u094d\u200d\u0937",  # Hindi
        "e\u0301 \u05e9\u05dc\u05d5\u05dd",
    ],
)
def test_safe_leaves_what_makes_one_sign_of_several(text: str) -> None:
    assert output.safe(text) == text


def test_safe_shows_joiners_that_could_hide_in_a_name() -> None:
    assert output.safe("sel\u200dler \u0441\u200d\u0435 \u200d\U0001f308 x\U000e0067\U000e007f") == (
        "sel\\u200dler \u0441\\u200d\u0435 \\u200d\U0001f308 x\\U000e0067\\U000e007f"
    )


def test_safe_shows_escapes_by_their_number() -> None:
    assert output.safe("a\x1b[31mb\u202ec\n") == "a\\x1b[31mb\\u202ec\\n"


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_json_for_a_terminal_is_still_the_same_json(value: dict[str, object]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr(output, "say", said.append)
        output.document(value, Format.JSONL)
    assert json.loads(said[0]) == value
    assert not any("\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" or c < " " for c in said[0])


def test_columns_are_aligned_and_numbers_stand_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    lines = output.table(
        [("echo", 5, "1.5", "x"), ("relay-12", 1234, "25%", None)],
        [
            ("NAME", lambda row: row[0]),
            ("TURNS", lambda row: row[1]),
            ("RATE", lambda row: row[2]),
            ("LAST", lambda row: row[3]),
        ],
    )
    assert lines == ["NAME      TURNS  RATE  LAST", "echo          5   1.5  x", "relay-12   1234   25%  -"]


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colour_only_where_it_is_wanted(
    environment: dict[str, str], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert output.colour_wanted() is wanted
    (_, line) = output.table(["running"], [("STATE", str)])
    assert ("\x1b[32m" in line) is wanted
    (_, line) = output.table(["running"], [("STATE", str)], lambda state: "red")
    assert ("\x1b[31m" in line) is wanted


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [
        (45e-6, "45 µs"),
        (0.0015, "1.5 ms"),
        (0.25, "250 ms"),
        (8.21, "8.2 s"),
        (200, "3 min"),
        (7500, "2 h 5 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations_in_words(duration_s: float, words: str) -> None:
    assert output.span(duration_s) == words


@pytest.mark.parametrize(
    ("count", "words"), [(14, "14 B"), (1536, "1.5 KiB"), (3 * 1024**3, "3.0 GiB"), (None, "-")]
)
def test_sizes_in_words(count: int | None, words: str) -> None:
    assert output.size(count) == words


def test_a_long_content_is_cut() -> None:
    assert compact({"a": "x" * 100}, 12) == '{"a":"xxxxx…'


@pytest.mark.parametrize("output_format", list(Format))
def test_a_listing_in_each_format(output_format: Format, capsys: pytest.CaptureFixture[str]) -> None:
    items = [{"n": 1}, {"n": 2}]
    output.listing(items, output_format, [("N", lambda row: row["n"])], "nothing")
    out = capsys.readouterr().out
    expected = {
        Format.TEXT: "N\n1\n2\n",
        Format.JSON: json.dumps(items, indent=2) + "\n",
        Format.JSONL: '{"n":1}\n{"n":2}\n',
    }
    assert out == expected[output_format]


def test_an_empty_listing_is_talk_not_data(capsys: pytest.CaptureFixture[str]) -> None:
    output.listing([], Format.TEXT, [("N", lambda row: row["n"])], "nothing here")
    seen = capsys.readouterr()
    assert (seen.out, seen.err) == ("", "nothing here\n")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"a": ["\\ud800"]}', "half of a surrogate pair"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ("[" * 100 + "]" * 100, "nested deeper"),
        ("9" * 5_000, "too many digits"),
        ("NaN", "NaN is not JSON"),
        ("[1, 2", "--content: it is not JSON"),
        ("\udcff", "not valid UTF-8"),
    ],
)
def test_what_no_message_can_hold_is_refused_before_it_is_sent(text: str, rule: str) -> None:
    with pytest.raises(ConfigurationError, match=rule):
        json_argument(text, "--content")


def test_what_a_message_can_hold_is_taken_as_it_is() -> None:
    assert json_argument('"\\ud83d\\ude00"', "--content") == "\U0001f600"
    assert json_argument('{"a": [1, 2.5, null]}', "--content") == {"a": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("said", "value"), [("price=40", 40), ("color=red", "red"), ('x="a"', "a"), ("id=-", "-")]
)
def test_a_property_is_json_or_text(said: str, value: object) -> None:
    assert _property(said) == {"name": said.split("=")[0], "value": value}


def test_a_property_that_no_message_can_hold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="nested deeper"):
        _property("x=" + "[" * 5_000 + "]" * 5_000)
    with pytest.raises(ConfigurationError, match="too many digits"):
        _property("x=" + "9" * 5_000)
