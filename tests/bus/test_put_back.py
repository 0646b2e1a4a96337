"""What a turn may put back, and what overtakes it; the cells are played by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from bus.harness import INFORM, Json, stand

NOT_NOW = b'{"caxton":"put-back"}'


@pytest.mark.parametrize("said", [[NOT_NOW], [NOT_NOW, INFORM]])
@pytest.mark.parametrize("asks", [False, True])
async def test_a_turn_puts_back_and_says_nothing_if_its_agent_asks_for_that(
    tmp_path: Path, said: list[Json | bytes], asks: bool
) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        agent.asks_to_put_back(asks=asks)
        seq = runtime.ask("a", reply_with="r")
        runtime.cell.end(*said, count=len(said) - 1)
        good = asks and said == [NOT_NOW]
        assert await runtime.letters() == ([] if good else [(seq, "a@local", "put_back")])
        assert [one.seq for one in agent.aside] == ([seq] if good else [])
        assert (agent.depth, runtime.bus.low_water() < seq) == (int(good), good)
        assert len(await runtime.messages()) == (1 if good else 2), "its sender is told"


async def test_nothing_overtakes_what_comes_again_and_a_cell_has_one_message_at_a_time(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        agent.asks_to_put_back(asks=True)
        for number in range(4):
            runtime.ask("a", number)
        assert len(runtime.cell.frames) == 1
        runtime.cell.end(NOT_NOW, count=0)
        runtime.cell.end(NOT_NOW, count=0)
        runtime.ask("a", "urgent", x_priority="urgent")
        seen = [runtime.cell.end().message["content"] for _ in range(5)]
        assert seen == [2, 0, 1, "urgent", 3]
        turns = await runtime.turns()
        assert [turn.put_back_at > 0 for turn in turns] == [True, False, True, False, False, False, False]


async def test_what_is_aside_can_be_purged(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        agent.asks_to_put_back(asks=True)
        runtime.ask("a", 0)
        runtime.cell.end(NOT_NOW, count=0)
        assert [bytes(one.message.content) for one in agent.take_out(lambda _: True)] == [b"0"]
        assert (agent.depth, agent.put_backs) == (0, {})
