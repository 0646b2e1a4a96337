"""The wheel as it is published, with the Python runtime inside, so that an install needs no builder for it.

In: this checkout, with the extra `python` installed; a folder, else `dist`. Out: one wheel
there; exit code 1 where it cannot be made.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from caxton.install_hint import Environment
from caxton.sandbox.python.runtime import SHIPPED, RuntimeFolder, runtime_name

ROOT = Path(__file__).resolve().parents[1]


def main(folder: str = "dist") -> int:
    """Build the runtime where it is not there, and the wheel around it; the exit code."""
    runtime = RuntimeFolder().folder / f"{runtime_name()}.wasm"
    try:
        if not runtime.is_file():
            subprocess.run([sys.executable, "-m", "caxton.cli", "python", "build", "--anew"], check=True)
        shutil.rmtree(SHIPPED, ignore_errors=True)
        SHIPPED.mkdir()
        shutil.copy(runtime, SHIPPED)
        install = shlex.split(Environment.here().install("."))
        # pip, uv and others know the rest by other names; what makes wheels is pip alone
        pip = install[: install.index("install")]
        subprocess.run(
            [*pip, "wheel", "-q", "--no-deps", "-w", str(Path(folder).resolve()), "."], cwd=ROOT, check=True
        )
    except (subprocess.CalledProcessError, ValueError) as failed:
        sys.stderr.write(f"error: the wheel was not made: {failed}\n")
        return 1
    finally:
        shutil.rmtree(SHIPPED, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
