"""What docs/testing.md shows runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from caxton.testing import Script
from testing.orders import EXAMPLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_of_the_page_runs(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    exec(compile(BLOCKS[number], f"{PAGE.name} {number}", "exec"), {})


def test_the_page_has_examples() -> None:
    assert len(BLOCKS) == 4


def test_the_test_of_the_page_passes() -> None:
    scope: dict[str, Any] = {}
    exec(compile(BLOCKS[0], PAGE.name, "exec"), scope)
    script = Script(EXAMPLES)
    try:
        scope["test_buying"](script)
    finally:
        script.close()
