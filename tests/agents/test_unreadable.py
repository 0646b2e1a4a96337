"""A guest that says something nobody can read: its turn is refused, its neighbours and its cell go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.deploy import DeploymentRequest
from caxton.errors import DeploymentError

from .systems import ECHO, ask, home, letters, saying

POISON = {
    "a level that is an object": b'{"caxton":"log","level":{},"message":"x"}',
    "bytes that are no UTF-8": b'{"caxton":"log","message":"\xff"}',
    "a text nested 3,000 deep": b'{"caxton":"log","message":' + b"[" * 3_000 + b"]" * 3_000 + b"}",
}


@pytest.mark.parametrize("poison", POISON)
async def test_the_turn_is_refused_and_the_cell_goes_on(tmp_path: Path, poison: str) -> None:
    async with home(tmp_path, "[deploy]\nprobe = false") as house:
        await house.engine.deploy(DeploymentRequest("echo", ECHO))
        await house.engine.deploy(DeploymentRequest("evil", saying(POISON[poison]), wat=True))
        for _ in range(14):
            failure = await ask(house, "evil")
            assert (failure["sender"], failure["performative"]) == ("ams@local", "failure")
            assert failure["content"]["error"] == "control_line"
            assert (
                "log line" in failure["content"]["reason"] or "control line" in failure["content"]["reason"]
            )
            assert (await ask(house, "echo", [1]))["content"] == [1]
        assert house.cells.cells[0].restarts == 0
        assert [code for _, _, code in await letters(house)] == ["control_line"] * 14
        refused = await house.journal.reader.turns(agent="evil@local", limit=100)
        assert [turn.status for turn in refused] == [6] * 14
        assert house.agents.view("evil").restarts == 0


@pytest.mark.parametrize("poison", POISON)
async def test_a_probe_says_what_is_wrong_with_the_line(tmp_path: Path, poison: str) -> None:
    async with home(tmp_path) as house:
        with pytest.raises(DeploymentError, match=r"the contract check failed: .*(control|log) line"):
            await house.engine.deploy(DeploymentRequest("evil", saying(POISON[poison]), wat=True))
        assert house.agents.views() == []


async def test_words_of_a_refusal_that_are_no_text_are_shown_as_well_as_can_be(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(
            DeploymentRequest("evil", saying(b'\xff\xfe \x00"\x1b', returned=-3), wat=True)
        )
        failure = await ask(house, "evil")
        assert failure["content"]["error"] == "guest_error"
        assert "\0" not in failure["content"]["reason"]
        assert house.cells.cells[0].restarts == 0
