"""Agents that talk among themselves get no further ahead of a slow disk than the journal allows."""

from __future__ import annotations

import asyncio

from msgspec import Raw

from caxton.acl import Draft, Performative
from caxton.journal import Batch
from caxton.journal.journal import CONGESTED_BYTES
from caxton.testing import Agent, Pace, System, runtime

LONG = 30_000
PAIRS = 40
AHEAD_BYTES = CONGESTED_BYTES + 2 * PAIRS * (LONG + 1_000)
"""What is allowed, and an answer from each agent that has a message in hand."""


MAILBOX = (
    '"CXA1" "\\00\\00\\01\\00" "\\00\\00\\00\\00" "\\00\\10\\00\\00" "\\00\\d0\\03\\00" '
    '"\\00\\00\\04\\00" "\\00\\00\\00\\00" "\\00\\00\\04\\00"'
)
"""In buffer 249,856 bytes at 4096, out buffer 262,144 at 262,144."""


def talker() -> bytes:
    """Answers every request with a long one."""
    head, tail = '{"performative":"request","content":"', '"}\n'
    escaped = [part.replace('"', '\\"').replace("\n", "\\n") for part in (head, tail)]
    return f"""(module
      (memory (export "memory") 8)
      (data (i32.const 16) {MAILBOX})
      (data (i32.const 262144) "{escaped[0]}")
      (data (i32.const {262144 + len(head) + LONG}) "{escaped[1]}")
      (func (export "caxton_abi") (result i32) (i32.const 16))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      (func (export "handle_message") (param $p i32) (param $n i32) (result i32)
        (memory.fill (i32.const {262144 + len(head)}) (i32.const 120) (i32.const {LONG}))
        (i32.store (i32.const 36) (i32.const 262144))
        (i32.store (i32.const 40) (i32.const {len(head) + LONG + len(tail)}))
        (i32.const 1)))""".encode()


def test_agents_do_not_run_ahead_of_the_disk() -> None:
    agents: dict[str, Agent | bytes] = {
        f"{side}{no}": Agent(talker(), wat=True, recover="fresh") for side in "ab" for no in range(PAIRS)
    }
    with runtime(agents, pace=Pace(commit_us=(2_000_000, 2_000_000), turn_us=(100, 100))) as system:
        most = system.run(_talk(system))
        committed = system.runtime.journal.counts.bytes
    assert CONGESTED_BYTES < most < AHEAD_BYTES
    assert committed > 3 * CONGESTED_BYTES, "they go on when the disk has caught up"


async def _talk(system: System) -> int:
    """Let pairs answer each other for a while; the most bytes that waited for the disk."""
    bus, journal = system.runtime.bus, system.runtime.journal
    enough: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    most = 0

    def committed(batch: Batch) -> None:
        nonlocal most
        most = max(most, batch.size + journal.waiting_bytes)
        much = journal.counts.bytes > 3 * CONGESTED_BYTES or most > 2 * AHEAD_BYTES
        if much and not enough.done():
            enough.set_result(None)

    journal.on_commit.append(committed)
    for no in range(PAIRS):
        draft = Draft(Performative.REQUEST, [f"b{no}@local"], Raw(b"0"), conversation_id=f"talk-{no}")
        bus.admit(draft, f"a{no}@local", trace_id="0" * 31 + "1", cause=0, hops=0)
    bus.settle()
    await enough
    return most
