"""After a restart, and after the death of a cell: what was not finished is delivered again, and only that."""

from __future__ import annotations

from pathlib import Path

from caxton.turn_status import REDELIVERED, Status

from .harness import INFORM, HandCell, stand


async def test_unfinished_messages_come_again_marked_and_in_order(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        done = runtime.ask("a")
        open_seqs = [runtime.ask(["a", "b"], n) for n in range(3)]
        runtime.cell.end(INFORM)
        runtime.cell.end(INFORM)
        runtime.cell.frames.rotate(-1)
        await runtime.commit()
        bodies = {one["seq"]: one for one in await runtime.messages()}
    async with stand(tmp_path) as runtime:
        a, b = runtime.agent("a", running=False), runtime.agent("b", running=False)
        finished = [turn.seq for turn in await runtime.turns()]
        assert finished == [done, open_seqs[0]]
        runtime.redeliver()
        assert runtime.bus.counts.redelivered == 5
        runtime.run(a)
        runtime.run(b)
        frames = list(runtime.cell.frames)
        assert [frame.seq for frame in frames if frame.slot == a.slot] == open_seqs[1:]
        assert [frame.seq for frame in frames if frame.slot == b.slot] == open_seqs
        for frame in frames:
            before = {
                key: value for key, value in bodies[frame.seq].items() if key not in ("seq", "cause", "hops")
            }
            assert frame.message == {**before, "redelivered": True}
        while runtime.cell.frames:
            runtime.cell.end(INFORM)
        rows = [turn for turn in await runtime.turns() if turn.seq in open_seqs]
        assert [turn.status for turn in rows] == [0, 256, 256, 256, 256, 256]
        assert REDELIVERED == 256
        assert runtime.pending() == []


async def test_new_messages_do_not_overtake_what_comes_again(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        old = [runtime.ask("a") for _ in range(3)]
        await runtime.commit()
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a", running=False)
        runtime.redeliver()
        new = runtime.ask("a")
        runtime.run(agent)
        assert [runtime.cell.end().seq for _ in range(4)] == [*old, new]


async def test_what_is_refused_after_coming_again_says_both(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        await runtime.commit()
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.redeliver()
        runtime.bus.settle()
        runtime.cell.end({"performative": "inform", "sender": "b"})
        (turn,) = await runtime.turns()
        assert turn.status == Status.REFUSED + REDELIVERED
    async with stand(tmp_path) as runtime:
        assert runtime.pending() == []


async def test_an_agent_that_is_gone_makes_dead_letters_of_what_waited_for_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        seq = runtime.ask("a", reply_with="r-1")
        await runtime.commit()
    async with stand(tmp_path) as runtime:
        runtime.redeliver()
        assert await runtime.letters() == [(seq, "a@local", "unknown_agent")]
        assert (await runtime.messages())[-1]["in_reply_to"] == "r-1"
        assert runtime.pending() == []


async def test_the_low_water_mark_stands_below_the_oldest_unfinished_message(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        second_cell = HandCell(runtime.bus)
        b = runtime.agent("b", cell=second_cell)
        assert runtime.bus.low_water() == runtime.bus.last_seq == 0
        runtime.ask("a")
        runtime.ask("b")
        runtime.ask("a")
        assert runtime.bus.low_water() == 0
        runtime.cell.end()
        assert runtime.bus.low_water() == 1
        runtime.cell.end()
        assert runtime.bus.low_water() == 1, "b has not finished the second"
        second_cell.end()
        assert runtime.bus.low_water() == 3
        b.open = False
        runtime.ask("b")
        runtime.ask("a")
        runtime.cell.end()
        assert runtime.bus.low_water() == 3, "what only waits counts too"


async def test_what_is_above_the_mark_is_all_that_a_restart_looks_at(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        for _ in range(3):
            runtime.ask("a")
        runtime.cell.end()
        await runtime.commit()
        mark = runtime.bus.low_water()
        assert [seq for seq, _ in runtime.pending()] == [2, 3]
        assert [one.seq for one, _ in runtime.journal.pending(mark)] == [2, 3]
        assert [one.seq for one, _ in runtime.journal.pending(2)] == [3]


async def test_a_dead_cell_gives_everything_back_and_its_agent_waits(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        seqs = [runtime.ask("a", n) for n in range(3)]
        runtime.cell.link.connection_lost(None)
        lost = agent.lose_cell(in_hand={seqs[0], 4711})
        assert [one.seq for one in lost] == seqs
        assert [one.tries for one in lost] == [1, 0, 0], "only the one in hand can have killed it"
        assert not agent.open
        late = runtime.ask("a", 3)
        cell = HandCell(runtime.bus)
        runtime.run(agent, cell)
        marks = [(frame.seq, frame.message.get("redelivered", False)) for frame in cell.frames]
        assert marks == [*((seq, True) for seq in seqs), (late, False)]
        cell.end(INFORM)
        # a second death: what came again is marked once, and the one in hand is suspected now
        cell.link.connection_lost(None)
        lost = agent.lose_cell(in_hand={late})
        assert [(one.seq, one.tries) for one in lost] == [(seqs[1], 0), (seqs[2], 0), (late, 1)]
        assert all(one.body.count(b"redelivered") == 1 for one in lost)
        third = HandCell(runtime.bus)
        runtime.run(agent, third)
        while third.frames:
            third.end(INFORM)
        said = [one["cause"] for one in await runtime.messages() if one["sender"] == "a@local"]
        assert said == [*seqs, late], "each is answered once"


async def test_a_cell_dies_while_it_gives_back(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        seqs = [runtime.ask("a") for _ in range(4)]
        runtime.cell.fail(Status.TRAP, "unreachable")
        runtime.cell.end(status=Status.UNHANDLED)
        runtime.cell.link.connection_lost(None)
        lost = agent.lose_cell()
        assert [one.seq for one in lost] == seqs[1:]
        assert agent.depth == 3
        cell = HandCell(runtime.bus)
        runtime.run(agent, cell)
        assert [cell.end().seq for _ in range(3)] == seqs[1:]
