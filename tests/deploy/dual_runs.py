"""Two revisions side by side, for tests: a counter that fails where it is told to, a client in many conversations."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from agents.systems import MAILBOX, commit, reached

from caxton.deploy import DeploymentRequest, DeploymentView
from caxton.runtime import Runtime

SAYS = '{\\"performative\\":\\"inform\\",\\"content\\":{\\"by\\":\\"one\\",\\"count\\":\\"00000000\\"}}\\n'
SAYS_LENGTH = len(SAYS) - SAYS.count("\\")
BY_AT = 256 + SAYS.replace('\\"', '"').index("one")
DIGITS_AT = 256 + SAYS.replace('\\"', '"').index("0000")
SPIN = "(loop $on (br $on))"
SAYS_NONSENSE = f"(i32.store8 (i32.const {DIGITS_AT - 1}) (i32.const 32))"
"""A quote is missing in what it says, so the host refuses it."""
REFUSES = "(return (i32.const -1))"
STATE_LOST = {"snapshot": False}


def counter(by: str = "one", *, first: str = "", then: str = "", snapshot: bool = True) -> bytes:
    """A counter of eight digits in WAT that says which build it is; `first` runs before it counts, `then` after."""
    assert len(by) == 3
    hooks = """
      (func (export "caxton_snapshot") (result i32)
        (i32.store (i32.const 512) (global.get $n)) (i32.store (i32.const 36) (i32.const 512))
        (i32.store (i32.const 40) (i32.const 4)) (i32.const 0))
      (func (export "caxton_restore") (param i32 i32) (result i32)
        (global.set $n (i32.load (local.get 0))) (i32.const 0))"""
    return f"""(module
      (memory (export "memory") 1)
      (global $n (mut i32) (i32.const 0))
      (data (i32.const 16) {MAILBOX})
      (data (i32.const 256) "{SAYS}")
      (data (i32.const {BY_AT}) "{by}")
      (func (export "caxton_abi") (result i32) (i32.const 16))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      {hooks if snapshot else ""}
      (func (export "handle_message") (param i32 i32) (result i32) (local $left i32) (local $at i32)
        (i32.store8 (i32.const {DIGITS_AT - 1}) (i32.const 34))
        {first}
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (local.set $left (global.get $n))
        (local.set $at (i32.const {DIGITS_AT + 7}))
        (loop $digit
          (i32.store8 (local.get $at)
            (i32.add (i32.const 48) (i32.rem_u (local.get $left) (i32.const 10))))
          (local.set $left (i32.div_u (local.get $left) (i32.const 10)))
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          (br_if $digit (local.get $left)))
        {then}
        (i32.store (i32.const 36) (i32.const 256))
        (i32.store (i32.const 40) (i32.const {SAYS_LENGTH})) (i32.const 1)))""".encode()


def every(number: int, does: str) -> str:
    """Do that in the turns whose number is a multiple."""
    return f"(if (i32.eqz (i32.rem_u (i32.add (global.get $n) (i32.const 1)) (i32.const {number}))) (then {does}))"


def longer(than: int, does: str, *, upto: int = 1 << 20) -> str:
    """Do that in the turns on messages that are longer, and not longer than `upto`."""
    length = "(local.get 1)"
    return f"(if (i32.and (i32.gt_u {length} (i32.const {than})) (i32.le_u {length} (i32.const {upto}))) (then {does}))"


def talk(runtime: Runtime, conversation: str, **more: Any) -> int:
    """One request in a conversation; its number."""
    return runtime.bus.submit(
        {"performative": "request", "receiver": "c", "conversation_id": conversation, **more}
    ).seq


async def up(runtime: Runtime, wasm: bytes, **more: Any) -> DeploymentView:
    """The first revision of the agent."""
    return await runtime.engine.deploy(DeploymentRequest("c", wasm, wat=True, **more))


@asynccontextmanager
async def side_by_side(
    runtime: Runtime, wasm: bytes, **more: Any
) -> AsyncGenerator[asyncio.Future[DeploymentView]]:
    """A deployment whose two revisions live when this is entered."""
    change = asyncio.ensure_future(runtime.engine.deploy(DeploymentRequest("c", wasm, wat=True, **more)))
    record = runtime.agents.registry.find("c")
    await reached(runtime, lambda: record.deployment is not None or change.done())
    if change.done():
        change.result()
    yield change


async def said(runtime: Runtime, asked: list[int]) -> list[tuple[str, int]]:
    """Who answered each of these, and where it stood; each was answered once and by a counter."""
    await runtime.bus.endpoints["c@local"].empty()
    await commit(runtime)
    found: dict[int, list[dict[str, Any]]] = {}
    for row in await runtime.journal.reader.messages(limit=1_000_000):
        if row.cause:
            found.setdefault(row.cause, []).append(json.loads(row.body))
    assert {seq: found.get(seq, []) for seq in asked if len(found.get(seq, [])) != 1} == {}
    contents = [found[seq][0]["content"] for seq in asked]
    return [(one.get("by", str(one)), int(one.get("count", 0))) for one in contents]


async def revisions(runtime: Runtime) -> dict[int, int]:
    """Which revision's turn each message had."""
    await commit(runtime)
    turns = await runtime.journal.reader.turns(agent="c@local", limit=1_000_000)
    return {turn.seq: turn.revision_no for turn in turns}
