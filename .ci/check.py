"""Everything that must hold before a change is taken, one step after the other.

In: names of steps (none: all of them). Out: each step's name and output, at the end which ones failed; exit
code 1 when one did. It needs the extra `dev` and nothing else: `pip install -c constraints.txt -e '.[dev]'`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

STEPS: dict[str, list[str]] = {
    "format": ["-m", "ruff", "format", "--check", "--quiet", "."],
    "lint": ["-m", "ruff", "check", "--quiet", "."],
    "imports": ["-c", "from importlinter.cli import lint_imports_command as run; run()"],
    "mypy": ["-m", "mypy"],
    "pyright": ["-m", "pyright", "--pythonpath", sys.executable],
    "tests": ["-m", "pytest", "-q", "-n", "auto", "--maxprocesses", "2"],
}
"""Arguments of this very Python, so that nothing on the PATH matters."""


def main(names: list[str]) -> int:
    """Run the steps of those names, all when there are none; returns the exit code."""
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        sys.stderr.write(f"there is no step {unknown[0]!r}\nhint: the steps are {', '.join(STEPS)}\n")
        return 2
    failed: list[str] = []
    for name in names or STEPS:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        began = time.monotonic()
        code = subprocess.run([sys.executable, *STEPS[name]], cwd=ROOT, check=False).returncode
        if code:
            failed.append(name)
        outcome = f"FAILED, exit code {code}" if code else "ok"
        sys.stdout.write(f"== {name}: {outcome} ({time.monotonic() - began:.0f} s)\n")
    if failed:
        sys.stdout.write(f"\nfailed: {', '.join(failed)}\n")
        return 1
    sys.stdout.write("\nall steps passed\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
