"""Real systems for tests: a project in a folder, its journal, its cells, and guests that do what a test needs.

In: a folder and a line or two of caxton.toml. Out: a running runtime; a second one over the same folder is a restart.
Nothing here waits for time to pass: `reached` wakes when the agent's next event is written.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prefork import SharedForks

from caxton.cells import CellLink
from caxton.clock import Clock
from caxton.config import load
from caxton.example_modules import module
from caxton.journal import Batch
from caxton.journal.retention.removal import remove_range
from caxton.journal.retention.spared import Spared
from caxton.journal.write import schema
from caxton.machine import RealMachine
from caxton.runtime import Runtime, open_runtime
from caxton.sandbox.frames import Kind, Meters

pytestmark = pytest.mark.system

PATIENCE_S = 8.0
COUNTER, ROGUE, ECHO, RELAY = module("counter"), module("rogue"), module("echo"), module("relay")
COUNTER_2 = COUNTER + b"\0\3\2v2"
"""The same counter with a custom section at its end: another revision."""


@asynccontextmanager
async def home(
    folder: Path, toml: str = "", *, cells: int = 1, clock: Clock | None = None, within_s: float | None = 60
) -> AsyncGenerator[Runtime]:
    """A system over that folder; the test may take so long, or as long as it takes where what it does grows."""
    (folder / "caxton.toml").write_text(f"cells = {cells}\n{toml}")
    async with (
        asyncio.timeout(within_s),
        open_runtime(load(folder, {}), machine=RealMachine(clock, SharedForks())) as runtime,
    ):
        yield runtime


async def power_cut(runtime: Runtime, to: Path) -> Path:
    """A project folder as it would be found if the machine stopped now."""
    await commit(runtime)
    shutil.copytree(runtime.project.state, to / runtime.project.state.name)
    return to


def remove(folder: Path, upto: int, *, as_before: bool = False) -> None:
    """What retention does to the journal of a project that does not run, up to a number. `as_before`: what it did in
    versions that spared no memory, which their journals say of themselves."""
    db = schema.writing_connection(folder / ".caxton" / "journal.db")
    spared = Spared(db)
    if as_before:
        db.execute("delete from memory_base")
        db.execute("update meta set value = ? where key = 'forgot_upto'", (upto,))
    remove_range(db, spared, 0, upto, upto)
    db.close()
    # another hand was in it
    (folder / ".caxton" / "journal.sums").unlink()


def link_of(runtime: Runtime, no: int = 1) -> CellLink:
    """The daemon's end of a cell."""
    link = runtime.cells.cells[no - 1].link
    assert link is not None
    return link


async def instances(runtime: Runtime, no: int = 1) -> int:
    """How many instances that cell says it has."""
    answer = await link_of(runtime, no).request(Kind.METERS, 0)
    return msgspec.json.decode(answer.payload, type=Meters).slots


async def ask(runtime: Runtime, receiver: str, content: Any = None, **more: Any) -> dict[str, Any]:
    """Request something and wait for the answer, which may be a failure."""
    talk = more.get("conversation_id", f"ask-{runtime.bus.last_seq}")
    wish = {"performative": "request", "receiver": receiver, "content": content, "conversation_id": talk}
    # before it is said: a failure may be there at once
    with runtime.bus.clients.expect(talk) as waiter:
        runtime.bus.submit({**wish, **more})
        body = await waiter.next(PATIENCE_S)
    assert body is not None, f"{receiver} did not answer"
    return json.loads(body.body)


async def count(runtime: Runtime, name: str = "c", add: int = 1) -> int:
    """Let a counter count; where it stands then."""
    answer = await ask(runtime, name, {"add": add})
    assert answer["performative"] == "inform", answer
    return answer["content"]["count"]


async def commit(runtime: Runtime) -> None:
    """Everything so far is on disk, turns too."""
    runtime.bus.event("test", body={})
    runtime.bus.settle()
    await runtime.journal.committed_upto(runtime.bus.last_seq)


async def answers(runtime: Runtime) -> dict[int, list[dict[str, Any]]]:
    """What guests and the platform said, by the number of the message that they said it to."""
    await commit(runtime)
    found: dict[int, list[dict[str, Any]]] = {}
    for row in await runtime.journal.reader.messages(limit=100_000):
        if row.cause:
            found.setdefault(row.cause, []).append(json.loads(row.body))
    return found


async def letters(runtime: Runtime) -> list[tuple[int, str, str]]:
    """Dead letters by number and agent, with their codes."""
    await commit(runtime)
    rows = await runtime.journal.reader.dead_letters(limit=100_000)
    return sorted((row.seq, row.agent, row.code) for row in rows)


async def events(runtime: Runtime, kind: str) -> list[dict[str, Any]]:
    """Bodies of the events of a kind, oldest first."""
    await commit(runtime)
    return [json.loads(one.body) for one in await runtime.journal.reader.events(kind=kind, limit=1000)]


@contextmanager
def changes(runtime: Runtime) -> Iterator[Callable[[Callable[[], bool]], Any]]:
    """Wait for a condition: it is looked at after each commit, and everything that happens is committed."""
    committed = asyncio.Event()

    def told(batch: Batch) -> None:
        committed.set()

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                committed.clear()
                await committed.wait()

    runtime.journal.on_commit.append(told)
    try:
        yield until
    finally:
        runtime.journal.on_commit.remove(told)


async def reached(runtime: Runtime, condition: Callable[[], bool]) -> None:
    """Wait until that is so; it must come with something that is journalled."""
    with changes(runtime) as until:
        await until(condition)


def kill_cell(runtime: Runtime, no: int = 1) -> int:
    """Kill the process of a cell, as the system would; its pid."""
    pid = runtime.cells.views()[no - 1].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def tally(*, tag: str = "one", before: str = "", step: int = 1) -> bytes:
    """A counter of eight digits in WAT without any hook: its state is the text of its answer, in its memory.

    A message of more than 2,000 bytes traps after it has counted, one of more than 1,000 is refused with an error code,
    one of more than 500 makes it speak as somebody else, which the bus refuses. `step` is what it adds.
    """
    says = '{\\"performative\\":\\"inform\\",\\"content\\":\\"00000000\\"}\\n'
    wrong = '{\\"performative\\":\\"inform\\",\\"sender\\":\\"x\\"}\\n'
    return f"""(module
      (memory (export "memory") 1)
      (data (i32.const 16) {MAILBOX})
      (data (i32.const 256) "{says}")
      (data (i32.const 1024) "{wrong}")
      (data (i32.const 2048) "{tag}")
      (func (export "caxton_abi") (result i32) (i32.const 16))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      (func $add (local $at i32)
        (local.set $at (i32.const 300))
        (loop $carry
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          (i32.store8 (local.get $at) (i32.add (i32.load8_u (local.get $at)) (i32.const 1)))
          (if (i32.gt_u (i32.load8_u (local.get $at)) (i32.const 57))
            (then (i32.store8 (local.get $at) (i32.const 48)) (br $carry)))))
      (func (export "handle_message") (param $p i32) (param $n i32) (result i32) {before}
        {"(call $add)" * step}
        (if (i32.gt_u (local.get $n) (i32.const 2000)) (then (unreachable)))
        (if (i32.gt_u (local.get $n) (i32.const 1000)) (then (return (i32.const -7))))
        (i32.store (i32.const 36) (i32.const 256))
        (i32.store (i32.const 40) (i32.const 47))
        (if (i32.gt_u (local.get $n) (i32.const 500)) (then
          (i32.store (i32.const 36) (i32.const 1024)) (i32.store (i32.const 40) (i32.const 39))))
        (i32.const 1)))""".encode()


async def tell(runtime: Runtime, name: str = "c", content: Any = None) -> int:
    """Let a tally count; where it stands then."""
    answer = await ask(runtime, name, content)
    assert answer["performative"] == "inform", answer
    return int(answer["content"])


MAILBOX = (
    '"CXA1" "\\00\\00\\01\\00" "\\00\\00\\00\\00" "\\00\\10\\00\\00" "\\00\\20\\00\\00" '
    '"\\00\\01\\00\\00" "\\00\\00\\00\\00" "\\00\\02\\00\\00"'
)
"""In buffer 8 KiB at 4096, out buffer 512 bytes at 256."""
SAYS = '{\\"performative\\":\\"inform\\",\\"content\\":{\\"count\\":0}}\\n'
SAYS_LENGTH = 48
COUNT_AT = 256 + 44


def guest(
    *, init: str = "", snapshot: str = "", restore: str = "", handle: str = "", tag: str = "one"
) -> bytes:
    """A counter in WAT (one digit) whose hooks do something first; a `tag` makes another revision of it."""
    return f"""(module
      (memory (export "memory") 1)
      (global $n (mut i32) (i32.const 0))
      (data (i32.const 16) {MAILBOX})
      (data (i32.const 256) "{SAYS}")
      (data (i32.const 2048) "{tag}")
      (func (export "caxton_abi") (result i32) (i32.const 16))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      (func (export "caxton_init") (param i32 i32) (result i32) {init} (i32.const 0))
      (func (export "caxton_snapshot") (result i32) {snapshot}
        (i32.store8 (i32.const 256) (i32.add (global.get $n) (i32.const 48)))
        (i32.store (i32.const 40) (i32.const 1)) (i32.const 0))
      (func (export "caxton_restore") (param i32 i32) (result i32) {restore}
        (global.set $n (i32.sub (i32.load8_u (local.get 0)) (i32.const 48))) (i32.const 0))
      (func (export "handle_message") (param i32 i32) (result i32) {handle}
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (i32.store8 (i32.const 256) (i32.const 123))
        (i32.store8 (i32.const {COUNT_AT}) (i32.add (global.get $n) (i32.const 48)))
        (i32.store (i32.const 40) (i32.const {SAYS_LENGTH})) (i32.const 1)))""".encode()


def saying(output: bytes, returned: int = 0) -> bytes:
    """A guest in WAT whose every turn writes these bytes and returns that number."""
    written = "".join(f"\\{byte:02x}" for byte in output)
    return f"""(module
      (memory (export "memory") 4)
      (data (i32.const 64) "CXA1\\00\\00\\01\\00\\00\\00\\00\\00\\00\\10\\00\\00\\00\\00\\01\\00\\00\\10\\01\\00"
        "\\00\\00\\00\\00\\00\\00\\02\\00")
      (data (i32.const 69632) "{written}")
      (func (export "caxton_abi") (result i32) (i32.const 64))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      (func (export "handle_message") (param i32 i32) (result i32)
        (i32.store (i32.const 88) (i32.const {len(output)}))
        (i32.const {returned})))""".encode()
