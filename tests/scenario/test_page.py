"""What docs/scenarios.md shows plays as it stands there, and every key has its row."""

from __future__ import annotations

import re
from pathlib import Path

from caxton.scenario.format import ACTIONS, Expect, Scenario

from .files import EXAMPLES, played

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scenarios.md").read_text("utf-8")


def test_the_file_of_the_page_plays(tmp_path: Path) -> None:
    block = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    head, steps = block.split("\n\n", 1)
    result = played(tmp_path, steps, f'{head}\nproject = "{EXAMPLES / "market"}"')
    assert result.passed, result.lines()


def test_every_key_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)(?:\.NAME)?`", PAGE))
    assert set(Scenario.model_fields) <= named
    assert set(ACTIONS) <= named
    assert set(Expect.model_fields) <= named
