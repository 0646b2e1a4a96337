"""The measure of swaps finds what it says that it measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.bench import edits, swap
from caxton.devloop.scaffold.generate import Language

pytestmark = pytest.mark.system

QUIET = {"lost", "reordered", "not_carried"}


async def test_every_figure_is_there_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SWAPS", 6), ("TRIED", 3)):
        monkeypatch.setattr(swap, name, value)
    monkeypatch.setattr(edits, "EDITS", 1)
    # what the others cost, test_edits.py looks at
    monkeypatch.setattr(edits, "_PLACES", {Language.WAT: edits._PLACES[Language.WAT]})  # pyright: ignore[reportPrivateUsage]
    shown: list[tuple[str, float]] = []
    figures = await swap.swap(tmp_path, 1.0, lambda what, part: shown.append((what, part)))
    values = {one.name: one.value for one in figures}
    assert {name: values.pop(name) for name in QUIET} == dict.fromkeys(QUIET, 0.0)
    assert values.pop("seen_p50_us") >= 0
    assert values.pop("seen_p99_us") >= 0
    assert all(value > 0 for value in values.values()), values
    assert values["pause_p50_us"] <= values["pause_p99_us"]
    # of one edit; of several, medians need not add up
    parts = sum(values[f"edit_wat_{part}_ms"] for part in ("build", "compile", "gate", "swap"))
    assert parts <= values["edit_wat_total_ms"]
    assert ("direct", 1.0) in shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "answers", "verdict"),
    [
        ([1, 2, 3], {1: [1], 2: [2], 3: [3]}, (0, 0)),
        ([1, 2, 3], {1: [1], 3: [2]}, (1, 0)),
        ([1, 2, 3], {1: [1], 2: [2, 3], 3: [3]}, (1, 0)),
        ([1, 2, 3], {1: [1], 2: [3], 3: [2]}, (0, 2)),
        ([1, 2, 3], {1: [1], 2: [2], 3: [1]}, (0, 1)),
    ],
    ids=["all well", "one lost", "one twice", "two exchanged", "state lost"],
)
def test_what_goes_wrong_is_counted(
    asked: list[int], answers: dict[int, list[int]], verdict: tuple[int, int]
) -> None:
    said = {
        seq: [f'{{"performative":"inform","content":{{"count":{count}}}}}'.encode() for count in counts]
        for seq, counts in answers.items()
    }
    assert swap.verdict(asked, said) == verdict
