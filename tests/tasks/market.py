"""A runtime with sellers of the market for tests of tasks, and others that do what a task has to cope with.

In: a folder. Out: a running runtime. The sellers are the example's own module; `says` makes the others. Nothing waits
by the clock of the machine.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from agents.systems import PATIENCE_S, home, reached

from caxton.acl.message import read_message
from caxton.clock import Clock
from caxton.deploy import DeploymentRequest
from caxton.example_modules import folder
from caxton.protocols import Legality, Referee, library
from caxton.runtime import Runtime
from caxton.tasks import TaskRequest, TaskView

SELLER = (folder("market") / "seller.wasm").read_bytes()
SELLERS = {"ann": 40, "bob": 44, "cleo": 38}
BOOK = {"item": "book"}
TRAP = "trap"


def says(answers: dict[str, str]) -> bytes:
    """A guest in WAT that answers a message by the first of these words that its bytes have, else not at all.

    What it answers is one line of JSON, nothing, or a trap.
    """
    data, tests, at = "", "", 8192
    for word, line in answers.items():
        then = "unreachable" if line == TRAP else f"(return (i32.const {int(bool(line))}))"
        whole = (line + "\n").encode() if line else b""
        data += f'(data (i32.const {at}) "{escaped(word.encode())}")\n'
        data += f'(data (i32.const {at + 256}) "{escaped(whole)}")\n'
        tests += f"""(if (call $has (local.get 0) (local.get 1) (i32.const {at}) (i32.const {len(word)}))
          (then (i32.store (i32.const 36) (i32.const {at + 256})) (i32.store (i32.const 40) (i32.const {len(whole)}))
            (i32.store (i32.const 44) (i32.const 4096)) {then}))\n"""
        at += 4096
    return f"""(module
      (memory (export "memory") 4)
      (data (i32.const 16) "CXA1" "\\00\\00\\01\\00" "\\00\\00\\00\\00" "\\00\\10\\00\\00" "\\00\\10\\00\\00"
        "\\00\\20\\00\\00" "\\00\\00\\00\\00" "\\00\\10\\00\\00")
      {data}
      (func (export "caxton_abi") (result i32) (i32.const 16))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      (func $has (param $p i32) (param $n i32) (param $w i32) (param $k i32) (result i32)
        (local $i i32) (local $j i32)
        (loop $next
          (if (i32.gt_u (i32.add (local.get $i) (local.get $k)) (local.get $n)) (then (return (i32.const 0))))
          (local.set $j (i32.const 0))
          (block $differs
            (loop $same
              (if (i32.eq (local.get $j) (local.get $k)) (then (return (i32.const 1))))
              (br_if $differs (i32.ne
                (i32.load8_u (i32.add (local.get $p) (i32.add (local.get $i) (local.get $j))))
                (i32.load8_u (i32.add (local.get $w) (local.get $j)))))
              (local.set $j (i32.add (local.get $j) (i32.const 1)))
              (br $same)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))
        (unreachable))
      (func (export "handle_message") (param i32 i32) (result i32)
        {tests}
        (i32.store (i32.const 40) (i32.const 0)) (i32.const 0)))""".encode()


def said(act: str, content: object = None, **more: object) -> str:
    """One line that a guest answers with."""
    return json.dumps({"performative": act, "content": content, **more}, separators=(",", ":"))


def act(name: str) -> str:
    """What the bytes of a message with that act have."""
    return f'"performative":"{name}"'


@asynccontextmanager
async def shop(
    place: Path, guests: dict[str, bytes] | None = None, *, clock: Clock | None = None, toml: str = ""
) -> AsyncGenerator[Runtime]:
    """Three steady sellers and these guests; agents that are there already stay as they are."""
    async with home(place, toml, clock=clock) as runtime:
        for name, price in SELLERS.items():
            if name not in runtime.agents.registry.agents:
                await runtime.engine.deploy(
                    DeploymentRequest(name, SELLER, settings={"price": price, "mood": "steady", "seed": 7})
                )
        for name, wasm in (guests or {}).items():
            if name not in runtime.agents.registry.agents:
                await runtime.engine.deploy(DeploymentRequest(name, wasm, wat=True))
        yield runtime


def wish(to: str, protocol: str = "contract-net", content: object = BOOK, **more: Any) -> TaskRequest:
    """What is asked for; a contract net for the lowest price where nothing else is said."""
    if protocol == "contract-net":
        more.setdefault("choose", "lowest:price")
    return TaskRequest(
        protocol=protocol, to=to.split(","), content=msgspec.Raw(msgspec.json.encode(content)), **more
    )


async def ended(runtime: Runtime, id: str) -> TaskView:
    """That task when it has ended; what is read of it from the journal is what it knew, and it broke no rule."""
    await runtime.tasks.ended(id, PATIENCE_S)
    view = await runtime.tasks.view(id)
    assert view.summary.ended_us is not None, view
    over = all(branch.outcome is not None for branch in view.branches)
    assert over == (view.summary.state in ("Completed", "Failed", "Expired")), view
    rows = await runtime.journal.reader.messages(conversation=id, limit=1000)
    referee = Referee(library(), seen=0)
    for row in rows:
        message = read_message(row.body)
        verdict = referee.judge(message, message.timestamp)
        if message.sender == view.summary.initiator:
            assert verdict.legality is Legality.LEGAL, (message, verdict)
    return view


async def so_far(
    runtime: Runtime, id: str, *, received: dict[str, int] | None = None, sent: dict[str, int] | None = None
) -> None:
    """Until a task has heard and said that much."""

    def there() -> bool:
        live = runtime.tasks.live(id)
        assert live is not None
        return all(
            counts.get(act, 0) >= count
            for counts, wanted in ((live.received, received), (live.sent, sent))
            for act, count in (wanted or {}).items()
        )

    await reached(runtime, there)


async def run(runtime: Runtime, asked: TaskRequest) -> TaskView:
    """Run a task to its end."""
    return await ended(runtime, await runtime.tasks.begin(asked))


def states(view: TaskView) -> dict[str, str]:
    """The state of each branch by its participant's local name."""
    return {branch.participant.partition("@")[0]: branch.state for branch in view.branches}


def content(raw: msgspec.Raw | None) -> Any:
    """A content as it is in JSON."""
    assert raw is not None
    return msgspec.json.decode(raw)


def escaped(text: bytes) -> str:
    """Bytes as WAT writes them."""
    return "".join(f"\\{byte:02x}" for byte in text)
