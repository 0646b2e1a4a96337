"""A build as a value: a command line, what it reads, where it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

BUILT_IN_S: Final = 60.0
"""How long a builder of ours may take; Zig compiles its own runtime the first time."""
PACKAGE_S: Final = 300.0
"""The same for tools that build packages: the first time they compile everything that an agent stands on."""

ZIG_BUILD_S: Final = 900.0
"""And for Zig's build system, which the first time compiles itself: two minutes of a processor."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A build as a value. Relative paths in `command` are relative to `folder`."""

    builder: str
    source: str
    """What a person would call the source: its path relative to the folder, or the command."""
    folder: Path
    command: tuple[str, ...]
    output: Path
    """The module that it writes, or a folder in which it leaves exactly one."""
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
    needs: str | None = None
    """The toolchain that must be here (`toolchains.py`)."""
    keeps_output: bool = False
    """Whether the tool decides by what it wrote before that there is nothing to do."""
    system: bool = False
    """Whether what it writes asks for an operating system, and gets one that says no (`wasi_stubs.py`)."""
    no_output: str = "say with build.output where it writes its module"
    """What to do where it ends well and leaves no module."""
