"""The daemon's end of a cell's socket: frames whole and in order, whatever the reads look like."""

from __future__ import annotations

import asyncio
import json
import struct
from itertools import pairwise
from pathlib import Path

import pytest
from bus.harness import INFORM, HandCell, stand
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from caxton.bus.endpoint import WINDOW
from caxton.cells import CellLink, CellLost
from caxton.cells.link import IN_FLIGHT
from caxton.sandbox.frames import LENGTH_CEILING, RESULT, Kind
from caxton.turn_status import Status


def result(slot: int, seq: int, payload: bytes, count: int = 1) -> bytes:
    return RESULT.pack(Kind.TURN, 0, count, slot, len(payload), seq, 1, 1, 1) + payload


@settings(max_examples=examples(25), deadline=None)
@given(cuts=st.lists(st.integers(0, 600), max_size=12), many=st.integers(1, 8))
def test_results_cut_anywhere_arrive_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], many: int
) -> None:
    async def play(folder: Path) -> None:
        async with stand(folder) as runtime:
            agent = runtime.agent("a")
            seqs = [runtime.ask("a", n) for n in range(many)]
            data = b"".join(
                result(agent.slot, seq, json.dumps({"performative": "inform", "content": "x" * seq}).encode())
                for seq in seqs
            )
            edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
            for start, end in pairwise(edges):
                if data[start:end]:
                    runtime.cell.link.data_received(data[start:end])
            said = [one["content"] for one in await runtime.messages() if one["sender"] == "a@local"]
            assert said == ["x" * seq for seq in seqs]
            assert runtime.cell.link.room == IN_FLIGHT

    asyncio.run(play(tmp_path_factory.mktemp("link")))


async def test_a_turn_behind_the_end_of_its_instance_costs_nobody_the_cell(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        gone, other = runtime.agent("gone"), runtime.agent("other")
        late, asked = runtime.ask("gone"), runtime.ask("other")
        link = runtime.cell.link
        del link.slots[gone.slot]
        link.data_received(result(gone.slot, late, b"", 0) + result(other.slot, asked, b"", 0))
        assert not link.lost
        assert other.turns == 1


async def test_a_burst_is_one_write(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        writes: list[int] = []
        write = runtime.cell.write

        def counted(data: bytes | bytearray | memoryview) -> None:
            writes.append(len(data))
            write(data)

        runtime.cell.write = counted  # type: ignore[method-assign]
        runtime.agent("a")
        runtime.agent("b")
        runtime.ask("a")
        runtime.cell.end(*({"performative": "inform", "receiver": "b", "content": n} for n in range(WINDOW)))
        assert len(writes) == 2
        assert len(runtime.cell.frames) == WINDOW


async def test_no_more_is_with_a_cell_than_it_has_room_for(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agents = [runtime.agent(f"a{n}") for n in range(IN_FLIGHT // WINDOW + 1)]
        for agent in agents:
            for _ in range(WINDOW):
                runtime.ask(agent.name)
        assert len(runtime.cell.frames) == IN_FLIGHT
        assert len(agents[-1].waiting) == WINDOW
        assert runtime.cell.link.room == 0
        first = runtime.cell.end(INFORM)
        assert (first.seq, len(agents[-1].waiting)) == (1, WINDOW - 1)
        assert runtime.cell.frames[-1].seq == IN_FLIGHT + 1


async def test_a_congested_journal_holds_back_what_waits_until_it_is_relieved(tmp_path: Path) -> None:
    async with stand(tmp_path, message_bytes=1 << 24) as runtime:
        relieved = asyncio.Event()
        runtime.journal.on_relieved.extend([runtime.bus.settle, relieved.set])
        runtime.agent("a")
        runtime.cell.link.room = 1
        for _ in range(4):
            runtime.ask("a", "x" * (12 << 20))
        assert runtime.journal.congested
        runtime.cell.end()
        assert not runtime.cell.frames, "nothing more goes out before the disk has caught up"
        await relieved.wait()
        assert len(runtime.cell.frames) == 1


async def test_a_stream_that_makes_no_sense_is_hung_up_on(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        closed: list[bool] = []
        runtime.cell.close = lambda: closed.append(True)  # type: ignore[method-assign]
        runtime.cell.link.data_received(RESULT.pack(Kind.TURN, 0, 1, 16, LENGTH_CEILING + 1, 1, 0, 0, 0))
        assert closed == [True]


async def test_requests_are_answered_by_their_token_and_all_fail_with_the_cell(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        link = runtime.cell.link
        asked = [asyncio.ensure_future(link.request(Kind.SNAPSHOT, slot)) for slot in (5, 6, 7)]
        await asyncio.sleep(0)
        frames = list(runtime.cell.frames)
        assert [(frame.kind, frame.slot) for frame in frames] == [(Kind.SNAPSHOT, slot) for slot in (5, 6, 7)]
        second = frames[1]
        link.data_received(
            RESULT.pack(Kind.SNAPSHOT, Status.TRAP, 0, second.slot, 2, second.seq, 0, 0, 0) + b"no"
        )
        answer = await asked[1]
        assert (answer.status, answer.payload) == (Status.TRAP, b"no")
        assert not asked[0].done()
        link.connection_lost(None)
        for one in (asked[0], asked[2], link.request(Kind.METERS, 0)):
            with pytest.raises(CellLost):
                await one


async def test_a_late_answer_to_nobody_is_dropped(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        asked = asyncio.ensure_future(runtime.cell.link.request(Kind.SNAPSHOT, 5))
        await asyncio.sleep(0)
        (frame,) = runtime.cell.frames
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        runtime.cell.link.data_received(RESULT.pack(Kind.SNAPSHOT, 0, 0, 5, 0, frame.seq, 0, 0, 0))
        runtime.agent("a")
        runtime.ask("a")
        runtime.cell.frames.popleft()
        runtime.cell.end(INFORM)
        assert runtime.bus.counts.turns_ok == 1


async def test_hello_and_goodbye_are_told_once(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        told: list[object] = []
        link = CellLink(runtime.bus, told.append, lambda: told.append("lost"))
        link.connection_made(HandCell(runtime.bus))
        hello = b'{"pid":1}'
        data = RESULT.pack(Kind.HELLO, 0, 0, 0, len(hello), 0, 0, 0, 0) + hello
        link.data_received(data[:7])
        link.data_received(data[7:])
        link.connection_lost(None)
        assert told == [hello, "lost"]
        assert link.lost


def test_the_heads_are_as_long_as_the_cell_thinks() -> None:
    assert RESULT.size == struct.calcsize("<BBHIIQQQI") == 40
