"""How a module is made from its source: the first of these that fits.

    [build] command   as it stands in `caxton.toml`
    agent.py          packed for the Python runtime, which looks at it in a child; nothing is compiled
    *.wat             wasmtime's translation, in a child
    build.zig         ziglang's build system
    *.c *.cpp *.zig   ziglang (extra `build`), with our `caxton.h` always on the include path; the only one of its kind,
                      or the one called `agent`. C that includes <stdio.h> or the like gets the C library
    other packages    their own tools (`package_builders.py`)

In: a source, or a [build] table. Out: a `Recipe`: a command line, what it reads, where it writes. Nothing is run here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from caxton import example_modules
from caxton.config import BuildTable
from caxton.devloop.builders import package_builders, toolchains
from caxton.devloop.builders.package_builders import BUILD_ZIG
from caxton.devloop.builders.recipe import Recipe
from caxton.errors import ConfigurationError
from caxton.sandbox import processes

PYTHON: Final = "agent.py"
"""What a Python agent's source is called, unless the configuration names it; Python is used for so much else."""
PYTHON_S: Final = 900.0
"""The Python runtime is built on the way where this machine has none."""

# mvp keeps a module valid in profile `strict`; the stack is small because agents do not recurse: with 64 KiB of it an
# idle agent costs a page more
_FREESTANDING: Final = ("-target", "wasm32-freestanding", "-mcpu=mvp")
_CLANG: Final = (
    *("-Os", "-Wall", "-Wextra", "-nostdlib", "-fno-builtin"),
    *("-Wl,--no-entry", "-Wl,-z,stack-size=8192", "-Wl,--strip-all"),
)
_C: Final = ("cc", *_FREESTANDING, "-std=c11", *_CLANG)
# printf of a double takes 8 KiB of stack; what the library asks of a system is answered in the module
_C_WITH_LIBRARY: Final = (
    *("cc", "-target", "wasm32-wasi", "-mexec-model=reactor", "-mcpu=mvp", "-std=c11", "-DCAXTON_LIBC"),
    *("-Os", "-Wall", "-Wextra", "-Wl,--no-entry", "-Wl,-z,stack-size=65536", "-Wl,--strip-all"),
)
_LIBRARY_S: Final = 600.0
"""ziglang builds the library on the way where this machine has none."""
_LIBRARY_HEADER: Final = re.compile(
    rb"^[ \t]*#[ \t]*include[ \t]*<"
    rb"(assert|ctype|errno|inttypes|locale|math|setjmp|stdio|stdlib|string|strings|time|wchar)"
    rb"\.h>",
    re.MULTILINE,
)
_OWN_HEADER: Final = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
_CPP: Final = ("c++", *_FREESTANDING, "-std=c++20", "-fno-exceptions", "-fno-rtti", *_CLANG)
_ZIG: Final = (
    *("build-exe", *_FREESTANDING, "-O", "ReleaseSmall"),
    *("-fno-entry", "-rdynamic", "-fstrip", "--stack", "32768"),
)

_CLANG_READS: Final = frozenset({".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".hh", ".inc", ".def"})
_ZIG_READS: Final = frozenset({".zig", ".zon", *_CLANG_READS})


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
        keeps_output=True,
    )


def from_source(source: Path, module: Path, scratch: Path) -> Recipe:
    """The recipe of one source file, or of the file by which a package is known.

    `module` is where the outcome shall stand, `scratch` a corner of ours. Raises ConfigurationError where no builder
    knows it.
    """
    of_package = package_builders.MAKERS.get(source.name)
    if of_package is not None:
        return of_package(source, module, scratch, include_folder())
    maker = _MAKERS.get(source.suffix)
    if maker is None:
        raise ConfigurationError(f"nothing here builds {source}", hint=HINT)
    return maker(source, scratch)


def source_of(given: Path | None, module: Path) -> Path | None:
    """The source: the one that was named, what makes the named folder one, else the file beside the module.

    None where there is none, so that the module is somebody else's work. Raises ConfigurationError where what was named
    is not there or is not one source.
    """
    if given is None:
        beside = [module.with_suffix(suffix) for suffix in SUFFIXES]
        return next((file for file in beside if is_source(file) or (file == module and file.is_file())), None)
    if given.is_file():
        return given
    if not given.is_dir():
        raise ConfigurationError(f"there is no source {given}", hint="correct its path in caxton.toml")
    found = in_folder(given)
    if found is None:
        raise ConfigurationError(f"there is no source in {given}", hint=HINT)
    return found


def in_folder(folder: Path) -> Path | None:
    """The source in that folder, the first kind that is there; None where there is none.

    Raises ConfigurationError where there are several of one kind, none of them called `agent`, and nothing else.
    """
    package = package_builders.package_of(folder)
    several: list[Path] = []
    for suffix in SUFFIXES:
        if suffix not in _BEFORE_PACKAGES and package is not None and package.name == BUILD_ZIG:
            # build.zig is itself a .zig file
            return package
        files = sorted(file for file in folder.iterdir() if file.suffix == suffix and is_source(file))
        named = [file for file in files if file.stem == "agent"]
        if len(files) == 1 or named:
            return (named or files)[0]
        several = several or files
    if package is None and several:
        names = ", ".join(file.name for file in several[:4])
        raise ConfigurationError(
            f"{folder} has more than one {several[0].suffix} file: {names}",
            hint=f"name the agent's own as source, or call it agent{several[0].suffix}",
        )
    return package


def is_source(file: Path) -> bool:
    """Whether it is an agent's source by its name."""
    return file.suffix in SUFFIXES and (file.suffix != ".py" or file.name == PYTHON) and file.is_file()


def include_folder() -> Path:
    """Where `caxton.h` is."""
    return example_modules.folder("include")


def _python(source: Path, scratch: Path) -> Recipe:
    output = scratch / f"{source.stem}.wasm"
    depfile = scratch / f"{source.stem}.d"
    asked = ("--output", str(output), "--depfile", str(depfile))
    words = processes.command("caxton.sandbox.python.check", source.name, *asked)
    environ = {"PYTHONPATH": processes.environment()["PYTHONPATH"]}
    return Recipe(
        "python",
        source.name,
        source.parent,
        tuple(words),
        output,
        timeout_s=PYTHON_S,
        environ=environ,
        depfile=depfile,
        reads=(source,),
        may_read=frozenset({".py"}),
        needs="python",
    )


def _wat(source: Path, scratch: Path) -> Recipe:
    output = scratch / f"{source.stem}.wasm"
    words = processes.command("caxton.sandbox.compile.wat", source.name, str(output))
    environ = {"PYTHONPATH": processes.environment()["PYTHONPATH"]}
    return Recipe("wat", source.name, source.parent, tuple(words), output, environ=environ, reads=(source,))


def _clang(builder: str, flags: tuple[str, ...], source: Path, scratch: Path) -> Recipe:
    output, depfile = scratch / f"{source.stem}.wasm", scratch / f"{source.stem}.d"
    zig = toolchains.ziglang(source.parent).command
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
        needs="ziglang",
    )


def _c(source: Path, scratch: Path) -> Recipe:
    if not _wants_library(source):
        return _clang("c", _C, source, scratch)
    return replace(_clang("c", _C_WITH_LIBRARY, source, scratch), system=True, timeout_s=_LIBRARY_S)


def _wants_library(source: Path) -> bool:
    """Whether a source, or what it includes of its own, includes a header of the C library."""
    seen: set[Path] = set()
    due = [source]
    while due:
        file = due.pop()
        if file in seen or not file.is_file():
            continue
        seen.add(file)
        text = file.read_bytes()
        if _LIBRARY_HEADER.search(text):
            return True
        due += [file.parent / name.decode("utf-8", "replace") for name in _OWN_HEADER.findall(text)]
    return False


def _cpp(source: Path, scratch: Path) -> Recipe:
    return _clang("c++", _CPP, source, scratch)


def _zig(source: Path, scratch: Path) -> Recipe:
    output = scratch / f"{source.stem}.wasm"
    zig = toolchains.ziglang(source.parent).command
    sdk = include_folder() / "caxton.zig"
    words = (
        *(*zig, *_ZIG, "-I", str(include_folder()), f"-femit-bin={output}"),
        *("--dep", "caxton", f"-Mroot={source.name}", f"-Mcaxton={sdk}"),
    )
    return Recipe(
        "zig",
        source.name,
        source.parent,
        words,
        output,
        environ=_quiet(scratch),
        reads=(source, sdk),
        may_read=_ZIG_READS,
        needs="ziglang",
    )


def _quiet(scratch: Path) -> dict[str, str]:
    return {"ZIG_LOCAL_CACHE_DIR": str(scratch / "zig"), "NO_COLOR": "1"}


_MAKERS: Final[dict[str, Callable[[Path, Path], Recipe]]] = {
    ".py": _python,
    ".wat": _wat,
    ".c": _c,
    ".cpp": _cpp,
    ".zig": _zig,
}
SUFFIXES: Final = tuple(_MAKERS)
"""Endings of sources, in the order in which they are looked for."""
_BEFORE_PACKAGES: Final = frozenset({".py", ".wat"})
HINT: Final = (
    f"a source is called {PYTHON}, ends in {', '.join(SUFFIXES[1:])} "
    f"or is a folder with {', '.join(package_builders.MAKERS)}; "
    "give anything else a [build] command"
)
"""What is said where nothing is found that can be built."""
