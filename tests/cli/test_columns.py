"""Columns fit the terminal that there is: no line is longer, and what one looks for stays."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from caxton.cli.commands import agent, conv, dead_letter, msg
from caxton.cli.list_view import ListView
from caxton.cli.options import ListFormat
from caxton.cli.output.printing import Columns, table
from caxton.errors import ConfigurationError
from caxton.presentation.cells import cut
from caxton.presentation.times import local_time
from caxton.schemas.daemon import AgentBody
from caxton.schemas.messages import ConversationBody, DeadLetterBody, MessageBody
from caxton.schemas.shape import Message, text_of

T = TypeVar("T")
NOW = datetime.now(UTC)


class Terminal(io.TextIOWrapper):
    """A stdout that is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding, errors="caxton", newline="")

    def isatty(self) -> bool:
        return True

    @property
    def said(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@contextmanager
def in_terminal(width: int = 80, encoding: str = "utf-8") -> Iterator[Terminal]:
    """Stdout is a terminal of that width."""
    found = Terminal(encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", found)
        patch.setenv("COLUMNS", str(width))
        patch.setenv("LINES", "4")
        patch.setenv("NO_COLOR", "1")
        yield found


def drawn(items: Sequence[T], columns: Columns[T], width: int = 80) -> list[str]:
    """The lines of a table in a terminal."""
    with in_terminal(width):
        return table(items, columns)


def message(seq: int, content: object, sender: str = "seller-{}@local") -> MessageBody:
    said = {
        "performative": "accept-proposal",
        "sender": sender.format(seq),
        "receiver": ["operator@local"],
        "content": content,
        "conversation_id": f"6f1c0a52-7d43-8e11-b2aa-{seq:012}",
    }
    return MessageBody(
        seq=seq, at=NOW - timedelta(seconds=seq), cause=None, hops=0, redelivered=False, message=Message(said)
    )


def an_agent(name: str, **more: Any) -> AgentBody:
    body: dict[str, Any] = {
        "name": name, "state": "running", "revision": "a" * 64, "cell": 1, "mailbox": 0, "turns": 1_234,
        "failed_turns": 0, "sent": 5, "memory_kib": 1_536, "restarts": 0, "reason": None, "last_error": None,
    }  # fmt: skip
    return AgentBody(**(_rest(AgentBody) | body | more))


def _rest(kind: Any) -> dict[str, Any]:
    """Something for every field, where a test has no opinion."""
    return dict.fromkeys(kind.__struct_fields__)


def test_messages_fit_80_columns_and_their_content_has_20() -> None:
    lines = drawn([message(n, f"hello number {n} of many") for n in range(10)], msg.COLUMNS)
    assert max(map(cell_len, lines)) <= 80
    assert all(f'"hello number {n} of' in line for n, line in enumerate(lines[1:]))
    assert len(set(lines)) == len(lines)
    assert local_time(NOW) in lines[1]


def test_agents_fit_80_columns_and_an_error_stays() -> None:
    names = ("seller-ann", "seller-bob", "a-very-long-name-of-a-seller-cleo")
    calm = drawn([an_agent(name) for name in names], agent.COLUMNS)
    assert max(map(cell_len, calm)) <= 80
    assert "LAST ERROR" not in calm[0]
    error = "the turn trapped: out of bounds memory access in handle_message"
    bad = drawn([an_agent(names[0], last_error=error), an_agent(names[1], cell=2)], agent.COLUMNS)
    assert max(map(cell_len, bad)) <= 80
    assert "LAST ERROR" in bad[0]
    assert "the turn trapped: o" in bad[1]


@given(
    rows=st.lists(
        st.tuples(st.text(max_size=60), st.integers(), st.text(max_size=60)), min_size=1, max_size=5
    ),
    width=st.integers(8, 120),
)
def test_no_line_is_longer_than_the_terminal(rows: list[tuple[str, int, str]], width: int) -> None:
    columns: Any = [("NAME", itemgetter(0)), ("COUNT", itemgetter(1)), ("CONTENT", itemgetter(2))]
    lines = drawn(rows, columns, width)
    assert len(lines) == len(rows) + 1
    assert max(map(cell_len, lines)) <= width


@given(st.text(), st.integers(1, 40), st.booleans())
def test_a_cut_text_is_as_wide_as_terminals_measure_it(text: str, width: int, middle: bool) -> None:
    assert cell_len(cut(text, width, middle=middle)) <= width


def test_names_are_cut_in_the_middle_for_their_beginnings_are_the_same() -> None:
    assert cut("6f1c0a52-7d43-8e11-b2aa-00000000002a", 12, middle=True) == "6f1c…000002a"
    assert cut("漢字漢字漢字", 7) == "漢字漢…"
    assert cut("👩‍👩‍👧 family", 4) == "👩‍👩‍👧 …"


def test_what_is_written_from_the_right_turns_nothing_else_round() -> None:
    rows = [("שלום", 12), ("hello", 3)]
    columns: Any = [("CONTENT", itemgetter(0)), ("COUNT", itemgetter(1))]
    assert drawn(rows, columns)[1:] == ["\u2066שלום   \u2069     12", "hello        3"]
    assert "\u2066" not in "".join(table(rows, columns)), "for another program there are no marks"


def test_a_terminal_that_has_ascii_only_is_measured_by_what_it_shows() -> None:
    with in_terminal(40, "ascii") as plain:
        plain.write("\n".join(table([("a→b" * 30,)], [("CONTENT", itemgetter(0))])))
    assert max(map(len, plain.said.split("\n"))) == 40


def test_what_is_written_elsewhere_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setenv("COLUMNS", "80")
    (_, line) = table([message(1, "x" * 150)], msg.COLUMNS)
    assert "6f1c0a52-7d43-8e11-b2aa-000000000001" in line
    assert "x" * 150 in line


def test_conversations_and_dead_letters_fit_too() -> None:
    body = _rest(ConversationBody) | {
        "id": "task-6f1c0a52-7d43-8e11-b2aa-000000000001", "protocol": "fipa-contract-net", "messages": 12,
        "initiator": "buyer@local", "participants": [f"seller-{n}@local" for n in range(9)], "started_at": NOW,
        "pinned": False, "state": "InProgress", "violations": 1,
    }  # fmt: skip
    letter = _rest(DeadLetterBody) | {
        "seq": 41, "at": NOW, "agent": "parser@local", "code": "fuel", "message": message(1, "y" * 90).message,
    }  # fmt: skip
    some = drawn([ConversationBody(**body), ConversationBody(**(body | {"id": "market-1"}))], conv.COLUMNS)
    assert "STATE" in some[0]
    assert max(map(cell_len, [*some, *drawn([DeadLetterBody(**letter)], dead_letter.COLUMNS)])) <= 80


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(0), "%H:%M:%S"),
        (timedelta(days=2), "%m-%d %H:%M"),
        (timedelta(days=700), "%Y-%m-%d"),
    ],
)
def test_a_time_is_as_short_as_it_is_useful(before: timedelta, text: str) -> None:
    now = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
    assert local_time(now - before, now) == (now - before).astimezone().strftime(text)


ROWS: list[dict[str, Any]] = [
    {"name": "b", "size": 10},
    {"name": "a", "size": 9},
    {"name": "c", "size": None},
]
COLUMNS: Any = [("NAME", lambda row: row["name"]), ("SIZE", lambda row: row["size"])]


@pytest.mark.parametrize(
    ("view", "text"),
    [
        (ListView(), "NAME  SIZE\nb       10\na        9\nc        -\n"),
        (ListView(sort="name"), "NAME  SIZE\na        9\nb       10\nc        -\n"),
        (ListView(sort="-size", no_headers=True), "b       10\na        9\nc        -\n"),
        (ListView(columns="SIZE"), "SIZE\n  10\n   9\n   -\n"),
        (
            ListView(output=ListFormat.JSONL, sort="size"),
            '{"name":"c","size":null}\n{"name":"a","size":9}\n{"name":"b","size":10}\n',
        ),
    ],
)  # fmt: skip
def test_a_list_is_sorted_and_narrowed_to_columns(
    view: ListView, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    view.show(lambda: ROWS, COLUMNS, "nothing")
    assert capsys.readouterr().out == text


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    for view in (ListView(columns="name,colour"), ListView(sort="-colour")):
        with pytest.raises(ConfigurationError, match=r"there is no column 'colour'") as refused:
            view.show(lambda: ROWS, COLUMNS, "nothing")
        assert refused.value.hint == "columns are name, size"


def test_that_a_list_was_cut_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    ListView().show(lambda: ROWS, COLUMNS, "nothing", 3)
    assert capsys.readouterr().err == "the newest 3; if there are more, --limit 30 shows them\n"
    ListView().show(lambda: ROWS, COLUMNS, "nothing", 4)
    assert capsys.readouterr().err == ""


def test_a_watched_list_is_printed_again_when_it_has_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caxton.cli.list_view.EVERY_S", 0.0)
    looks = iter([ROWS[:1], ROWS[:1], ROWS[:2]])

    def ask() -> list[dict[str, Any]]:
        try:
            return next(looks)
        except StopIteration:
            raise KeyboardInterrupt from None

    # as it ends every command: the exit code is 130
    with pytest.raises(KeyboardInterrupt):
        ListView(watch=True).show(ask, COLUMNS, "nothing")
    assert capsys.readouterr().out == "NAME  SIZE\nb       10\nNAME  SIZE\nb       10\na        9\n"


def test_a_watched_list_is_drawn_over_itself_in_a_terminal() -> None:
    looks = iter([[{"name": str(n), "size": n} for n in range(9)]])
    with in_terminal() as terminal, pytest.raises(StopIteration):
        ListView(watch=True).show(lambda: next(looks), COLUMNS, "nothing")
    assert terminal.said.startswith("\x1b[HNAME  SIZE\x1b[K\n")
    assert "… 8 more" in terminal.said
    assert terminal.said.count("\n") == 3


def test_a_list_as_csv_has_its_columns_whatever_their_texts_are(capsys: pytest.CaptureFixture[str]) -> None:
    columns: Columns[dict[str, Any]] = [
        ("NAME", itemgetter("name")),
        ("OF MONEY", itemgetter("money")),
        ("AT", itemgetter("at")),
    ]
    items: list[dict[str, Any]] = [
        {"name": 'a "b", c', "money": 0.5, "at": datetime(2026, 6, 15, 12, tzinfo=UTC)},
        {"name": "two\nlines\x1b[2J", "money": None, "at": None},
    ]
    ListView(ListFormat.CSV).show(lambda: items, columns, "nothing")
    said = capsys.readouterr().out
    head, first, second = csv.reader(io.StringIO(said))
    assert head == ["NAME", "OF MONEY", "AT"]
    assert first == ['a "b", c', "0.5", text_of(items[0]["at"])]
    assert (second[1:], "\x1b" in second[0]) == (["", ""], False)
    ListView(ListFormat.CSV, columns="name", sort="-name", no_headers=True).show(
        lambda: items, columns, "nothing"
    )
    assert [row[0] for row in csv.reader(io.StringIO(capsys.readouterr().out))][1] == 'a "b", c'
    ListView(ListFormat.CSV).show(list, columns, "nothing")
    assert capsys.readouterr().out == "NAME,OF MONEY,AT\n"
