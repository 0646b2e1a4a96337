"""A conversation that was held becomes a scenario: it passes, fails once an agent is changed, and can be updated."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from caxton.config import load
from caxton.errors import ConfigurationError, ConversationNotFound, Exit
from caxton.scenario.memory_file import read_memory
from caxton.scenario.read import read_scenario
from caxton.scenario.recording import Wanted, record
from caxton.scenario.recording.keeping import Kept, keep
from caxton.scenario.recording.masks import Masks
from caxton.scenario.recording.redaction import Redaction
from caxton.scenario.suite import Settings, play
from caxton.scenario.toml_text import inline
from caxton.scenario.updating import update
from caxton.schemas.shape import Message

from .files import DEARER, EXAMPLES, traded_market


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traded_market(tmp_path_factory.mktemp("traded"))


def kept(folder: Path, conversation: str, *, redact: Sequence[str] = (), replace: bool = False) -> Kept:
    path = folder / "scenarios" / f"{conversation}.toml"
    return keep(load(folder, {}), Wanted(path, [conversation], redact=redact), replace=replace)


def test_it_passes_fails_when_a_rule_is_edited_and_passes_when_it_is_updated(
    traded: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(traded, tmp_path / "market"))
    # a conversation of sellers and buyer: what the operator said, from which it followed, belongs to it
    result = kept(folder, "market-4").result
    assert result.passed, "\n".join(result.lines())
    path = folder / "scenarios" / "market-4.toml"
    file = read_scenario(path)
    # the sellers' prices are those after the first order: they remember it
    assert {"market-3", "market-4"} == {
        str(step.expect.conversation) for _, step in file.steps() if step.expect and step.expect.conversation
    } - {"pen"}
    assert all(play(file, Settings(seed=seed)).passed for seed in (1, 2))
    seller = folder / "seller.wasm"
    seller.write_bytes(seller.read_bytes().replace(*DEARER))
    failed = play(file, Settings())
    assert failed.exit is Exit.EXPECTATION
    assert "▲ here: content, price: expected" in failed.diagram
    path.write_text(file.text.replace("format = 1", "format = 1  # by hand"))
    updated = update(read_scenario(path), Settings())
    assert updated.result.passed, "\n".join(updated.result.lines())
    assert "# by hand" in updated.text
    path.write_text(updated.text)
    assert play(read_scenario(path), Settings()).passed


def test_without_its_memory_it_is_another_story(traded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(traded, tmp_path / "market"))
    path = folder / "scenarios" / "pen.toml"
    kept(folder, "pen")
    path.write_text(path.read_text().replace("memory = ", "# memory = "))
    assert play(read_scenario(path), Settings()).exit is Exit.EXPECTATION


def test_what_must_not_leave_is_in_neither_file(traded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(traded, tmp_path / "market"))
    result = kept(folder, "pen", redact=["item"]).result
    # it was a pen and a book, and the sellers remember the book
    assert result.passed, "\n".join(result.lines())
    for suffix in (".toml", ".memory"):
        text = (folder / "scenarios" / "pen.toml").with_suffix(suffix).read_text()
        assert "redacted-" in text
        assert '"book"' not in text
        assert '= "pen"' not in text.replace('name = "pen"', "")


def test_a_file_is_not_replaced_unasked_and_nothing_is_recorded_of_nothing(
    traded: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(traded, tmp_path / "market"))
    kept(folder, "book")
    with pytest.raises(ConfigurationError, match="is there already"):
        kept(folder, "book")
    assert kept(folder, "book", replace=True).result.passed
    with pytest.raises(ConversationNotFound):
        asyncio.run(record(load(folder, {}), Wanted(tmp_path / "x.toml", ["nobody"])))
    with pytest.raises(ConversationNotFound, match="nothing was said from outside"):
        asyncio.run(record(load(folder, {}), Wanted(tmp_path / "x.toml", since_us=1 << 60)))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nonsense", "is not what caxton record writes"),
        ('{"format":2,"platform":"local","at":"2026-01-01T00:00:00Z"}', "has format 2"),
        ('{"format":1,"platform":"local","at":"2026-01-01T00:00:00Z"}\n["snapshot",1]', r":2 is not what"),
        ('{"format":1,"platform":"local","at":"2026-01-01T00:00:00Z"}\n["message",1,2]', r":2 is not what"),
        ('{"format":1,"platform":"local","at":"2026-01-01T00:00:00Z"}\n["turn",1,2]', "do not fit"),
    ],
)
def test_a_memory_that_is_none_is_refused(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "one.memory"
    path.write_text(line)
    with pytest.raises(ConfigurationError, match=why):
        read_memory(path)


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ({"price": 40, "id": "c-0123456789abcdef"}, {"price": 40, "id": {"any": True}}),
        (["24298597-3a08-87c4-9d6c-00000000000a", "book-17"], [{"any": True}, "book-17"]),
        ({"due": "2026-11-30T20:00:00Z", "day": "30 November"}, {"due": {"any": True}, "day": "30 November"}),
        ([1_764_532_800, 1_764_532_800_000, 1_764_532_800.5, 17], [{"any": True}] * 3 + [17]),
        ("of trace 17", "of trace 17"),
        (None, None),
    ],
)
def test_ids_and_times_are_masked(said: Any, masked: Any) -> None:
    masks = Masks([Message({"id": "x-1", "trace_id": "y-1"})])
    masks.near(1_764_500_000_000_000)
    assert masks.masked(said) == masked


def test_values_are_replaced_everywhere_and_the_same_value_by_the_same() -> None:
    redaction = Redaction(["customer.email", "~[0-9]{16}", "people.*.age"])
    content = {
        "customer": {"email": "ann@example.org"},
        "note": "ann@example.org paid with 4111111111111111",
        "people": [{"age": 41}, {"age": 7}],
        "price": 41,
    }
    redaction.learn(content)
    assert redaction.content(content) == {
        "customer": {"email": "redacted-1"},
        "note": "redacted-1 paid with redacted-4",
        "people": [{"age": 2}, {"age": 3}],
        "price": 41,
    }
    assert redaction.elsewhere(["ann@example.org", 41]) == ["redacted-1", 41]
    with pytest.raises(ConfigurationError, match="everything or nothing"):
        Redaction(["*"])


def test_json_as_toml() -> None:
    value: dict[str, object] = {"a b": None, "list": [1, 2.5, True], "text": 'say "é"\n', "none": {}}
    written = '{ "a b" = { null = true }, list = [1, 2.5, true], text = "say \\"é\\"\\n", none = {} }'
    assert inline(value) == written


def test_without_a_journal_there_is_nothing_to_record(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLES / "market", tmp_path / "market"))
    with pytest.raises(ConfigurationError, match="there is no journal"):
        asyncio.run(record(load(folder, {}), Wanted(tmp_path / "x.toml", ["one"])))
