"""The event hub on a real journal: in order, once each, bounded, and honest about what was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.api.stream import events, hub
from caxton.api.stream.events import _exact, _live, _Pace, _stream
from caxton.api.stream.hub import MOST_VIEWERS, WAITING_BYTES, WAITING_ROWS, EventFilter, Gap, Hub
from caxton.client import answers
from caxton.clock import SystemClock
from caxton.errors import ResourceError
from caxton.ids import conversation_key
from caxton.journal import Batch, Journal, StoredEvent

ALL = EventFilter()


def body(seq: int, *, sender: str = "a@local", to: str = "b@local", talk: str = "c", text: str = "") -> bytes:
    return msgspec.json.encode(
        {
            "id": f"{seq:036x}",
            "performative": "inform",
            "sender": sender,
            "receiver": [to],
            "conversation_id": talk,
            "trace_id": "t",
            "span_id": "s",
            "timestamp": seq,
            "content": text,
        }
    )


def say(batch: Batch, seq: int, **given: str) -> None:
    said = body(seq, **given)
    batch.message(seq, seq, conversation_key(given.get("talk", "c")), 0, 0, 0, said)


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[tuple[Journal, Hub]]:
    async with await Journal.open(folder, SystemClock()) as journal:
        yield journal, Hub(journal, journal.reader, "local")


async def commit(journal: Journal, first: int, last: int, **given: str) -> None:
    for seq in range(first, last + 1):
        say(journal.batch, seq, **given)
    journal.flush()
    await journal.committed_upto(last)


async def read(stream: AsyncGenerator[bytes], upto: int) -> list[answers.StreamEvent]:
    reader = answers.EventReader()
    got: list[answers.StreamEvent] = []
    async with asyncio.timeout(20):
        async for chunk in stream:
            got += reader.feed(chunk)
            if got and reader.last is not None and reader.last >= upto:
                return got
    return got


async def test_live_rows_come_in_order_and_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as (journal, here):
        await commit(journal, 1, 5)
        async with aclosing(_stream(here, ALL, None, _exact(None))) as stream:
            assert await anext(stream) == b"id: 5\n\n"
            reading = asyncio.ensure_future(read(stream, 20))
            while not here.subscribers:
                await asyncio.sleep(0)
            await commit(journal, 6, 12)
            journal.batch.event(13, 13, "cell", body=b'{"state":"died","seq":7}')
            await commit(journal, 14, 20)
            got = await reading
        assert [event.seq for event in got] == list(range(6, 21))
        assert got[7].kind == "cell"
        assert got[7].data.items() >= {"seq": 13, "state": "died", "message_seq": 7}.items()
        assert here.subscribers == 0
        assert here.lost == 0


@pytest.mark.parametrize("after", [0, 1, 249, 250, 251, 599, 600, 10_000])
async def test_old_rows_then_live_ones_without_a_gap_or_a_double(tmp_path: Path, after: int) -> None:
    async with opened(tmp_path) as (journal, here):
        await commit(journal, 1, 600)
        writing = asyncio.ensure_future(commit(journal, 601, 900))
        async with aclosing(_stream(here, ALL, after, _exact(None))) as stream:
            reading = asyncio.ensure_future(read(stream, 1000))
            await writing
            while not here.subscribers:
                await asyncio.sleep(0)
            await commit(journal, 901, 1000)
            got = await reading
        assert [event.seq for event in got] == list(range(min(after, 600) + 1, 1001))


@pytest.mark.parametrize(
    ("after", "back", "first", "gap"),
    [
        (None, 0, 601, None),
        (None, 50, 551, None),
        (None, 10_000, 1, None),
        (500, 100, 501, None),
        (100, 50, 551, (101, 550)),
        (0, 0, 601, (1, 600)),
        (900, 50, 601, None),
    ],
)
async def test_no_more_old_rows_than_were_asked_for(
    tmp_path: Path, after: int | None, back: int, first: int, gap: tuple[int, int] | None
) -> None:
    async with opened(tmp_path) as (journal, here):
        await commit(journal, 1, 600)
        async with aclosing(_stream(here, ALL, after, _exact(None), back)) as stream:
            reading = asyncio.ensure_future(read(stream, 700))
            while not here.subscribers:
                await asyncio.sleep(0)
            await commit(journal, 601, 700)
            got = await reading
        skipped = [event.data for event in got if event.kind == "gap"]
        rows = [event.seq for event in got if event.kind != "gap"]
        assert rows == list(range(first, 701))
        expected = [] if gap is None else [{"lost": gap[1] - gap[0] + 1, "from": gap[0], "to": gap[1]}]
        assert skipped == expected


async def test_a_viewer_that_does_not_read_keeps_a_bounded_tail_and_learns_what_it_lost(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (journal, here):
        with here.join(ALL) as slow, here.join(ALL) as quick:
            seen = 0
            for start in range(1, 30_001, 3_000):
                await commit(journal, start, start + 2_999)
                seen += len(quick.take(10**6))
            assert seen == 30_000
            # whole batches go, so the tail is the newest of them
            assert slow.waiting == 3_000 <= WAITING_ROWS
            gap, *rows = slow.take(10**6)
            assert gap == Gap(27_000, 1, 27_000)
            assert [row.seq for row in rows if isinstance(row, hub.StreamRow)] == list(range(27_001, 30_001))
            assert here.lost == 27_000
            assert slow.take(10) == []


async def test_the_tail_is_bounded_in_bytes_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as (journal, here):
        with here.join(ALL) as slow:
            await commit(journal, 1, 100, text="x" * 100_000)
            assert WAITING_BYTES - 200_000 < slow.waiting_bytes <= WAITING_BYTES
            gap, *rows = slow.take(1000)
            assert isinstance(gap, Gap)
            assert gap.lost + len(rows) == 100
            assert (
                sum(len(row.body) for row in rows if isinstance(row, hub.StreamRow)) > WAITING_BYTES - 200_000
            )
            assert (slow.waiting, slow.waiting_bytes) == (0, 0)


async def test_too_many_viewers_and_the_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as (journal, here):
        await commit(journal, 1, 10)
        with ExitStack() as stack:
            for _ in range(MOST_VIEWERS):
                stack.enter_context(here.viewer())
                here.join(ALL)
            with pytest.raises(ResourceError), here.viewer():
                pass
            assert here.viewers == MOST_VIEWERS
        assert here.viewers == 0
        here.close()
        assert [await one.wait(10) for one in here._subscribers] == [False] * MOST_VIEWERS
        with here.join(ALL) as late:
            assert not await late.wait(10)


async def test_filters(tmp_path: Path) -> None:
    async with opened(tmp_path) as (journal, here):
        say(journal.batch, 1, sender="ann@local", talk="x")
        say(journal.batch, 2, to="ann@local", talk="y")
        say(journal.batch, 3, talk="x", text="ann@local")
        journal.batch.event(4, 4, "log", agent="ann@local", body=b'{"message":"m"}')
        journal.batch.event(5, 5, "cell", body=b"{}")
        say(journal.batch, 6, talk="x", sender="annabel@local")
        journal.batch.event(7, 7, "log", agent="ann@local", conversation_key=conversation_key("x"))
        say(journal.batch, 8, sender="ann@local", to="ann@local", talk="x")
        journal.flush()
        await journal.committed_upto(8)
        for kinds, agent, talk, wanted in [
            (None, None, None, [1, 2, 3, 4, 5, 6, 7, 8]),
            (None, "ann@local", None, [1, 2, 4, 7, 8]),
            (None, None, "x", [1, 3, 6, 7, 8]),
            (frozenset({"message"}), "ann@local", "x", [1, 8]),
            (frozenset({"log", "cell"}), None, None, [4, 5, 7]),
            (frozenset({"log", "message"}), None, "y", [2]),
        ]:
            passing = EventFilter(kinds, agent, talk)
            async with aclosing(_stream(here, passing, 0, _exact(agent))) as stream:
                got = await read(stream, wanted[-1])
            assert [event.seq for event in got] == wanted
            live = EventFilter(kinds, agent, talk)
            with here.join(live) as subscriber:
                batch = Batch()
                for stored in await journal.reader.stream(0):
                    if isinstance(stored, StoredEvent):
                        batch.event(
                            stored.seq, 0, stored.kind, stored.agent, stored.conversation_key, stored.body
                        )
                    else:
                        batch.message(stored.seq, 0, stored.conversation_key, 0, 0, 0, stored.body)
                subscriber.give(batch)
                keep = _exact(agent)
                rows = [row for row in subscriber.take(100) if isinstance(row, hub.StreamRow) and keep(row)]
                assert [row.seq for row in rows] == wanted


@given(
    st.lists(st.integers(1, 3 * WAITING_ROWS), min_size=1, max_size=6),
    st.lists(st.integers(0, 2 * WAITING_ROWS), min_size=6, max_size=6),
    st.lists(st.sampled_from([events.SAMPLE, WAITING_ROWS]), min_size=6, max_size=6),
)
def test_every_row_is_either_taken_or_counted(
    sizes: list[int], takes: list[int], services: list[int]
) -> None:
    """Whatever comes and however slowly it is read: rows and gaps together are the whole, in order."""

    lost: list[int] = []
    subscriber = hub.Subscriber(EventFilter(frozenset({"message"})), lost.append, lambda _: None)
    told: list[int] = []
    following = 1
    came = 0

    def check(most: int) -> None:
        nonlocal following
        for item in subscriber.take(most):
            if isinstance(item, Gap):
                assert item.first == following
                assert item.lost == item.last - item.first + 1
                told.append(item.lost)
                following = item.last + 1
            else:
                assert item.seq == following
                following += 1

    for size, most, room in zip(sizes, takes, services, strict=False):
        subscriber.most = room
        batch = Batch()
        for _ in range(size):
            came += 1
            batch.message(came, 0, 0, 0, 0, 0, b"{}")
        subscriber.give(batch)
        assert subscriber.waiting <= room
        check(most)
    check(10**6)
    assert following == came + 1
    assert subscriber.offered == came
    assert (subscriber.waiting, subscriber.waiting_bytes) == (0, 0)
    assert sum(lost) == sum(told)


async def test_a_viewer_gets_no_more_than_its_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a hundredth of the pace 40 rows take at least the time that 40 rows may take."""
    monkeypatch.setattr(events, "ROWS_PER_SECOND", 200)
    monkeypatch.setattr(events, "CHUNK", 4)
    loop = asyncio.get_running_loop()
    async with opened(tmp_path) as (journal, here):
        await commit(journal, 1, 40)
        began = loop.time()
        async with aclosing(_stream(here, ALL, 0, _exact(None))) as stream:
            assert len(await read(stream, 40)) == 40
        assert loop.time() - began >= (40 - 4) / 200


def test_a_viewer_gets_a_sample_while_too_many_rows_come_for_it() -> None:
    now = 100.0
    pace = _Pace(lambda: now)
    offered = 0

    def after(seconds: float, rows: int, *, lost: bool) -> int:
        nonlocal now, offered
        now += seconds
        offered += rows
        pace.see(offered, lost=lost)
        return pace.most

    # a burst that the queue holds, and a loss without many rows: a viewer that stood still
    assert after(0.5, 4_000, lost=False) == events.CHUNK
    assert after(0.5, 100, lost=True) == events.CHUNK
    # too many: known once half a second is over
    assert after(0.3, 20_000, lost=True) == events.CHUNK
    assert after(0.2, 20_000, lost=False) == events.SAMPLE
    # they go on coming; that none was lost meanwhile is no reason to send all of them
    assert after(0.5, 20_000, lost=False) == events.SAMPLE
    assert after(0.4, 100, lost=True) == events.SAMPLE
    assert after(0.2, 100, lost=False) == events.CHUNK


async def test_a_stream_becomes_a_sample_and_whole_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "ROWS_PER_SECOND", 1_000)
    monkeypatch.setattr(events, "SAMPLE_PER_SECOND", 1_000_000)
    monkeypatch.setattr(events, "CHUNK", 100)
    now, committed, said = 100.0, 0, answers.EventReader()
    async with opened(tmp_path) as (journal, here):
        with here.join(ALL) as subscriber:
            live = _live(subscriber, _Pace(lambda: now), _exact(None))

            async def after(seconds: float, rows: int) -> tuple[int, int]:
                """So many rows later: those of the next chunk, and those that wait behind it."""
                nonlocal now, committed
                now += seconds
                await commit(journal, committed + 1, committed + rows)
                committed += rows
                async with asyncio.timeout(20):
                    chunk = list(said.feed(await anext(live)))
                return len([event for event in chunk if event.kind == "message"]), subscriber.waiting

            many = 2 * WAITING_ROWS
            assert await after(0.5, many) == (100, WAITING_ROWS - 100)
            # what came is known to be too much: from now on no more waits than what is sent next
            assert (await after(0.5, many))[0] == events.SAMPLE
            assert await after(0.1, many) == (events.SAMPLE, 0)
            # few came for half a second: whole again, from the row after
            assert await after(0.5, 10) == (10, 0)
            assert await after(0.5, 10) == (10, 0)
            assert await after(0.1, 2 * events.SAMPLE) == (2 * events.SAMPLE, 0)
