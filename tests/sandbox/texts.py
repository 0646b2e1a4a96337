"""WAT texts: the guest of many tricks, and small variations of a well-behaved one."""

from __future__ import annotations

from pathlib import Path

TRICKS = (Path(__file__).parent.parent / "guests" / "tricks.wat").read_text()

MAILBOX = (
    '"CXA1" "\\00\\00\\01\\00" "\\00\\00\\00\\00" "\\00\\04\\00\\00" "\\00\\04\\00\\00" '
    '"\\00\\20\\00\\00" "\\00\\00\\00\\00" "\\00\\20\\00\\00"'
)


def guest(
    *,
    mailbox: str = MAILBOX,
    abi: str = "(i32.const 16)",
    alloc: str = "(i32.const 0)",
    handle: str = "(i32.const 0)",
    memory: str = "1",
    more: str = "",
) -> str:
    """A guest that answers nothing, with parts of it replaced."""
    return f"""(module {more}
      (memory (export "memory") {memory})
      (data (i32.const 16) {mailbox})
      (func (export "caxton_abi") (result i32) {abi})
      (func (export "caxton_alloc") (param i32) (result i32) {alloc})
      (func (export "handle_message") (param i32 i32) (result i32) {handle}))"""
