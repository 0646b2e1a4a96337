"""Builders of whole folders: what a package's own tools make of it.

    build.zig         ziglang's build system
    Makefile          make, with CAXTON_OUTPUT and CAXTON_INCLUDE
    Cargo.toml        cargo, for wasm32-unknown-unknown
    asconfig.json, package.json with assemblyscript    asc, as npm installed it
    go.mod            go, with an operating system that says no (`wasi_stubs.py`)

In: the file by which a package is known. Out: its `Recipe`. What the tools write on their way stays in a corner of
ours.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from caxton.devloop.builders.recipe import PACKAGE_S, ZIG_BUILD_S, Recipe
from caxton.devloop.builders.toolchains import RUST_TARGET, TOOLCHAINS
from caxton.errors import ConfigurationError

_ASC: Final = (
    *("assembly/index.ts", "--optimizeLevel", "3", "--shrinkLevel", "2", "--runtime", "minimal"),
    *("--disable", "bulk-memory", "--use", "abort="),
)
"""For a package without an asconfig.json."""


def build_zig(source: Path, module: Path, scratch: Path, include: Path) -> Recipe:
    """A project of Zig's build system, which installs one module."""
    made = scratch / "out"
    command = _command("ziglang", source, "build", "--prefix", str(made), "--cache-dir", str(scratch / "zig"))
    return Recipe(
        "build.zig",
        source.name,
        source.parent,
        command,
        made,
        timeout_s=ZIG_BUILD_S,
        environ={"NO_COLOR": "1", "CAXTON_INCLUDE": str(include)},
        reads=(source,),
        may_read=frozenset(
            {".zig", ".zon", ".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".hh", ".inc", ".def"}
        ),
        needs="ziglang",
        no_output="let its install step install exactly one wasm module",
    )


def makefile(source: Path, module: Path, scratch: Path, include: Path) -> Recipe:
    """A Makefile whose first target writes `$(CAXTON_OUTPUT)`."""
    return Recipe(
        "make",
        source.name,
        source.parent,
        _command("make", source, "-f", source.name),
        module,
        timeout_s=PACKAGE_S,
        environ={"CAXTON_OUTPUT": str(module), "CAXTON_INCLUDE": str(include)},
        reads=(source,),
        may_read=None,
        needs="make",
        keeps_output=True,
        no_output="let its first target write $(CAXTON_OUTPUT)",
    )


def cargo(source: Path, module: Path, scratch: Path, include: Path) -> Recipe:
    """A crate whose library is a cdylib."""
    try:
        said: dict[str, Any] = tomllib.loads(source.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{source} cannot be read: {error}", hint="it must be a crate's Cargo.toml"
        ) from error
    name = said.get("lib", {}).get("name") or said.get("package", {}).get("name")
    if not isinstance(name, str):
        raise ConfigurationError(
            f"{source} is no crate: it has no [package]",
            hint="name the folder of one of its members as source",
        )
    target = scratch / "cargo"
    made = target / RUST_TARGET / "release" / f"{name.replace('-', '_')}.wasm"
    folder = source.parent
    return Recipe(
        "cargo",
        source.name,
        folder,
        _command("cargo", source, "build", "--release", "--target", RUST_TARGET),
        made,
        timeout_s=PACKAGE_S,
        environ={
            "CARGO_TARGET_DIR": str(target),
            "CARGO_TERM_COLOR": "never",
            "CAXTON_INCLUDE": str(include),
        },
        depfile=made.with_suffix(".d"),
        reads=(source, folder / "Cargo.lock", folder / "build.rs", folder / ".cargo" / "config.toml"),
        may_read=frozenset({".rs", ".toml", ".lock"}),
        needs="cargo",
        no_output='say crate-type = ["cdylib"] under [lib] in its Cargo.toml',
    )


def assemblyscript(source: Path, module: Path, scratch: Path, include: Path) -> Recipe:
    """A package that npm has installed AssemblyScript for."""
    made = scratch / f"{source.parent.name}.wasm"
    words = ("--config", source.name, "--target", "release") if source.name == "asconfig.json" else _ASC
    return Recipe(
        "assemblyscript",
        source.name,
        source.parent,
        _command("asc", source, *words, "--outFile", str(made)),
        made,
        environ={"NO_COLOR": "1"},
        reads=(source, source.parent / "package.json"),
        may_read=frozenset({".ts", ".json"}),
        needs="asc",
        no_output="name its entries in asconfig.json",
    )


def go(source: Path, module: Path, scratch: Path, include: Path) -> Recipe:
    """A module of Go with package main at its root."""
    made = scratch / f"{source.parent.name}.wasm"
    command = _command("go", source, "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", str(made), ".")
    return Recipe(
        "go",
        source.name,
        source.parent,
        command,
        made,
        timeout_s=PACKAGE_S,
        environ={"GOOS": "wasip1", "GOARCH": "wasm", "CGO_ENABLED": "0"},
        reads=(source,),
        may_read=None,
        needs="go",
        system=True,
        no_output="package main has to be at the root of the module",
    )


Maker = Callable[[Path, Path, Path, Path], Recipe]
"""Of the file by which a package is known, the module's place, a corner to write in, and the folder of our headers."""

BUILD_ZIG: Final = "build.zig"
MAKERS: Final[dict[str, Maker]] = {
    BUILD_ZIG: build_zig,
    "GNUmakefile": makefile,
    "makefile": makefile,
    "Makefile": makefile,
    "Cargo.toml": cargo,
    "asconfig.json": assemblyscript,
    "package.json": assemblyscript,
    "go.mod": go,
}
"""By the file that makes a folder one, in the order in which they are looked for."""


def package_of(folder: Path) -> Path | None:
    """The file that makes that folder a package which one of the tools builds, the first of them that is there."""
    for name in MAKERS:
        file = folder / name
        if file.is_file() and (name != "package.json" or _wants_assemblyscript(file)):
            return file
    return None


def _wants_assemblyscript(file: Path) -> bool:
    try:
        said = json.loads(file.read_text("utf-8-sig"))
        return any("assemblyscript" in said.get(key, {}) for key in ("dependencies", "devDependencies"))
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def _command(toolchain: str, source: Path, *words: str) -> tuple[str, ...]:
    return (*TOOLCHAINS[toolchain].look(source.parent).command, *words)
