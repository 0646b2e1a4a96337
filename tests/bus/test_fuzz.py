"""A short run of `just fuzz turns`: whatever a turn said, it ends, is a row, and costs nobody else anything."""

from __future__ import annotations

from .fuzz import fuzz_turns

FRAMES = 1_200


def test_no_frame_costs_more_than_its_turn() -> None:
    assert FRAMES // 4 < fuzz_turns(FRAMES, seed=1) < FRAMES
