"""What a file is that is no agent, guessed from what it shows, so that the refusal says what to do.

In: the beginning of a file, or the names of what it imports or exports. Out: words that are fit to be shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple


class Guess(NamedTuple):
    """What it is, and what to do."""

    what: str
    hint: str


_UNPACK: Final = "unpack it first, with {} for example"
_NATIVE: Final = Guess(
    "it is a program for a computer", "build it for wasm32, such as with zig cc -target wasm32-freestanding"
)
_BEGINNINGS: Final = (
    (b"\x1f\x8b", Guess("the module is compressed with gzip", _UNPACK.format("gzip -d"))),
    (b"PK\3\4", Guess("the module is compressed with zip", _UNPACK.format("unzip"))),
    (b"(\xb5/\xfd", Guess("the module is compressed with zstd", _UNPACK.format("zstd -d"))),
    (b"BZh", Guess("the module is compressed with bzip2", _UNPACK.format("bzip2 -d"))),
    (b"\xfd7zXZ", Guess("the module is compressed with xz", _UNPACK.format("xz -d"))),
    (
        b"version https://git-lfs",
        Guess("it is a pointer of Git LFS, not the module", "fetch the module: git lfs pull"),
    ),
    (b"<", Guess("it is a web page or XML", "download the file itself, not the page that shows it")),
    (b"\x7fELF", _NATIVE),
    (b"MZ", _NATIVE),
    (b"\xcf\xfa\xed\xfe", _NATIVE),
    (b"!<arch>", Guess("it is a library of objects", "link it to a module with wasm-ld --no-entry")),
    (
        b"BC\xc0\xde",
        Guess("it is LLVM bitcode", "compile it to a module, with clang --target=wasm32 -nostdlib"),
    ),
    (b"#!", Guess("it is a script", "an agent is a .wasm, .wat or .py file")),
)


def what_it_is(source: bytes) -> Guess | None:
    """What a file is that does not begin as a module; None for what may be text of one."""
    if not source.strip():
        return Guess("the file is empty", "was it still being written? build it again")
    return next((guess for start, guess in _BEGINNINGS if source.startswith(start)), None)


def telling(imports: Sequence[tuple[str, str]]) -> tuple[str, str, str]:
    """Of a module's imports the one that tells most about what built it, and what to do: module, name, hint."""
    found = [(module, name, _import_hint(module, name)) for module, name in imports]
    weak = (_SYSTEM, _MEMORY, _NOTHING)
    return min(found, key=lambda one: 1 + weak.index(one[2]) if one[2] in weak else 0)


def world_hint(exports: Iterable[str]) -> str:
    """What to do about a component that is no agent, by what it exports."""
    for export in exports:
        for interface, what in _WORLDS.items():
            if export.startswith(interface):
                return f"it is {what}; an agent exports the world caxton:agent/agent@1.0.0"
    return "it must export the world caxton:agent/agent@1.0.0"


def _import_hint(module: str, name: str) -> str:
    match module:
        case "wasi_snapshot_preview1" | "wasi_unstable":
            return _SYSTEM
        case "gojs" | "go":
            return "it is Go for browsers; build with tinygo build -target=wasm-unknown"
        case "wbg" | "__wbindgen_placeholder__" | "__wbindgen_externref_xform__":
            return _BINDGEN
        case _ if "__wbindgen" in name or module.endswith("_bg.js"):
            return _BINDGEN
        case "env" if name == "abort":
            return "with AssemblyScript, build with --use abort="
        case "env" if name == "memory":
            return _MEMORY
        case "a" if len(name) <= 2:
            return _EMSCRIPTEN
        case "env" if name.endswith("_js") or name.startswith(
            ("emscripten_", "_emscripten", "__cxa_", "invoke_", "__syscall", "__assert")
        ):
            return _EMSCRIPTEN
        case _:
            return _NOTHING


_EMSCRIPTEN: Final = (
    "it is Emscripten's, which needs its JavaScript beside it; build with zig cc -target wasm32-freestanding"
)
_BINDGEN: Final = (
    "it is wasm-bindgen's, which needs its JavaScript beside it; build without it, for wasm32-unknown-unknown"
)
_SYSTEM: Final = (
    "build for a target without an operating system, such as wasm32-freestanding or wasm32v1-none"
)
_MEMORY: Final = "an agent brings its memory along; link without --import-memory"
_NOTHING: Final = "an agent imports nothing: it answers by returning messages; check the linker's flags"
_WORLDS: Final = {
    "wasi:cli/run": "a command (wasi:cli)",
    "wasi:http/": "a server of HTTP requests (wasi:http)",
    "wasi:": "a library of WASI interfaces",
}
