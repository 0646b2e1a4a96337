"""The measure of agents in Python finds what it says that it measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.bench import python

pytestmark = pytest.mark.system


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
async def test_every_figure_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "AGENTS", 4)
    monkeypatch.setattr(python, "EDITS", 2)
    figures = await python.python(tmp_path, 0.2, lambda what, part: None)
    values = {one.name: one.value for one in figures}
    # of few agents memory says nothing, but that none has a runtime of its own
    assert values.pop("kib_per_agent") < values.pop("kib_per_agent_used") + 1000 < 20_000
    assert all(value > 0 for value in values.values()), values
    assert values["edit_check_ms"] < values["edit_to_answer_ms"]
    assert list(tmp_path.iterdir()) == []
