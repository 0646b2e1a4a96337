"""The unit tests of what changed, for an answer in seconds.

In: arguments for pytest, or none. Out: what pytest says. Without arguments it runs the unit tests of the packages that
differ from the last commit (from the one before it where nothing does), those first that failed the last time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Run pytest; returns its exit code."""
    if not arguments:
        places = tests_of(changed())
        if not places:
            sys.stdout.write("nothing changed that has unit tests\n")
            return 0
        sys.stdout.write(f"unit tests of {' '.join(places)}\n")
        sys.stdout.flush()
        arguments = ["-q", "-m", "unit", "--failed-first", *places]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env=environment).returncode


def changed() -> list[str]:
    """Files that differ from the last commit, new ones too; from the commit before it where none does."""
    now = [*_git("diff", "--name-only", "HEAD"), *_git("ls-files", "--others", "--exclude-standard")]
    return now or _git("diff", "--name-only", "HEAD~1")


def tests_of(files: list[str]) -> list[str]:
    """Where the tests of those files are: a package's tests have its name, a file of tests is itself."""
    places: set[str] = set()
    for name in files:
        path = PurePosixPath(name)
        if path.parts[0] == "tests":
            places.add(name if path.name.startswith("test_") and path.suffix == ".py" else str(path.parent))
        elif path.parts[0] == "tui":
            places.add("tests/tui")
        elif path.parts[0] == "caxton" and len(path.parts) > 1:
            places.add(f"tests/{PurePosixPath(path.parts[1]).stem}")
        elif path.parts[0] == "docs" or len(path.parts) == 1:
            places.add("tests/house")
    places = {place for place in places if (ROOT / place).exists() and place != "tests"}
    return sorted(place for place in places if str(PurePosixPath(place).parent) not in places)


def _git(*words: str) -> list[str]:
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
