"""Everything that must hold before a change is taken.

In: names of steps (none: all of them). Out: each step's name and output, at the end which ones failed; exit code 1
when one did. It needs the extra `dev` and nothing else: `pip install -c constraints.txt -e '.[dev]'`.

What reads the code runs side by side, and beside it the Python runtime is built, which the tests need and find in the
user's cache; then the tests have the machine for themselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

STATIC: dict[str, list[str]] = {
    "format": ["-m", "ruff", "format", "--check", "--quiet", "."],
    "lint": ["-m", "ruff", "check", "--quiet", "."],
    "imports": ["-c", "from importlinter.cli import lint_imports_command as run; run()"],
    "dependencies": ["-m", "deptry", "--no-ansi", "caxton", "tui"],
    "generated": [".ci/unasync.py", "--check"],
    "mypy": [".ci/typed.py"],
    "pyright": ["-m", "pyright", "--pythonpath", sys.executable],
    "docs": [".ci/docs.py"],
    "runtime": ["-m", "caxton.cli", "python", "build"],
}
"""Steps that do not get in each other's way. Arguments of this very Python, so that nothing on the PATH matters."""
TESTS: dict[str, list[str]] = {
    "tests": ["-m", "pytest", "-q", "-n", "3", "--dist", "loadgroup"],
}
STEPS = STATIC | TESTS


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended; `said` is empty where its output was shown as it came."""

    code: int
    said: str
    seconds: float


def main(names: list[str]) -> int:
    """Run the steps of those names, all when there are none; returns the exit code."""
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        sys.stderr.write(f"there is no step {unknown[0]!r}\nhint: the steps are {', '.join(STEPS)}\n")
        return 2
    began = time.monotonic()
    chosen = names or list(STEPS)
    failed: list[str] = []
    static = [name for name in chosen if name in STATIC]
    # one worker for each: what waits for another processor costs nothing
    with ThreadPoolExecutor(len(STATIC)) as pool:
        for name, outcome in zip(static, pool.map(_run, static), strict=True):
            failed += _told(name, outcome)
    for name in chosen:
        if name in TESTS:
            _say(f"\n== {name}\n")
            failed += _told(name, _run(name, shown=True))
    verdict = f"failed: {', '.join(failed)}" if failed else "all steps passed"
    _say(f"\n{verdict} ({time.monotonic() - began:.0f} s)\n")
    return 1 if failed else 0


def _run(name: str, *, shown: bool = False) -> Outcome:
    began = time.monotonic()
    # without compiled files each of a thousand processes would compile the whole source again
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, *STEPS[name]],
        cwd=ROOT,
        env=environment,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(done.returncode, done.stdout or "", time.monotonic() - began)


def _told(name: str, outcome: Outcome) -> list[str]:
    """Say how a step ended; its name where it failed."""
    if outcome.said:
        _say(f"\n== {name}\n{outcome.said}")
    how = f"FAILED, exit code {outcome.code}" if outcome.code else "ok"
    _say(f"== {name}: {how} ({outcome.seconds:.0f} s)\n")
    return [name] if outcome.code else []


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
