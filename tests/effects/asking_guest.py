"""A guest that asks once: to its first message it says one message, to all others nothing."""

from __future__ import annotations

import json
import struct
from typing import Any


def asking(message: dict[str, Any]) -> bytes:
    """Its module, as WebAssembly's text."""
    said = json.dumps(message).encode() + b"\n"
    box = b"CXA1" + struct.pack("<7I", 1 << 16, 0, 8192, 49152, 1024, len(said), 4096)
    return f"""(module
  (memory (export "memory") 1)
  (data (i32.const 16) "{_text(box)}")
  (data (i32.const 1024) "{_text(said)}")
  (global $asked (mut i32) (i32.const 0))
  (func (export "caxton_abi") (result i32) (i32.const 16))
  (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
  (func (export "handle_message") (param i32 i32) (result i32)
    (if (global.get $asked) (then (i32.store (i32.const 40) (i32.const 0)) (return (i32.const 0))))
    (global.set $asked (i32.const 1))
    (i32.const 1)))""".encode()


def _text(data: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in data)
