"""Every way in which one agent does its worst within the default limits, each for as long as one wants.

Most are an agent that says the same in each turn, whatever it is told. The others make work of another kind: a state
that is as long as it may be, a past that takes long to run again, modules that take long to compile.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from itertools import count
from typing import Final, NamedTuple

import msgspec

from caxton.bench.measured_system import say
from caxton.deploy import DeploymentRequest
from caxton.limits import Limits
from caxton.runtime import Runtime

LOGS: Final = 100
SLOW_TURNS: Final = 40
SLOW_STEPS: Final = 10_000_000
"""Steps of the loop in each of them: some 10 ms, 60 million units of fuel."""
SPIN_STEPS: Final = 13_000_000
"""Steps that take nearly all of the fuel of a turn."""
BOMB: Final = (400, 200)
"""Functions of a module that takes long to compile, and steps in each."""
_NAME: Final = "storm"
_OTHER: Final = "storm-other"
_OUT: Final = 128 * 1024
_encode = msgspec.json.Encoder().encode
_bombs = count()
"""No two of them are the same, or they would be compiled already."""

Json = dict[str, object]


class Storm(NamedTuple):
    """One way: it blows while the context is open."""

    name: str
    text: str
    blows: Callable[[Runtime], AbstractAsyncContextManager[None]]


def storms() -> Iterator[Storm]:
    """Every way of doing one's worst."""
    nobody = [f"n{n}" for n in range(256)]
    to_self: Json = {"performative": "inform", "receiver": _NAME, "content": 1}
    to_other: Json = {"performative": "inform", "receiver": _OTHER, "content": 1}
    log: Json = {"caxton": "log", "level": "info", "message": "x" * 80}
    asked: Json = {"performative": "request", "receiver": _NAME, "protocol": "fipa-request"}
    timer: Json = {"performative": "request", "receiver": "timer", "content": {"after_ms": 1}}
    spin = partial(_talk, [[to_self]], begun_by=8, steps=SPIN_STEPS)
    yield Storm("spin", "computes in each turn until its fuel is nearly used up", spin)
    fan_out = [{**to_self, "receiver": nobody}] * 38
    yield Storm("fan_out", "says 38 messages to 256 agents that do not exist", partial(_talk, [fan_out]))
    yield Storm("self_fork", "says two messages to itself in each turn", partial(_talk, [[to_self, to_self]]))
    yield Storm(
        "ping_pong",
        "has 200 messages with another one, for ever",
        partial(_talk, [[to_other], [to_self]], begun_by=200),
    )
    yield Storm(
        "log_flood",
        "logs 100 lines in each turn",
        partial(_talk, [[log] * LOGS + [to_self]], begun_by=64),
    )
    yield Storm(
        "conversation_flood",
        "begins a conversation with itself in each turn",
        partial(_talk, [[asked]], begun_by=64),
    )
    large = [{**to_self, "content": "x" * 200_000}]
    yield Storm("journal_flood", "says 200 KB to itself in each turn", partial(_talk, [large], begun_by=8))
    yield Storm("timers", "sets 64 timers in each turn", partial(_talk, [[timer] * 64]))
    yield Storm(
        "big_state",
        "has a state of 1 MiB, which is kept every 100 turns",
        partial(_talk, [[to_self]], begun_by=64, state_bytes=Limits().snapshot_bytes),
    )
    yield Storm("slow_replay", f"comes back by {SLOW_TURNS} turns of some 10 ms", _slow_replay)
    yield Storm("compile_bomb", "is brought one module after another that takes long to compile", _compile)


@asynccontextmanager
async def _talk(
    said: Sequence[Sequence[Json]],
    runtime: Runtime,
    *,
    begun_by: int = 1,
    state_bytes: int = 0,
    steps: int = 0,
) -> AsyncGenerator[None]:
    """Agents that go round so often and say these lines in each turn, the first of them told something so often."""
    names = (_NAME, _OTHER)[: len(said)]
    for name, lines in zip(names, said, strict=True):
        module = guest(lines, state_bytes, steps)
        await runtime.engine.deploy(DeploymentRequest(name, module, wat=True))
    me = runtime.bus.full_name(_NAME)
    for number in range(begun_by):
        say(runtime, me, me, 1, f"storm-{number}")
    runtime.bus.settle()
    try:
        yield
    finally:
        for name in names:
            await runtime.agents.remove(name)


@asynccontextmanager
async def _slow_replay(runtime: Runtime) -> AsyncGenerator[None]:
    """An agent with a past of slow turns comes back, again and again."""
    await runtime.engine.deploy(DeploymentRequest(_NAME, guest([], steps=SLOW_STEPS), wat=True))
    me = runtime.bus.full_name(_NAME)
    for number in range(SLOW_TURNS):
        say(runtime, me, me, 1, f"storm-{number}")
    runtime.bus.settle()
    await runtime.bus.endpoints[me].empty()

    async def come_back() -> None:
        await runtime.agents.stop(_NAME)
        await runtime.agents.start(_NAME)

    try:
        async with _meanwhile(come_back):
            yield
    finally:
        await runtime.agents.remove(_NAME)


@asynccontextmanager
async def _compile(runtime: Runtime) -> AsyncGenerator[None]:
    """Modules come that take long to compile, each another one."""

    async def deploy() -> None:
        await runtime.engine.deploy(DeploymentRequest(_NAME, bomb(next(_bombs)), wat=True))

    await deploy()
    try:
        async with _meanwhile(deploy):
            yield
    finally:
        await runtime.agents.remove(_NAME)


@asynccontextmanager
async def _meanwhile(step: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Take that step again and again while the context is open. The last one is waited for, since what is asked of the
    engine goes on beside whoever asked."""
    over = asyncio.Event()

    async def go_on() -> None:
        while not over.is_set():
            await step()

    async with asyncio.TaskGroup() as group:
        group.create_task(go_on())
        try:
            yield
        finally:
            over.set()


def guest(lines: Sequence[Json], state_bytes: int = 0, steps: int = 0) -> bytes:
    """A module whose every turn goes round so often and says these lines, with a state of so many bytes, as WebAssembly
    text."""
    said = b"\n".join(_encode(line) for line in lines)
    messages = sum("caxton" not in line for line in lines)
    # magic, version 1.0, flags, in_ptr, in_cap, out_ptr, out_len, out_cap
    fields = (0x31415843, 1 << 16, 0, 4_096, 65_536, _OUT, 0, 1 << 20)
    head = "".join(f"\\{byte:02x}" for byte in struct.pack("<8I", *fields))
    text = "".join(f"\\{byte:02x}" if byte in b'"\\\n' or byte > 126 else chr(byte) for byte in said)
    state = f"""(func (export "caxton_snapshot") (result i32)
      (i32.store (i32.const 88) (i32.const {state_bytes})) (i32.const 0))"""
    return f"""(module
  (memory (export "memory") 24)
  (data (i32.const 64) "{head}")
  (data (i32.const {_OUT}) "{text}")
  (func (export "caxton_abi") (result i32) (i32.const 64))
  (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
  {state if state_bytes else ""}
  (func (export "handle_message") (param i32 i32) (result i32) (local $n i32)
    (local.set $n (i32.const {steps}))
    (loop $round (if (local.get $n) (then
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $round))))
    (i32.store (i32.const 88) (i32.const {len(said)}))
    (i32.const {messages})))""".encode()


def bomb(number: int) -> bytes:
    """A module that takes long to compile and does nothing, another one for each number, as WebAssembly text."""
    functions, steps = BOMB
    step = (
        "(local.set 1 (i32.add (i32.mul (local.get 0) (local.get 1)) (i32.rotl (local.get 1) (local.get 0))))"
    )
    body = "".join(f"(func (param i32) (result i32) (local i32) {step * steps} (local.get 1))" * functions)
    plain = guest([]).decode()
    return f'{plain[:-1]} {body} (func (export "n{number}")))'.encode()
