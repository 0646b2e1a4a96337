"""A component by hand, in WAT: an echo that answers `caxton:agent/agent@1.0.0`, and pieces to make it misbehave."""

from __future__ import annotations

import wasmtime

REPLY = '{\\"performative\\":\\"inform\\",\\"content\\":\\"it echoes\\"}'
REPLY_SIZE = len(REPLY.replace("\\", ""))

CORE = """
  (core module $m
    {core_imports}
    (memory (export "memory") 1)
    (data (i32.const 512) "{reply}")
    (data (i32.const 700) "no\\0asome words\\0a{{\\"caxton\\":\\"log\\",\\"message\\":\\"a record\\"}}")
    (global $at (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $at (i32.and (i32.add (global.get $at) (i32.const 7)) (i32.const -8)))
      (global.get $at)
      (global.set $at (i32.add (global.get $at) (local.get 3)))
      (if (i32.gt_u (global.get $at) (i32.const 65536)) (then unreachable)))
    (func (export "abi") (result i32) (i32.const {abi}))
    ;; result<_, string> at 64: all zero is ok
    (func (export "text") (param i32 i32) (result i32) (global.set $at (i32.const 4096)) (i32.const 64))
    ;; result<list<string>, string> at 128: ok, a list of {lines} at 8192
    (func (export "handle") (param $p i32) (param $n i32) (result i32) (local $i i32)
      (global.set $at (i32.const 4096))
      {handle}
      (i32.store (i32.const 128) (i32.const 0))
      (i32.store (i32.const 132) (i32.const 8192)) (i32.store (i32.const 136) (i32.const {lines}))
      (loop $next
        (i32.store (i32.add (i32.const 8192) (i32.shl (local.get $i) (i32.const 3))) (i32.const 512))
        (i32.store (i32.add (i32.const 8196) (i32.shl (local.get $i) (i32.const 3))) (i32.const {size}))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const {lines}))))
      (i32.const 128))
    ;; result<string, string> at 192
    (func (export "snapshot") (result i32)
      (i32.store (i32.const 196) (i32.const 512)) (i32.store (i32.const 200) (i32.const 5))
      (i32.const 192))
    (func (export "end")))
"""

REST = """
  (func (export "abi-version") (result u32) (canon lift (core func $i "abi")))
  (func (export "{init}") (param "config" string) (result (result (error string)))
    (canon lift (core func $i "text") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func (export "restore") (param "state" string) (result (result (error string)))
    (canon lift (core func $i "text") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func (export "handle-message") (param "message" string) (result (result (list string) (error string)))
    (canon lift (core func $i "handle") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func (export "snapshot") (result (result string (error string)))
    (canon lift (core func $i "snapshot") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func (export "shut-down") (canon lift (core func $i "end")))
"""

ERROR = """
      (i32.store (i32.const 128) (i32.const 1))
      (i32.store (i32.const 132) (i32.const 700)) (i32.store (i32.const 136) (i32.const 51))
      (return (i32.const 128))
"""
"""An answer `err`, whose text has a reason, words and a log record."""


def text(
    *,
    handle: str = "",
    lines: int = 1,
    abi: int = 0x10000,
    init: str = "init",
    imports: str = "",
    core_imports: str = "",
    given: str = "",
) -> str:
    """The component's text; `imports` and `given` are what it imports and how its core module gets that."""
    core = CORE.format(
        handle=handle, lines=lines, abi=abi, core_imports=core_imports, reply=REPLY, size=REPLY_SIZE
    )
    return (
        f"(component {imports} {core} (core instance $i (instantiate $m {given})) {REST.format(init=init)})"
    )


def component(**changes: object) -> bytes:
    """The component itself."""
    return bytes(wasmtime.wat2wasm(text(**changes)))  # type: ignore[arg-type]


RANDOM = {
    "imports": """
      (import "wasi:random/random@0.2.3" (instance $random (export "get-random-u64" (func (result u64)))))
      (import "wasi:sockets/tcp@0.2.3" (instance $tcp (export "far-away" (func))))
      (core func $number (canon lower (func $random "get-random-u64")))
      (core func $far (canon lower (func $tcp "far-away")))""",
    "core_imports": '(import "w" "number" (func $number (result i64))) (import "w" "far" (func $far))',
    "given": '(with "w" (instance (export "number" (func $number)) (export "far" (func $far))))',
}
"""A component that imports an interface that is answered and one that is not."""
