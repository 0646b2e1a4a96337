"""After a restart, and after the death of a cell: what was not finished is delivered again, and only that."""

from __future__ import annotations

from pathlib import Path

from caxton.bus.turns import REDELIVERED, REFUSED
from caxton.sandbox.frames import Status

from .stand import INFORM, HandCell, stand


async def test_unfinished_messages_come_again_marked_and_in_order(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.agent("b")
        done = house.ask("a")
        open_seqs = [house.ask(["a", "b"], n) for n in range(3)]
        house.cell.end(INFORM)
        house.cell.end(INFORM)
        house.cell.frames.rotate(-1)
        await house.commit()
        bodies = {one["seq"]: one for one in await house.messages()}
    async with stand(tmp_path) as house:
        a, b = house.agent("a", running=False), house.agent("b", running=False)
        finished = [turn.seq for turn in await house.turns()]
        assert finished == [done, open_seqs[0]]
        house.redeliver()
        assert house.bus.counts.redelivered == 5
        house.run(a)
        house.run(b)
        frames = list(house.cell.frames)
        assert [frame.seq for frame in frames if frame.slot == a.slot] == open_seqs[1:]
        assert [frame.seq for frame in frames if frame.slot == b.slot] == open_seqs
        for frame in frames:
            before = {
                key: value for key, value in bodies[frame.seq].items() if key not in ("seq", "cause", "hops")
            }
            assert frame.message == {**before, "redelivered": True}
        while house.cell.frames:
            house.cell.end(INFORM)
        rows = [turn for turn in await house.turns() if turn.seq in open_seqs]
        assert [turn.status for turn in rows] == [0, 256, 256, 256, 256, 256]
        assert REDELIVERED == 256
        assert house.pending() == []


async def test_new_messages_do_not_overtake_what_comes_again(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        old = [house.ask("a") for _ in range(3)]
        await house.commit()
    async with stand(tmp_path) as house:
        agent = house.agent("a", running=False)
        house.redeliver()
        new = house.ask("a")
        house.run(agent)
        assert [house.cell.end().seq for _ in range(4)] == [*old, new]


async def test_what_is_refused_after_coming_again_says_both(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.ask("a")
        await house.commit()
    async with stand(tmp_path) as house:
        house.agent("a")
        house.redeliver()
        house.bus.settle()
        house.cell.end({"performative": "inform", "sender": "b"})
        (turn,) = await house.turns()
        assert turn.status == REFUSED + REDELIVERED
    async with stand(tmp_path) as house:
        assert house.pending() == []


async def test_an_agent_that_is_gone_makes_dead_letters_of_what_waited_for_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        seq = house.ask("a", reply_with="r-1")
        await house.commit()
    async with stand(tmp_path) as house:
        house.redeliver()
        assert await house.letters() == [(seq, "a@local", "unknown_agent")]
        assert (await house.messages())[-1]["in_reply_to"] == "r-1"
        assert house.pending() == []


async def test_the_low_water_mark_stands_below_the_oldest_unfinished_message(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        second_cell = HandCell(house.bus)
        b = house.agent("b", cell=second_cell)
        assert house.bus.low_water() == house.bus.last_seq == 0
        house.ask("a")
        house.ask("b")
        house.ask("a")
        assert house.bus.low_water() == 0
        house.cell.end()
        assert house.bus.low_water() == 1
        house.cell.end()
        assert house.bus.low_water() == 1, "b has not finished the second"
        second_cell.end()
        assert house.bus.low_water() == 3
        b.open = False
        house.ask("b")
        house.ask("a")
        house.cell.end()
        assert house.bus.low_water() == 3, "what only waits counts too"


async def test_what_is_above_the_mark_is_all_that_a_restart_looks_at(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        for _ in range(3):
            house.ask("a")
        house.cell.end()
        await house.commit()
        mark = house.bus.low_water()
        assert [seq for seq, _ in house.pending()] == [2, 3]
        assert [one.seq for one, _ in house.journal.pending(mark)] == [2, 3]
        assert [one.seq for one, _ in house.journal.pending(2)] == [3]


async def test_a_dead_cell_gives_everything_back_and_its_agent_waits(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        agent = house.agent("a")
        seqs = [house.ask("a", n) for n in range(3)]
        house.cell.link.connection_lost(None)
        lost = agent.lose_cell(in_hand={seqs[0], 4711})
        assert [one.seq for one in lost] == seqs
        assert [one.tries for one in lost] == [1, 0, 0], "only the one in hand can have killed it"
        assert not agent.open
        late = house.ask("a", 3)
        cell = HandCell(house.bus)
        house.run(agent, cell)
        marks = [(frame.seq, frame.message.get("redelivered", False)) for frame in cell.frames]
        assert marks == [*((seq, True) for seq in seqs), (late, False)]
        cell.end(INFORM)
        # a second death: what came again is marked once, and the one in hand is suspected now
        cell.link.connection_lost(None)
        lost = agent.lose_cell(in_hand={late})
        assert [(one.seq, one.tries) for one in lost] == [(seqs[1], 0), (seqs[2], 0), (late, 1)]
        assert all(one.body.count(b"redelivered") == 1 for one in lost)
        third = HandCell(house.bus)
        house.run(agent, third)
        while third.frames:
            third.end(INFORM)
        said = [one["cause"] for one in await house.messages() if one["sender"] == "a@local"]
        assert said == [*seqs, late], "each is answered once"


async def test_a_cell_dies_while_it_gives_back(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        agent = house.agent("a")
        seqs = [house.ask("a") for _ in range(4)]
        house.cell.fail(Status.TRAP, "unreachable")
        house.cell.end(status=Status.UNHANDLED)
        house.cell.link.connection_lost(None)
        lost = agent.lose_cell()
        assert [one.seq for one in lost] == seqs[1:]
        assert agent.depth == 3
        cell = HandCell(house.bus)
        house.run(agent, cell)
        assert [cell.end().seq for _ in range(3)] == seqs[1:]
