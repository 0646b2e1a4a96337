"""Dead letters in the terminal: seen with their reasons, delivered again, changed and put away by keys."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from caxton.example_modules import module
from caxton_tui.forms.held_forms import LineForm
from caxton_tui.screens.dead_letters import DeadLettersScreen

from .harness import Daemon, Stage, daemon, market, settled, stage


async def trap(caxton: Daemon, number: int) -> int:
    """One message that costs the agent its instance."""
    content = {"trap": True, "n": number}
    said = await caxton.client.send(
        {"performative": "request", "receiver": "parser", "content": content}, wait_s=10
    )
    return int(said.seq)


def shown(one: Stage) -> list[int]:
    """The numbers in the box."""
    screen = one.app.screen
    assert isinstance(screen, DeadLettersScreen)
    return [row.seq for row in screen.list.rows]


async def looked(one: Stage, seqs: list[int]) -> None:
    """The box shows these, newest first."""
    screen = one.app.screen
    assert isinstance(screen, DeadLettersScreen)
    screen.look()
    await one.until(lambda _: shown(one) == seqs, look=True)


async def test_they_are_delivered_again_changed_and_put_away_by_keys(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await caxton.client.deploy("parser", module("rogue"))
        seqs = [await trap(caxton, number) for number in range(4)]
        await one.until(settled(caxton), look=True)
        await one.press("L")
        await looked(one, seqs[::-1])
        await one.press("e")
        assert isinstance(one.app.screen, LineForm)
        one.app.screen.query_one(Input).value = '{"fine": 1}'
        await one.press("enter")
        await looked(one, seqs[:3][::-1])
        (ended,) = await caxton.client.dead_letters(seq=seqs[3])
        changed = await caxton.client.message(str(ended.went_on))
        assert changed.message.content == {"fine": 1}

        await one.press("home", "d", "y")
        await looked(one, seqs[:2][::-1])
        (ended,) = await caxton.client.dead_letters(seq=seqs[2])
        assert ended.ended == "dropped"

        await caxton.client.deploy("parser", module("echo"), fresh_state=True)
        await one.press("a")
        await looked(one, [])
        letters = [await caxton.client.dead_letters(seq=seq) for seq in seqs[:2]]
        assert [one.ended for (one,) in letters] == ["redelivered"] * 2
        await one.press("escape")
        assert not isinstance(one.app.screen, DeadLettersScreen)
