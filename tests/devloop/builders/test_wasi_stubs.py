"""A module that asks for a system gets one that says no; its data comes in fewer pieces; nothing else of it changes."""

from __future__ import annotations

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from caxton.devloop.builders import wasm_sections
from caxton.devloop.builders.wasi_stubs import NEAR, with_less_data, without_system
from caxton.errors import InvalidModule
from caxton.sandbox.compile import leb128, precheck

PREVIEW_1 = 'import "wasi_snapshot_preview1"'
ASKS = f"""(module
  ({PREVIEW_1} "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  ({PREVIEW_1} "random_get" (func $random_get (param i32 i32) (result i32)))
  ({PREVIEW_1} "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  ({PREVIEW_1} "args_sizes_get" (func $args (param i32 i32) (result i32)))
  ({PREVIEW_1} "environ_get" (func $environ (param i32 i32) (result i32)))
  ({PREVIEW_1} "sched_yield" (func $yield (result i32)))
  ({PREVIEW_1} "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff")
  (table funcref (elem $own))
  (func $own (export "own") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "write") (result i32) (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
  (func (export "random") (result i32) (call $random_get (i32.const 0) (i32.const 8)))
  (func (export "clock") (result i32) (call $clock (i32.const 0) (i64.const 1) (i32.const 0)))
  (func (export "args") (result i32) (call $args (i32.const 8) (i32.const 12)))
  (func (export "environ") (result i32) (call $environ (i32.const 0) (i32.const 0)))
  (func (export "yield") (result i32) (call $yield))
  (func (export "exit") (call $exit (i32.const 3)))
  (func (export "through") (param i32) (result i32)
    (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))
"""


class Run:
    """An instance of a module that imports nothing."""

    def __init__(self, wasm: bytes) -> None:
        self.store = wasmtime.Store()
        module = wasmtime.Module(self.store.engine, wasm)
        assert not list(module.imports)
        self.exports = wasmtime.Instance(self.store, module, []).exports(self.store)

    def call(self, name: str, *arguments: int) -> int | None:
        function = self.exports[name]
        assert isinstance(function, wasmtime.Func)
        returned: int | None = function(self.store, *arguments)
        return returned

    def memory(self, begin: int, end: int) -> bytes:
        memory = self.exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        return bytes(memory.read(self.store, begin, end))


def test_every_call_of_the_system_is_answered_with_no() -> None:
    wasm = bytes(wasmtime.wat2wasm(ASKS))
    with pytest.raises(InvalidModule, match="imports wasi_snapshot_preview1"):
        precheck.check(wasm, 1 << 20)
    made = without_system(wasm)
    precheck.check(made, 1 << 20)
    run = Run(made)
    assert (run.call("write"), run.call("random")) == (8, 52), "no such descriptor, not supported"
    assert run.memory(0, 16) == b"\xff" * 16, "what says no writes nothing"
    assert (run.call("environ"), run.call("yield")) == (0, 0)
    assert run.call("args") == 0
    assert run.memory(8, 16) == bytes(8), "no arguments of no bytes"
    assert run.call("clock") == 0
    assert run.memory(0, 8) == (1).to_bytes(8, "little")
    assert run.call("clock") == 0
    assert run.memory(0, 8) == (1).to_bytes(8, "little"), "its clock stands still"
    with pytest.raises(wasmtime.Trap):
        run.call("exit")


def test_the_modules_own_functions_keep_their_numbers() -> None:
    run = Run(without_system(bytes(wasmtime.wat2wasm(ASKS))))
    assert run.call("own", 41) == 42
    assert run.call("through", 41) == 42


def test_a_module_that_asks_for_nothing_comes_out_as_it_is() -> None:
    wasm = bytes(wasmtime.wat2wasm('(module (memory 1) (data (i32.const 0) "x"))'))
    assert without_system(wasm) == wasm


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('(import "env" "abort" (func))', "imports env.abort"),
        ('(import "env" "memory" (memory 1))', "imports env.memory, which is no function"),
    ],
)
def test_any_other_import_is_refused(more: str, said: str) -> None:
    text = f'(module ({PREVIEW_1} "sched_yield" (func (result i32))) {more})'
    with pytest.raises(InvalidModule, match=said):
        without_system(bytes(wasmtime.wat2wasm(text)))


def test_a_module_that_is_cut_off_is_refused() -> None:
    wasm = bytes(wasmtime.wat2wasm(ASKS))
    for length in (len(wasm) - 1, len(wasm) // 2, 9):
        with pytest.raises(InvalidModule):
            without_system(wasm[:length])


@given(st.lists(st.tuples(st.integers(0, 3 * NEAR), st.binary(max_size=8)), min_size=1, max_size=40))
def test_data_in_fewer_pieces_makes_the_same_memory(pieces: list[tuple[int, bytes]]) -> None:
    at, lines = 0, list[str]()
    for gap, data in pieces:
        at += gap
        text = "".join(f"\\{byte:02x}" for byte in data)
        lines.append(f'(data (i32.const {at}) "{text}")')
        at += len(data)
    wasm = bytes(wasmtime.wat2wasm(f'(module (memory (export "memory") 1) {" ".join(lines)})'))
    made = with_less_data(wasm)
    assert Run(made).memory(0, at) == Run(wasm).memory(0, at)
    gaps = sum(1 for gap, _ in pieces[1:] if gap > NEAR)
    (data_section,) = [body for kind, body in wasm_sections.sections(made) if kind == wasm_sections.DATA]
    assert leb128.number(data_section, 0)[0] == gaps + 1


def test_data_that_overlaps_or_is_high_up_stays_in_its_order() -> None:
    text = (
        '(module (memory (export "memory") 1) (data (i32.const 65500) "abcd") (data (i32.const 65502) "xyz")'
        ' (data (i32.const 4) "low"))'
    )
    wasm = bytes(wasmtime.wat2wasm(text))
    assert Run(with_less_data(wasm)).memory(65500, 65505) == b"abxyz"


def test_data_that_instructions_name_is_left_alone() -> None:
    text = (
        '(module (memory 1) (data $d "x") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))))'
    )
    wasm = bytes(wasmtime.wat2wasm(text))
    assert with_less_data(wasm) == wasm


@given(st.integers(-(2**31), 2**31 - 1))
def test_signed_numbers_come_back(value: int) -> None:
    assert leb128.signed_32(leb128.signed(value), 0) == (
        value,
        len(leb128.signed(value)),
    )
