"""Runs the real command line as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    """The test's environment without what would colour or redirect the command; daemons do not give way to us."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("CAXTON_")}
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        known.pop(name, None)
    known["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), known.get("PYTHONPATH")]))
    return known | {"CAXTON_NICE": "0"} | more


def caxton(
    *words: str | Path, cwd: Path | None = None, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `caxton WORDS` and return what it said; ends the test after 60 s."""
    return subprocess.run(
        [sys.executable, "-m", "caxton.cli", *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env=environment(**more),
        check=False,
    )
