"""What the journal costs, and how soon it answers: `just journal-figures 1000000`.

In: how many messages. Out: a table on stdout. Conversations of ten among a thousand agents, each with one that all of
them talk to; a turn for each message; one agent spoke once, at the beginning, and was stopped with a message waiting.
Processor time; a median of five where a question is asked.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from caxton.clock import SystemClock
from caxton.ids import conversation_key
from caxton.journal import AgentRow, Journal, JournalSettings
from caxton.journal.read.reader import Reader
from caxton.journal.retention import retention

AGENTS, BATCH = 1_000, 1_000
HUB, QUIET, SILENT = 16, 17, 18
"""The numbers of those that everybody, hardly anybody and nobody talks to."""
BODY = (
    b'{"id":"0192f3a0b1c2-%d","performative":"inform","sender":"agent-%d@local","receiver":["agent-%d@local"],'
    b'"conversation_id":"talk-%d","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7",'
    b'"timestamp":%d,"content":{"item":"book-%d","price":%d,"note":"as agreed, delivered on the second day"}}'
)
Question = Callable[[Reader], Awaitable[object]]


def say(what: str, figure: str) -> None:
    """A row of the table."""
    sys.stdout.write(f"| {what} | {figure} |\n")
    sys.stdout.flush()


def name(no: int) -> str:
    return f"agent-{no}@local"


async def fill(journal: Journal, many: int) -> None:
    """Write the history; ten conversations are open at a time."""
    at = time.time_ns() // 1000 - many
    for no in range(HUB, HUB + AGENTS):
        journal.batch.records.append(AgentRow(no, name(no), "running", 1, "{}", at, at))
    for seq in range(1, many + 1):
        talk = seq // 100 * 10 + seq % 10
        one, other = HUB + 3 + talk % (AGENTS - 3), HUB
        if seq < 12:
            talk, one = 0, QUIET
        elif seq // 10 % 2:
            one, other = other, one
        key = conversation_key(f"talk-{talk}")
        body = BODY % (seq, one, other, talk, at + seq, seq % 977, seq % 89)
        if seq % 100 < 10 or seq < 12:
            journal.batch.conversations.append((key, f"talk-{talk}", seq, at + seq, name(one), None))
            journal.batch.participants += [(name(one), key), (name(other), key)]
        journal.batch.message(seq, at + seq, key, max(0, seq - 10), 1, 0, body)
        if seq != 11:
            journal.batch.turns.append((seq, other, 1, at + seq, 30, 200, 5_000, 1, 0, seq))
        if seq % BATCH == 0:
            journal.batch.meta("low_water", 10)
            journal.flush()
            await journal.committed_upto(seq - 2 * BATCH)
    await journal.written()


async def asked(reader: Reader, question: Question) -> tuple[float, int]:
    """Milliseconds for one answer, and how many rows it has."""
    spent: list[float] = []
    for _ in range(5):
        began = time.process_time()
        found = await question(reader)
        spent.append(time.process_time() - began)
    return statistics.median(spent) * 1e3, len(found) if isinstance(found, list) else 1


def questions(many: int) -> dict[str, Question]:
    talk = f"talk-{many // 200 * 10 + 5}"
    asks: dict[str, Question] = {
        "a conversation of 10": lambda r: r.messages(conversation=talk),
        "the newest 100 messages": lambda r: r.messages(newest_first=True),
        "the oldest 100 messages": lambda r: r.messages(),
        "100 conversations": lambda r: r.conversations(),
        "100 dead letters": lambda r: r.dead_letters(),
        "100 events": lambda r: r.events(newest_first=True),
        "how far it reaches": lambda r: r.stats(),
    }
    for who, no in {"the busiest": HUB, "an": HUB + 500, "a quiet": QUIET, "a silent": SILENT}.items():
        asks |= {
            f"{who} agent's newest 100 turns": lambda r, no=no: r.turns(
                agent=name(no), limit=100, newest_first=True
            ),
            f"{who} agent's newest 100 messages": lambda r, no=no: r.messages(
                agent=name(no), newest_first=True
            ),
            f"{who} agent's 100 conversations": lambda r, no=no: r.conversations(agent=name(no)),
        }
    return asks


class Steps:
    """How long steps of retention take the writer, by its processor time and by the clock."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []
        step = retention.Retention.step

        def timed(self: retention.Retention, indexed: int) -> int:
            cpu, wall = time.thread_time(), time.monotonic()
            removed = step(self, indexed)
            steps.cpu.append((time.thread_time() - cpu) * 1e3)
            steps.wall.append((time.monotonic() - wall) * 1e3)
            return removed

        steps, retention.Retention.step = self, timed  # type: ignore[method-assign]


async def figures(folder: Path, many: int) -> None:
    clock = SystemClock()
    everything = JournalSettings(keep_days=0, keep_mib=0)
    began = time.process_time()
    async with await Journal.open(folder, clock, everything) as journal:
        await fill(journal, many)
        spent_us, counts = (time.process_time() - began) * 1e6, journal.counts
        say("write, µs a message: the writer's thread", f"{counts.cpu_us / many:.1f}")
        say("the same with what makes the messages", f"{spent_us / many:.1f}")
    size = sum(path.stat().st_size for path in folder.iterdir())
    say(f"disk, bytes a message (bodies {counts.bytes / many:.0f})", f"{size / many:.0f}")
    for what in (
        "a start: opened, and what was not finished found, s",
        "the same once what waits is put down, s",
    ):
        began = time.process_time()
        async with await Journal.open(folder, clock, everything) as journal:
            waiting = list(journal.pending())
            say(what, f"{time.process_time() - began:.2f}")
            assert [message.seq for message, _ in waiting][:1] == [11]
            while await _behind(journal) > retention.UNSETTLED:
                pass
            if what.startswith("the same"):
                for ask, question in questions(many).items():
                    spent_ms, rows = await asked(journal.reader, question)
                    say(f"{ask} ({rows} rows)", f"{spent_ms:.1f} ms")
    steps = Steps()
    half = JournalSettings(keep_days=0, keep_mib=max(1, size >> 21), retention_every_s=0.0)
    async with await Journal.open(folder, clock, half) as journal:
        while journal.kept.counted > half.keep_mib << 20 or not journal.kept.counted:
            await journal.reader.stats()
    say(f"{len(steps.cpu):,} steps of retention, ms: median / 99 % / worst", _spread(steps.cpu))
    say("the same by the clock, with the disk and whoever else runs", _spread(steps.wall))


async def _behind(journal: Journal) -> int:
    stats, settled = await journal.reader.stats(), await journal.reader.meta("settled_upto")
    return stats.indexed_upto - max(stats.low_water, int(settled or 0))


def _spread(ms: list[float]) -> str:
    ordered = sorted(ms)
    return f"{ordered[len(ms) // 2]:.0f} / {ordered[len(ms) * 99 // 100]:.0f} / {ordered[-1]:.0f}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(figures(Path(made) / ".caxton", int(sys.argv[1])))
