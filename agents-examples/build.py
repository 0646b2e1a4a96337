"""Builds every example agent from its source, byte for byte the same wherever it is run.

In: the `.c` and `.wat` files below this folder. Out: a `.wasm` beside each. With `--check` nothing
is written; each build is compared with the committed file; the exit code is 1 when one differs.
C needs the extra `build` (ziglang); WAT is translated by wasmtime.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

FLAGS = (
    *("-target", "wasm32-freestanding", "-mcpu=mvp", "-Os", "-std=c11", "-Wall", "-Wextra", "-Werror"),
    *("-nostdlib", "-fno-builtin", "-Wl,--no-entry", "-Wl,-z,stack-size=8192", "-Wl,--strip-all"),
)
"""mvp keeps the module valid in profile `strict`; the stack is small because these agents do not recurse."""


def sources() -> list[Path]:
    """Every example's source, in a fixed order."""
    return sorted([*HERE.glob("*/*.c"), *HERE.glob("*/*.wat")])


def build(source: Path) -> bytes:
    """One agent's module. Raises CalledProcessError when the source does not compile."""
    if source.suffix == ".wat":
        from wasmtime import wat2wasm

        return bytes(wat2wasm(source.read_text("utf-8")))
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "agent.wasm")
        # relative paths from the examples' folder: no name of the machine gets near the compiler
        subprocess.run(
            [sys.executable, "-m", "ziglang", "cc", *FLAGS, "-Iinclude", "-o", out, source.relative_to(HERE)],
            cwd=HERE,
            env={**os.environ, "ZIG_LOCAL_CACHE_DIR": scratch},
            check=True,
        )
        return out.read_bytes()


def main(arguments: list[str]) -> int:
    """Build all, or with `--check` compare; returns the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python agents-examples/build.py [--check]\n")
        return 2
    differing: list[str] = []
    for source in sources():
        target = source.with_suffix(".wasm")
        name = target.relative_to(HERE).as_posix()
        try:
            module = build(source)
        except subprocess.CalledProcessError:
            # the compiler has said why already
            sys.stderr.write(f"{name} was not built\nhint: C needs ziglang: pip install -e '.[build]'\n")
            return 1
        if not arguments:
            target.write_bytes(module)
            sys.stdout.write(f"{name}: {len(module)} bytes\n")
        elif not target.exists() or target.read_bytes() != module:
            differing.append(name)
    for name in differing:
        sys.stderr.write(f"{name} is not what its source builds\nhint: python agents-examples/build.py\n")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
