"""Everything that must hold before a change is taken.

In: names of steps (none: all of them). Out: each step's name and output, at the end which ones failed; exit code 1
when one did. It needs the extra `dev` and nothing else: `pip install -c constraints.txt -e '.[dev]'`.

First the Python runtime is built, which the tests need and find in the user's cache. What reads the code goes on
beside the tests at the lowest priority: they wait for processes half of their time, and it takes what they leave.
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
    "protos": [".ci/protos.py", "--check"],
    "mypy": [".ci/typed.py"],
    "pyright": ["-m", "pyright", "--pythonpath", sys.executable],
    "docs": [".ci/docs.py"],
}
"""What reads the code. Arguments of this very Python, so that nothing on the PATH matters."""
TESTS: dict[str, list[str]] = {
    "runtime": ["-m", "caxton.cli", "python", "build"],
    "tests": ["-m", "pytest", "-q", "-n", "4", "--dist", "loadgroup"],
}
"""One after the other."""
STEPS = STATIC | TESTS
LEAST = 19
"""The niceness of what gives way to the tests."""


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
    # one worker for each: what waits for another processor costs nothing
    with ThreadPoolExecutor(len(STATIC)) as pool:
        reading = {name: pool.submit(_run, name, niceness=LEAST) for name in chosen if name in STATIC}
        failed = [name for name in chosen if name in TESTS and not _told(name, _run(name))]
        failed += [name for name, step in reading.items() if not _told(name, step.result())]
    verdict = f"failed: {', '.join(failed)}" if failed else "all steps passed"
    _say(f"\n{verdict} ({time.monotonic() - began:.0f} s)\n")
    return 1 if failed else 0


def _run(name: str, *, niceness: int = 0) -> Outcome:
    """Run a step. What gives way is kept and told at its end; what does not is shown as it comes."""
    began = time.monotonic()
    # without compiled files each of a thousand processes would compile the whole source again
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    kept = subprocess.PIPE if niceness else None
    if not kept:
        _say(f"\n== {name}\n")
    with subprocess.Popen(
        [sys.executable, *STEPS[name]],
        cwd=ROOT,
        env=environment,
        stdout=kept,
        stderr=kept and subprocess.STDOUT,
        text=True,
    ) as step:
        os.setpriority(os.PRIO_PROCESS, step.pid, os.getpriority(os.PRIO_PROCESS, 0) + niceness)
        said, _ = step.communicate()
    return Outcome(step.returncode, said or "", time.monotonic() - began)


def _told(name: str, outcome: Outcome) -> bool:
    """Say how a step ended; whether it passed."""
    if outcome.said:
        _say(f"\n== {name}\n{outcome.said}")
    how = f"FAILED, exit code {outcome.code}" if outcome.code else "ok"
    _say(f"== {name}: {how} ({outcome.seconds:.0f} s)\n")
    return not outcome.code


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
