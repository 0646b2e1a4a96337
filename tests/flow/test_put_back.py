"""`kill -9` of the daemon: what an agent has put back waits where it waited, and nobody counts anew."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from caxton.client import Client

from .running import running

pytestmark = pytest.mark.crash

PROJECT = """
cells = 1
[agents.picky]
wasm = "picky.wat"
"""
LONG = "x" * 1_000


def picky() -> str:
    """A guest that puts back every message of less than 1,000 bytes, and answers the others."""
    said = ['{"caxton":"put-back"}', '{"performative":"inform"}']
    quoted = "".join(said).replace('"', '\\"')
    numbers = (0x31415843, 1 << 16 | 1, 32, 4096, 8192, 16_384, 0, 4096)
    mailbox = "".join(f"\\{byte:02x}" for byte in struct.pack("<8I", *numbers))
    begin = 16_384 + len(said[0])
    return f"""(module (memory (export "memory") 1)
      (data (i32.const 16) "{mailbox}") (data (i32.const 16384) "{quoted}")
      (func (export "caxton_abi") (result i32) (i32.const 16))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      (func (export "handle_message") (param i32 i32) (result i32)
        (local $long i32)
        (local.set $long (i32.ge_u (local.get 1) (i32.const 1000)))
        (i32.store (i32.const 36) (select (i32.const {begin}) (i32.const 16384) (local.get $long)))
        (i32.store (i32.const 40) (select (i32.const {len(said[1])}) (i32.const {len(said[0])}) (local.get $long)))
        (local.get $long)))"""


def tell(caxton: Client, content: str) -> int:
    return int(caxton.send({"performative": "inform", "receiver": "picky", "content": content}).seq)


def ask(caxton: Client) -> None:
    sent = caxton.send({"performative": "request", "receiver": "picky", "content": LONG}, wait_s=30)
    assert [one.message.performative for one in sent.replies] == ["inform"]


def waiting(caxton: Client) -> list[tuple[int, int]]:
    mail = caxton.mailbox("picky")
    while any(one.in_cell for one in mail):
        mail = caxton.mailbox("picky")
    return [(one.seq, one.put_backs) for one in mail]


def test_what_was_put_back_waits_in_its_place_after_kill_9(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "picky.wat").write_text(picky())
    with running(folder, PROJECT) as daemon:
        with daemon.client() as caxton:
            first, second = tell(caxton, "a"), tell(caxton, "b")
            ask(caxton)
            caxton.change_agent("picky", "suspend")
            before = waiting(caxton)
            assert [seq for seq, _ in before] == [first, second]
            assert all(times for _, times in before)
        daemon.kill()
        daemon.start()
        with daemon.client() as caxton:
            assert waiting(caxton) == before
            caxton.change_agent("picky", "resume")
            ask(caxton)
            ask(caxton)
            caxton.change_agent("picky", "suspend")
            after = waiting(caxton)
            assert [seq for seq, _ in after] == [first, second]
            assert all(times > earlier for (_, times), (_, earlier) in zip(after, before, strict=True))
            turns = [one.status for one in caxton.turns(agent="picky")]
            assert turns.count("put_back") == sum(times for _, times in after)
            assert turns.count("ok") == 3
