"""What is pending at the start: messages whose receivers have no turn, compared with a plain model."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from caxton.clock import VirtualClock
from caxton.journal import HANDLED, Journal
from journal.history import AGENTS, Said, Talks, registry, turn


@pytest.mark.parametrize("seed", range(5))
async def test_pending_is_what_has_no_turn(tmp_path: Path, seed: int) -> None:
    pick = random.Random(seed)
    messages = [
        Said(
            seq,
            receivers=tuple(pick.sample([*AGENTS, "client@local"], pick.randrange(1, 4))),
            flags=pick.choice([0, 0, 0, HANDLED]),
        )
        for seq in range(1, 200)
    ]
    turns = {(said.seq, name) for said in messages for name in said.receivers if pick.random() < 0.6}
    turns = {(seq, name) for seq, name in turns if name in AGENTS}
    async with await Journal.open(tmp_path, VirtualClock()) as journal:
        registry(journal.batch)
        Talks().say(journal.batch, messages)
        for seq, name in pick.sample(sorted(turns), len(turns)):
            turn(journal.batch, seq, name)
        journal.batch.meta("low_water", 20)
        journal.flush()
        await journal.committed_upto(199)
    async with await Journal.open(tmp_path, VirtualClock()) as journal:
        for low_water in (None, 0, 100, 199):
            expected = [
                (said.seq, left)
                for said in messages
                if said.seq > (20 if low_water is None else low_water) and not said.flags & HANDLED
                if (left := [name for name in said.receivers if (said.seq, name) not in turns])
            ]
            found = list(journal.pending(low_water))
            assert [(message.seq, left) for message, left in found] == expected
            assert [message.body for message, _ in found] == [messages[seq - 1].body for seq, _ in expected]


async def test_a_turn_of_an_agent_that_nobody_registered_finishes_nothing(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path, VirtualClock()) as journal:
        Talks().say(journal.batch, [Said(1)])
        turn(journal.batch, 1, "seller@local")
        journal.flush()
        await journal.committed_upto(1)
        assert [left for _, left in journal.pending()] == [["seller@local"]]
        registry(journal.batch)
        journal.batch.event(2, 2, "registered")
        journal.flush()
        await journal.committed_upto(2)
        assert list(journal.pending()) == []
