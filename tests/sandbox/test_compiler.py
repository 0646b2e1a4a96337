"""Compiling in the child: what passes, what is refused, what is killed, and a cache that nobody tampers with."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import wasmtime

from caxton.errors import InvalidModule, ResourceError, SecurityError
from caxton.sandbox.abi import Exports
from caxton.sandbox.compile.children import Children
from caxton.sandbox.compile.compiler import Compiler
from caxton.sandbox.modules import load
from caxton.sandbox.profiles import Profile

from .texts import TRICKS, guest

pytestmark = pytest.mark.system

GOOD = bytes(wasmtime.wat2wasm(TRICKS))


@pytest.fixture
async def compiler(tmp_path: Path) -> AsyncIterator[Compiler]:
    made = Compiler(tmp_path / "cache")
    yield made
    await made.close()


def leb(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def section(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + leb(len(body)) + body


def module_of(bodies: list[bytes], *more: bytes) -> bytes:
    """A module with one function type and these bodies, each with its own length before it."""
    return b"".join(
        (
            b"\0asm\1\0\0\0",
            section(1, b"\1\x60\0\0"),
            section(3, leb(len(bodies)) + b"\0" * len(bodies)),
            section(5, b"\1\0\1"),
            *more,
            section(10, leb(len(bodies)) + b"".join(leb(len(body)) + body for body in bodies)),
        )
    )


async def test_a_module_compiles_once(compiler: Compiler) -> None:
    first = await compiler.compile(GOOD)
    again = await compiler.compile(GOOD)
    assert (first.cached, again.cached) == (False, True)
    assert first.module_path == again.module_path
    assert first.sha256 == hashlib.sha256(GOOD).hexdigest()
    assert "handle_message" in first.exports
    exports = load(str(first.module_path), Profile.STANDARD).exports
    assert isinstance(exports, Exports)
    assert exports.hooks == {
        "init",
        "snapshot",
        "restore",
        "shutdown",
    }
    assert await compiler.wasm(first.sha256) == GOOD


async def test_text_is_the_same_revision_as_its_bytes(compiler: Compiler) -> None:
    text = await compiler.compile(TRICKS.encode(), wat=True)
    assert text.sha256 == hashlib.sha256(GOOD).hexdigest()
    assert (await compiler.compile(TRICKS.encode(), wat=True)).cached
    assert (await compiler.compile(GOOD)).cached


async def test_callers_with_the_same_bytes_share_one_job(compiler: Compiler) -> None:
    made = await asyncio.gather(*(compiler.compile(GOOD) for _ in range(4)))
    assert sorted(one.cached for one in made) == [False, True, True, True]


async def test_a_caller_that_is_cancelled_does_not_take_the_others_along(compiler: Compiler) -> None:
    async with asyncio.TaskGroup() as group:
        first = group.create_task(compiler.compile(GOOD))
        second = group.create_task(compiler.compile(GOOD))
        await asyncio.sleep(0)
        first.cancel()
    assert (await second).sha256 == hashlib.sha256(GOOD).hexdigest()


REFUSED = {
    "empty": (b"", "does not begin"),
    "text": (b"(module)", "does not begin"),
    "component": (b"\0asm\x0d\0\1\0", "does not export abi-version"),
    "cut off": (GOOD[:200], "malformed"),
    "huge section": (b"\0asm\1\0\0\0\1\xff\xff\xff\xff\x0f", "malformed"),
    "endless number": (b"\0asm\1\0\0\0\1" + b"\xff" * 40, "malformed"),
    "no memory": (bytes(wasmtime.wat2wasm("(module)")), "0 memories"),
    "no exports": (bytes(wasmtime.wat2wasm("(module (memory 1))")), "does not export memory"),
    "wrong type": (
        bytes(wasmtime.wat2wasm(guest().replace("(param i32 i32)", "(param i64 i32)"))),
        "handle_message is",
    ),
    "import": (
        bytes(
            wasmtime.wat2wasm('(module (import "env" "a\\1b[2Jbort" (func)) (memory (export "memory") 1))')
        ),
        "imports env.a [2Jbort",
    ),
    "wasi": (
        bytes(wasmtime.wat2wasm('(module (import "wasi_snapshot_preview1" "fd_write" (func)))')),
        "imports wasi_snapshot_preview1.fd_write",
    ),
    "two memories": (bytes(wasmtime.wat2wasm("(module (memory 1) (memory 1))")), "2 memories"),
    "memory64": (bytes(wasmtime.wat2wasm("(module (memory i64 1))")), "64-bit"),
    "memory of 4 GiB": (bytes(wasmtime.wat2wasm("(module (memory 65536))")), "begins with 4,294,967,296"),
    "many locals": (module_of([b"\1" + leb(50_000) + b"\x7f\x0b"] * 100), "locals"),
    "many functions": (module_of([b"\0\x0b"] * 10_001), "10,001 functions"),
    "huge body": (module_of([b"\0" + b"\1" * 600_000 + b"\x0b"]), "function 0"),
    "many exports": (
        module_of(
            [b"\0\x0b"], section(7, leb(300) + b"".join(b"\4" + b"%04d" % i + b"\0\0" for i in range(300)))
        ),
        "300 exports",
    ),
    "SIMD": (
        bytes(wasmtime.wat2wasm(guest(more="(func (drop (v128.const i32x4 0 0 0 0)))"))),
        "does not compile",
    ),
    "garbage inside": (module_of([b"\0\xff\x0b"]), "does not compile"),
}


@pytest.mark.parametrize(("wasm", "reason"), REFUSED.values(), ids=REFUSED)
async def test_what_caxton_does_not_load_is_refused(compiler: Compiler, wasm: bytes, reason: str) -> None:
    with pytest.raises(InvalidModule, match=reason.replace("[", r"\[").replace(".", r"\.")) as caught:
        await compiler.compile(wasm)
    assert caught.value.message.isprintable()
    assert not list((compiler._cache.folder).glob("*job*"))


async def test_strict_refuses_what_standard_takes(compiler: Compiler) -> None:
    bulk = bytes(
        wasmtime.wat2wasm(
            guest(handle="(memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 0)")
        )
    )
    assert (await compiler.compile(bulk)).exports
    with pytest.raises(InvalidModule):
        await compiler.compile(bulk, Profile.STRICT)
    assert (await compiler.compile(GOOD, Profile.STRICT)).module_path.name.find("-strict-") > 0


def slow_module() -> bytes:
    """Within all caps of the walk, and slow to compile: loops with many locals (security.md 2.4)."""
    loop = b"".join(
        b"\x03\x40\x20" + leb(i % 1_900) + b"\x41\1\x6a\x21" + leb(i * 7 % 1_900) + b"\x20\0\x0d\0\x0b"
        for i in range(8_000)
    )
    return module_of([b"\1" + leb(1_900) + b"\x7f" + loop + b"\x0b"] * 8)


async def test_a_bomb_is_killed_by_the_clock_and_the_next_module_compiles(tmp_path: Path) -> None:
    compiler = Compiler(tmp_path / "cache", Children(wall_s=1.0))
    try:
        with pytest.raises(ResourceError, match="processor time") as caught:
            await compiler.compile(slow_module())
        assert caught.value.hint
        # the start of a child is part of its second, and may take longer where much else runs
        await compiler.ready()
        assert (await compiler.compile(GOOD)).exports
    finally:
        await compiler.close()


async def test_waiting_for_a_processor_is_no_time_of_a_compilation(tmp_path: Path) -> None:
    compiler = Compiler(tmp_path / "cache", Children(wall_s=1.0))
    try:
        await compiler.ready()
        others = set(psutil.Process().children(recursive=True))
        task = asyncio.create_task(compiler.compile(slow_module()))
        while not (fresh := set(psutil.Process().children(recursive=True)) - others):
            await asyncio.sleep(0)
        (child,) = fresh
        child.suspend()
        await asyncio.wait([task], timeout=1.5)
        assert not task.done()
        child.resume()
        with pytest.raises(ResourceError, match="processor time"):
            await task
    finally:
        await compiler.close()


async def test_a_module_that_was_compressed_is_said_to_be_so(compiler: Compiler) -> None:
    with pytest.raises(InvalidModule, match="compressed with gzip"):
        await compiler.compile(gzip.compress(GOOD), wat=True)


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
async def test_a_compile_that_needs_too_much_memory_ends_alone(tmp_path: Path) -> None:
    compiler = Compiler(tmp_path / "cache", Children(wall_s=30.0, memory_bytes=260 * 1024 * 1024))
    try:
        with pytest.raises(ResourceError, match="memory"):
            await compiler.compile(slow_module())
    finally:
        await compiler.close()


async def server_of(compiler: Compiler) -> psutil.Process:
    """The process that its children are forked from."""
    before = set(psutil.Process().children())
    await compiler.ready()
    (server,) = set(psutil.Process().children()) - before
    return server


async def test_a_killed_child_is_an_error_and_nothing_more(compiler: Compiler) -> None:
    server = await server_of(compiler)
    server.kill()
    server.wait(5)
    assert (await compiler.compile(GOOD)).exports


async def test_close_leaves_no_process(tmp_path: Path) -> None:
    compiler = Compiler(tmp_path / "cache", Children(wall_s=60.0))
    server = await server_of(compiler)
    job = asyncio.create_task(compiler.compile(slow_module()))
    while not (children := server.children()):
        await asyncio.sleep(0)
    await compiler.close()
    assert not any(one.is_running() for one in (server, *children))
    with pytest.raises(ResourceError, match="the daemon stops"):
        await job


def tamper_flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def tamper_seal(path: Path) -> None:
    path.with_suffix(".seal").write_bytes(b"0" * 64)


def tamper_other(path: Path) -> None:
    """Another module of ours, with its own good seal, under this one's name."""
    other = next(one for one in path.parent.glob("*.cwasm") if one != path)
    path.write_bytes(other.read_bytes())
    path.with_suffix(".seal").write_bytes(other.with_suffix(".seal").read_bytes())


def tamper_link(path: Path) -> None:
    moved = path.with_suffix(".moved")
    path.replace(moved)
    path.symlink_to(moved)


@pytest.mark.parametrize("tamper", [tamper_flip, tamper_seal, tamper_other, tamper_link])
async def test_a_file_that_is_not_as_we_left_it_is_made_again(compiler: Compiler, tamper: object) -> None:
    await compiler.compile(bytes(wasmtime.wat2wasm(guest())))
    first = await compiler.compile(GOOD)
    good = first.module_path.read_bytes()
    assert callable(tamper)
    tamper(first.module_path)
    again = await compiler.compile(GOOD)
    assert not again.cached
    assert again.module_path.read_bytes() == good
    assert not again.module_path.is_symlink()


async def test_changed_bytes_of_a_revision_are_not_given_out(compiler: Compiler) -> None:
    made = await compiler.compile(GOOD)
    (compiler._cache.folder / f"{made.sha256}.wasm").write_bytes(b"other")
    with pytest.raises(InvalidModule):
        await compiler.wasm(made.sha256)
    with pytest.raises(InvalidModule):
        await compiler.wasm("../../etc/passwd")


async def test_everything_in_the_cache_is_ours_alone(compiler: Compiler) -> None:
    await compiler.compile(GOOD)
    folder = compiler._cache.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    with pytest.raises(SecurityError):
        Compiler(folder)
    folder.chmod(0o700)
    Compiler(folder)
    (folder / "key").chmod(0o644)
    with pytest.raises(SecurityError):
        Compiler(folder)


def test_the_daemons_side_does_not_import_wasmtime() -> None:
    code = (
        "import sys; from caxton.sandbox import frames, output_lines, processes, profiles; "
        "from caxton.sandbox.compile import children, compiler; "
        "print('wasmtime' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "False\n"
