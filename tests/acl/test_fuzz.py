"""A short run of what `just fuzz` does at length: a codec answers every input with a message or InvalidMessage."""

from __future__ import annotations

import pytest

from .fuzz import CODECS, fuzz

INPUTS = 3000


@pytest.mark.parametrize("name", CODECS)
def test_no_input_is_answered_with_anything_but_a_message_or_a_refusal(name: str) -> None:
    taken, text, error = fuzz(name, INPUTS, seed=1)
    assert error is None, text
    assert INPUTS // 100 < taken < INPUTS
