"""Files that are no agents, and what is said of them."""

from __future__ import annotations

import pytest
import wasmtime

from caxton.errors import InvalidModule
from caxton.sandbox.compile import precheck
from caxton.sandbox.foreign import what_it_is, world_hint


@pytest.mark.parametrize(
    ("source", "what", "remedy"),
    [
        (b"", "empty", "build it again"),
        (b" \n", "empty", "build it again"),
        (b"\x1f\x8b\x08\x00", "compressed with gzip", "gzip -d"),
        (b"PK\x03\x04\x14", "compressed with zip", "unzip"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "Git LFS", "git lfs pull"),
        (b"<!DOCTYPE html>", "web page", "the file itself"),
        (b"\x7fELF\x02\x01", "program for a computer", "wasm32"),
        (b"!<arch>\n", "library of objects", "wasm-ld"),
        (b"#!/bin/sh\n", "script", ".wasm, .wat or .py"),
    ],
)
def test_a_file_that_is_no_module_is_named_for_what_it_is(source: bytes, what: str, remedy: str) -> None:
    guess = what_it_is(source)
    assert guess is not None
    assert what in guess.what
    assert remedy in guess.hint


@pytest.mark.parametrize(
    "source", [b"(module)", b"\xef\xbb\xbf(module)", b";; a comment\n(module)", b"nonsense"]
)
def test_what_may_be_text_of_a_module_is_left_to_its_reader(source: bytes) -> None:
    assert what_it_is(source) is None


@pytest.mark.parametrize(
    ("module", "name", "remedy"),
    [
        ("wasi_snapshot_preview1", "fd_write", "without an operating system"),
        ("env", "emscripten_resize_heap", "Emscripten's"),
        ("env", "__cxa_throw", "Emscripten's"),
        ("a", "b", "Emscripten's"),
        ("wbg", "__wbindgen_throw", "wasm-bindgen's"),
        ("./index_bg.js", "f", "wasm-bindgen's"),
        ("gojs", "runtime.wasmExit", "tinygo"),
        ("env", "abort", "--use abort="),
        ("my", "function", "imports nothing"),
    ],
)
def test_an_import_tells_what_built_the_module(module: str, name: str, remedy: str) -> None:
    text = f'(module (import "{module}" "{name}" (func)) (memory (export "memory") 1))'
    with pytest.raises(InvalidModule) as refused:
        precheck.check(bytes(wasmtime.wat2wasm(text)), 1 << 20)
    assert f"the module imports {module}.{name}" in refused.value.message
    assert remedy in (refused.value.hint or "")


def test_an_imported_memory_has_a_remedy_of_its_own() -> None:
    module = bytes(wasmtime.wat2wasm('(module (import "env" "memory" (memory 1)))'))
    with pytest.raises(InvalidModule, match=r"imports env\.memory") as refused:
        precheck.check(module, 1 << 20)
    assert "--import-memory" in (refused.value.hint or "")


MEMORY = ("env", "memory", "(memory 1 2)")
OTHERS = (("env", "table", "(table 1 funcref)"), ("env", "sp", "(global (mut i32))"))


@pytest.mark.parametrize(
    ("imports", "named", "remedy"),
    [
        # the order in which clang, Emscripten 4 and wasi-sdk write them
        (
            (MEMORY, ("wasi_snapshot_preview1", "fd_write", "(func)")),
            "wasi_snapshot_preview1",
            "operating system",
        ),
        (
            (
                ("wasi_snapshot_preview1", "fd_close", "(func)"),
                *OTHERS,
                ("env", "emscripten_resize_heap", "(func)"),
            ),
            "env.emscripten_resize_heap",
            "Emscripten's",
        ),
        (
            (("env", "log", "(func)"), MEMORY, *OTHERS, ("env", "_abort_js", "(func)")),
            "env._abort_js",
            "Emscripten's",
        ),
        ((("env", "now", "(func)"), ("wbg", "__wbg_now", "(func)")), "wbg.__wbg_now", "wasm-bindgen's"),
        ((("env", "log", "(func)"), MEMORY), "env.memory", "--import-memory"),
    ],
)
def test_of_many_imports_the_one_that_tells_most_is_named(
    imports: tuple[tuple[str, str, str], ...], named: str, remedy: str
) -> None:
    text = "".join(f'(import "{module}" "{name}" {what})' for module, name, what in imports)
    with pytest.raises(InvalidModule) as refused:
        precheck.check(bytes(wasmtime.wat2wasm(f"(module {text})")), 1 << 20)
    assert named in refused.value.message
    assert remedy in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("exports", "remedy"),
    [
        (["wasi:cli/run@0.2.0"], "it is a command"),
        (["memory", "wasi:http/incoming-handler@0.2.3"], "a server of HTTP requests"),
        (["my:own/thing"], "it must export the world caxton:agent/agent"),
        ([], "it must export the world caxton:agent/agent"),
    ],
)
def test_a_component_of_another_world_is_named_for_what_it_is(exports: list[str], remedy: str) -> None:
    assert remedy in world_hint(exports)
