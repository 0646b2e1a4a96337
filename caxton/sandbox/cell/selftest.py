"""Whether the fast path may be used: it must give what the public path gives, on a small guest, in this
very process."""

from __future__ import annotations

import os
from importlib.metadata import version

import wasmtime

from caxton.limits import Limits
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.instance import Instance
from caxton.sandbox.engines import engine
from caxton.sandbox.faults import GuestFault
from caxton.sandbox.modules import Revision
from caxton.sandbox.profiles import PINNED, Profile

FORCED = "CAXTON_CALLS"
"""Set to `public`, this environment variable keeps the fast path off."""

GUEST = """
(module
  (memory (export "memory") 1 3)
  (data (i32.const 16)
  "CXA1\\00\\00\\01\\00\\00\\00\\00\\00\\00\\01\\00\\00\\00\\10\\00\\00\\00\\20\\00\\00\\00\\00\\00\\00\\00\\10\\00\\00")
  (func (export "caxton_abi") (result i32) (i32.const 16)) (func (export "caxton_alloc") (param i32) (result
  i32)
    (if (i32.eqz (memory.grow (i32.const 1))) (then unreachable))
    (i32.store (i32.const 28) (i32.const 65536))
    (i32.store (i32.const 32) (local.get 0))
    (i32.const 65536))
  (func (export "handle_message") (param $at i32) (param $size i32) (result i32) (local $i i32)
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 33)) (then unreachable))
    (loop $copy
      (i32.store8 (i32.add (i32.const 8192) (local.get $i))
        (i32.load8_u (i32.add (local.get $at) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $copy (i32.lt_u (local.get $i) (local.get $size))))
    (i32.store (i32.const 40) (local.get $size))
    (if (result i32) (i32.eq (i32.load8_u (local.get $at)) (i32.const 45))
      (then (i32.const -7)) (else (i32.const 1)))))
"""

MESSAGES = (b'{"a":1}', b'{"b":"' + b"x" * 4000 + b'"}\n', b"-no", b'{"c":3}', b"!")
"""An echo, one that needs `caxton_alloc`, a refusal, another echo, a trap."""


def choose() -> tuple[type[PublicCalls], str]:
    """The calls to use in this process, and why, in one sentence."""
    if os.environ.get(FORCED) == "public":
        return PublicCalls, f"{FORCED}=public keeps the fast path off."
    have = version("wasmtime")
    if have != PINNED:
        return PublicCalls, f"The fast path knows wasmtime {PINNED}, this is {have}."
    try:
        # here, not above: on another version even the import may fail
        from caxton.sandbox.cell.calls_fast import FastCalls
    except (ImportError, AttributeError, KeyError) as missing:
        return PublicCalls, f"The fast path cannot be bound: {missing}."
    wasm = bytes(wasmtime.wat2wasm(GUEST))
    revision = Revision(wasmtime.Module(engine(Profile.STANDARD), wasm), Profile.STANDARD)
    fast, public = (_trace(revision, calls) for calls in (FastCalls, PublicCalls))
    if fast != public:
        at = next(index for index, pair in enumerate(zip(fast, public, strict=True)) if pair[0] != pair[1])
        return PublicCalls, f"The fast path gave another result than the public one at step {at}."
    return FastCalls, f"The fast path agrees with the public one on {len(MESSAGES)} turns."


def _trace(revision: Revision, calls: type[PublicCalls]) -> list[object]:
    instance = Instance(revision, Limits(), calls)
    seen: list[object] = []
    try:
        for message in MESSAGES:
            try:
                seen.append(instance.turn(message))
            except GuestFault as fault:
                seen.append((fault.status, fault.code, fault.reason, fault.count, fault.fuel))
        seen.append(instance.measure())
    finally:
        instance.close()
    return seen
