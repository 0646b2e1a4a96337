"""How a module is made from its source: the first of these that fits.

    [build] command   as it stands in `caxton.toml`
    *.wat             wasmtime's translation, in a child
    *.c *.cpp *.zig   ziglang (extra `build`), with our `caxton.h` always on the include path

In: a source, or a [build] table. Out: a `Recipe`: a command line, what it reads, where it writes. Nothing is run here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from caxton import example_modules
from caxton.config import BuildTable
from caxton.errors import ConfigurationError
from caxton.sandbox import child

ZIGLANG: Final = "pip install 'caxton-workbench[build]'"
BUILT_IN_S: Final = 60.0
"""How long a builder of ours may take; Zig compiles its own runtime the first time."""

# mvp keeps a module valid in profile `strict`; the stack is small because agents do not recurse: with 64 KiB of it an
# idle agent costs a page more
_FREESTANDING: Final = ("-target", "wasm32-freestanding", "-mcpu=mvp")
_CLANG: Final = (
    *("-Os", "-Wall", "-Wextra", "-nostdlib", "-fno-builtin"),
    *("-Wl,--no-entry", "-Wl,-z,stack-size=8192", "-Wl,--strip-all"),
)
_C: Final = ("cc", *_FREESTANDING, "-std=c11", *_CLANG)
_CPP: Final = ("c++", *_FREESTANDING, "-std=c++20", "-fno-exceptions", "-fno-rtti", *_CLANG)
_ZIG: Final = (
    *("build-exe", *_FREESTANDING, "-O", "ReleaseSmall"),
    *("-fno-entry", "-rdynamic", "-fstrip", "--stack", "8192"),
)

_CLANG_READS: Final = frozenset({".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".hh", ".inc", ".def"})
_ZIG_READS: Final = frozenset({".zig", ".zon", *_CLANG_READS})


@dataclass(frozen=True, slots=True)
class Recipe:
    """A build as a value. Relative paths in `command` are relative to `folder`."""

    builder: str
    source: str
    """What a person would call the source: its path relative to the folder, or the command."""
    folder: Path
    command: tuple[str, ...]
    output: Path
    timeout_s: float = BUILT_IN_S
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    depfile: Path | None = None
    """Where the compiler writes what it read, in make's syntax."""
    reads: tuple[Path, ...] = ()
    """Files that it certainly reads."""
    may_read: frozenset[str] | None = frozenset()
    """Endings of other files in the folder that it may read; None for all of them."""
    watch: tuple[str, ...] = ()
    """Patterns, as in a .gitignore, that narrow `may_read`."""
    missing: str | None = None
    """What to install first, where a toolchain is not here."""


def from_table(name: str, table: BuildTable, folder: Path, module: Path) -> Recipe:
    """The recipe of a [build] table."""
    output = (folder / table.output).resolve() if table.output else module
    return Recipe(
        "command",
        " ".join(table.command),
        folder,
        tuple(table.command),
        output,
        table.timeout,
        {"CAXTON_AGENT": name, "CAXTON_INCLUDE": str(include_folder())},
        may_read=None,
        watch=tuple(table.watch),
    )


def from_source(source: Path, scratch: Path) -> Recipe:
    """The recipe of one source file; raises ConfigurationError where no builder knows its ending."""
    maker = _MAKERS.get(source.suffix)
    if maker is None:
        raise ConfigurationError(
            f"nothing here builds {source}",
            hint=f"a source ends in {', '.join(SUFFIXES)}; give anything else a [build] command",
        )
    return maker(source, scratch)


def source_of(given: Path | None, module: Path) -> Path | None:
    """The source file: the one that was named, the only one of a named folder, else the one beside the module.

    None where there is none, so that the module is somebody else's work. Raises ConfigurationError where what was named
    is not there or is not one source.
    """
    if given is None:
        beside = [module.with_suffix(suffix) for suffix in SUFFIXES]
        return next((file for file in beside if file.is_file()), None)
    if given.is_file():
        return given
    if not given.is_dir():
        raise ConfigurationError(f"there is no source {given}", hint="correct its path in caxton.toml")
    found = sorted(file for file in given.iterdir() if file.suffix in SUFFIXES and file.is_file())
    # the first kind that is there wins, as in the table above
    for suffix in SUFFIXES:
        of_kind = [file for file in found if file.suffix == suffix]
        if len(of_kind) == 1:
            return of_kind[0]
        if of_kind:
            names = ", ".join(file.name for file in of_kind[:4])
            raise ConfigurationError(
                f"{given} has more than one {suffix} file: {names}", hint="name the agent's own as source"
            )
    raise ConfigurationError(
        f"there is no source in {given}",
        hint=f"a source ends in {', '.join(SUFFIXES)}; give anything else a [build] command",
    )


def include_folder() -> Path:
    """Where `caxton.h` is."""
    return example_modules.folder("include")


@cache
def _ziglang() -> tuple[tuple[str, ...], str | None]:
    """How to run Zig, and what to install where it is not here."""
    found = find_spec("ziglang")
    if found is None or not found.submodule_search_locations:
        return (sys.executable, "-m", "ziglang"), ZIGLANG
    binary = Path(next(iter(found.submodule_search_locations)), "zig")
    # the binary itself: a Python in between costs 30 ms of every build
    return ((str(binary),) if binary.is_file() else (sys.executable, "-m", "ziglang")), None


def _wat(source: Path, scratch: Path) -> Recipe:
    output = scratch / f"{source.stem}.wasm"
    words = child.command("caxton.sandbox.wat", source.name, str(output))
    environ = {"PYTHONPATH": child.environment()["PYTHONPATH"]}
    return Recipe("wat", source.name, source.parent, tuple(words), output, environ=environ, reads=(source,))


def _clang(builder: str, flags: tuple[str, ...], source: Path, scratch: Path) -> Recipe:
    output, depfile = scratch / f"{source.stem}.wasm", scratch / f"{source.stem}.d"
    zig, missing = _ziglang()
    words = (
        *zig,
        *flags,
        "-I",
        str(include_folder()),
        "-MD",
        "-MF",
        str(depfile),
        "-o",
        str(output),
        source.name,
    )
    return Recipe(
        builder,
        source.name,
        source.parent,
        words,
        output,
        environ=_quiet(scratch),
        depfile=depfile,
        reads=(source,),
        may_read=_CLANG_READS,
        missing=missing,
    )


def _c(source: Path, scratch: Path) -> Recipe:
    return _clang("c", _C, source, scratch)


def _cpp(source: Path, scratch: Path) -> Recipe:
    return _clang("c++", _CPP, source, scratch)


def _zig(source: Path, scratch: Path) -> Recipe:
    output = scratch / f"{source.stem}.wasm"
    zig, missing = _ziglang()
    words = (*zig, *_ZIG, "-I", str(include_folder()), f"-femit-bin={output}", source.name)
    return Recipe(
        "zig",
        source.name,
        source.parent,
        words,
        output,
        environ=_quiet(scratch),
        reads=(source,),
        may_read=_ZIG_READS,
        missing=missing,
    )


def _quiet(scratch: Path) -> dict[str, str]:
    return {"ZIG_LOCAL_CACHE_DIR": str(scratch / "zig"), "NO_COLOR": "1"}


_MAKERS: Final[dict[str, Callable[[Path, Path], Recipe]]] = {
    ".wat": _wat,
    ".c": _c,
    ".cpp": _cpp,
    ".zig": _zig,
}
SUFFIXES: Final = tuple(_MAKERS)
"""Endings of sources, in the order in which they are looked for."""
