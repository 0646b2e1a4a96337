"""Components as agents, by hand and without Python: compiled, refused, called, limited."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caxton.errors import InvalidModule
from caxton.sandbox import cache_labels
from caxton.sandbox.compile.compiler import Compiled, Compiler
from caxton.sandbox.frames import Kind
from caxton.sandbox.profiles import Profile
from caxton.turn_status import Status

from .cell_client import CellClient
from .component_texts import ERROR, RANDOM, component, text

MESSAGE = b'{"id":"m-1","timestamp":1700000000000000,"content":1}'


@pytest.fixture
async def compiler(tmp_path: Path) -> AsyncIterator[Compiler]:
    made = Compiler(tmp_path / "cache")
    yield made
    await made.close()


@pytest.fixture(scope="module")
def cell(tricks_path: Path) -> Iterator[CellClient]:
    """One cell for all tests; each loads its own module into its slots."""
    made = CellClient(tricks_path)
    yield made
    made.close()


@pytest.fixture
def start(cell: CellClient) -> Callable[..., CellClient]:
    def started(compiled: Compiled, **limits: int) -> CellClient:
        cell.module = compiled.module_path
        loaded = cell.load(1, b"", settings={"of": 1}, **limits)
        assert loaded.status == Status.OK, loaded.body
        assert loaded.json["abi"] == "1.0"
        return cell

    return started


async def test_an_echo_as_a_component(compiler: Compiler, start: Callable[..., CellClient]) -> None:
    wasm = component()
    made = await compiler.compile(wasm)
    assert made.sha256 == hashlib.sha256(wasm).hexdigest()
    assert not made.cached
    again = await compiler.compile(wasm)
    assert again.cached
    assert await compiler.wasm(made.sha256) == wasm
    cell = start(made)
    cell.turn(1, 1, MESSAGE)
    result = cell.result()
    assert (result.status, result.count) == (Status.OK, 1)
    assert json.loads(result.body) == {"performative": "inform", "content": "it echoes"}
    assert result.fuel > 0
    assert cell.ask(Kind.SNAPSHOT, 1).body == b'{"per'
    assert cell.load(2).status == Status.OK
    assert cell.swap(2, 1).json["state"] == "carried"


async def test_a_component_may_be_text_too(compiler: Compiler, start: Callable[..., CellClient]) -> None:
    cell = start(await compiler.compile(text().encode(), wat=True))
    cell.turn(1, 1, MESSAGE)
    assert cell.result().status == Status.OK


async def test_a_compiled_component_that_was_changed_is_made_again(compiler: Compiler) -> None:
    made = await compiler.compile(component())
    label = cache_labels.read(made.module_path)
    assert label is not None
    Path(label.component).write_bytes(b"\x7fELF and so on")
    assert not (await compiler.compile(component())).cached
    made.module_path.write_bytes(cache_labels.written(cache_labels.CacheLabel(component="/bin/true")))
    assert not (await compiler.compile(component())).cached


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"init": "initialize"}, "does not export init"),
        ({"imports": '(import "evil:disk/all" (instance))'}, "imports evil:disk/all"),
        ({"imports": '(import "f" (func))'}, "imports f"),
        ({"imports": f"(core module {'(func) ' * 20_001})"}, "20,001 functions, more than 20,000"),
        ({"imports": "(core module (func (local" + " i32" * 2_001 + ")))"}, "more than 2,000 locals"),
        ({"imports": "(component) " * 70 + "(core module) " * 70}, "more than 64 core modules"),
    ],
)
async def test_what_is_no_agent_is_refused(compiler: Compiler, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidModule, match=says):
        await compiler.compile(component(**changes))


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("(result (list string) (error string))", "(result (list u64) (error string))"),
        ("(result (list string) (error string))", "(result (list string) (error u64))"),
        ("(result (list string) (error string))", "(result (list (list string)) (error string))"),
        ("(result string (error string))", "(result (list u8) (error string))"),
        ('(param "config" string)', '(param "config" (list u8))'),
        ("(result u32)", "(result s32)"),
    ],
)
async def test_an_export_of_another_shape_is_refused(compiler: Compiler, there: str, instead: str) -> None:
    changed = text().replace(there, instead, 1)
    assert changed != text()
    with pytest.raises(InvalidModule, match="it must be"):
        await compiler.compile(changed.encode(), wat=True)


async def test_a_component_inside_components_without_end_is_refused(compiler: Compiler) -> None:
    deep = "(component " * 8 + ")" * 8
    with pytest.raises(InvalidModule, match="more than 4 deep"):
        await compiler.compile(component(imports=deep))


@pytest.mark.parametrize("cut", [9, 40, 200, -1])
async def test_a_component_that_is_cut_off_is_refused(compiler: Compiler, cut: int) -> None:
    with pytest.raises(InvalidModule):
        await compiler.compile(component()[:cut])


async def test_a_component_in_profile_strict_is_refused(compiler: Compiler) -> None:
    with pytest.raises(InvalidModule, match="profile standard only"):
        await compiler.compile(component(), Profile.STRICT)


async def test_a_newer_interface_is_refused(compiler: Compiler, cell: CellClient) -> None:
    cell.module = (await compiler.compile(component(abi=0x20000))).module_path
    loaded = cell.load(1)
    assert loaded.json["code"] == "abi_version"
    assert "2.0" in loaded.json["reason"]


async def test_randomness_follows_from_the_message(
    compiler: Compiler, start: Callable[..., CellClient]
) -> None:
    # the number goes into the reply's first letters, as four letters from a to p
    letters = "".join(
        f"(i32.store8 (i32.const {549 + place}) (i32.add (i32.const 97) (i32.and (i32.const 15)"
        f" (i32.wrap_i64 (i64.shr_u (global.get $r) (i64.const {4 * place}))))))"
        for place in range(4)
    )
    handle = f"(global.set $r (call $number)) {letters}"
    changes = {**RANDOM, "core_imports": RANDOM["core_imports"] + "(global $r (mut i64) (i64.const 0))"}
    cell = start(await compiler.compile(component(handle=handle, **changes)))
    assert cell.load(2, settings={"of": 1}).status == Status.OK
    assert cell.load(3, settings={"of": 2}).status == Status.OK
    heard: list[bytes] = []
    for slot, message in ((1, MESSAGE), (2, MESSAGE), (1, MESSAGE), (1, b'{"id":"m-2"}'), (3, MESSAGE)):
        cell.turn(slot, 1, message)
        result = cell.result()
        assert result.status == Status.OK, result.body
        heard.append(result.body)
    assert heard[0] == heard[1] == heard[2]
    assert len(set(heard)) == 3


async def test_anything_else_of_wasi_ends_the_turn(
    compiler: Compiler, start: Callable[..., CellClient]
) -> None:
    cell = start(await compiler.compile(component(handle="(call $far)", **RANDOM)))
    cell.turn(1, 1, MESSAGE)
    result = cell.result()
    assert (result.status, result.json["code"]) == (Status.TRAP, "not_allowed")
    assert "wasi:sockets/tcp@0.2.3#far-away" in result.json["reason"]


async def test_an_error_has_a_reason_and_records(
    compiler: Compiler, start: Callable[..., CellClient]
) -> None:
    cell = start(await compiler.compile(component(handle=ERROR)))
    cell.turn(1, 1, MESSAGE)
    result = cell.result()
    assert result.status == Status.GUEST_ERROR
    reason, *records = result.body.split(b"\n")
    assert reason == b"no"
    assert [json.loads(one)["message"] for one in records] == ["a record", "some words"]
    # the instance stays
    cell.turn(1, 2, MESSAGE)
    assert cell.result().status == Status.GUEST_ERROR


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"handle": "(loop (br 0))"}, Status.LIMIT, "fuel"),
        ({"handle": "unreachable"}, Status.TRAP, "trap"),
        ({"lines": 1_025}, Status.LIMIT, "messages_out"),
        ({"lines": 100_000}, Status.TRAP, "trap"),
    ],
)
async def test_limits_hold(
    compiler: Compiler, start: Callable[..., CellClient], changes: dict[str, Any], status: Status, code: str
) -> None:
    cell = start(await compiler.compile(component(**changes)))
    cell.turn(1, 1, MESSAGE)
    result = cell.result()
    assert (result.status, result.json["code"]) == (status, code), result.body
    cell.turn(1, 2, MESSAGE)
    assert cell.result().status == Status.UNHANDLED


async def test_memory_is_limited(compiler: Compiler, cell: CellClient) -> None:
    wasm = component().replace(b"\x05\x03\x01\x00\x01", b"\x05\x03\x01\x00\x40")
    cell.module = (await compiler.compile(wasm)).module_path
    assert cell.load(1, memory_bytes=8 << 20).status == Status.OK
    refused = cell.load(2, memory_bytes=1 << 20)
    assert (refused.status, refused.json["code"]) == (Status.LIMIT, "memory")
