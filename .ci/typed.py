"""mypy over the project, then over the Python of the examples and of the templates of `caxton new`, filled in.

Out: what mypy says; exit code 1 where it found something. Everything is checked strictly, but agents need no
annotations; what they call is checked against `caxton_agent.pyi`. One run after the other, because they share a cache.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHECKED = ROOT / "build" / "examples"
AGENT = ("--allow-untyped-defs", "--allow-incomplete-defs", "--allow-untyped-calls", "--check-untyped-defs")


def checked() -> dict[str, str]:
    """Each file by the name under which it is checked, as `caxton new` would write it."""
    (templates,) = ROOT.glob("caxton/devloop/**/templates")
    agents = sorted(ROOT.glob("agents-examples/*/*.py"))
    found = {f"{path.parent.name.replace('-', '_')}_{path.stem}_agent.py": path for path in agents}
    for path in sorted(templates.rglob("*.py.in")):
        found[f"{path.relative_to(templates).parts[0]}_template_{path.name.removesuffix('.in')}"] = path
    return {name: path.read_text("utf-8").replace("{{name}}", "shop") for name, path in found.items()}


def main() -> int:
    """Check everything; returns the exit code."""
    shutil.rmtree(CHECKED, ignore_errors=True)
    CHECKED.mkdir(parents=True)
    strict, agents = ["agents-examples/build.py", *map(str, sorted((ROOT / ".ci").glob("*.py")))], list[str]()
    for name, text in checked().items():
        path = CHECKED / name
        path.write_text(text, "utf-8")
        (agents if name.endswith("agent.py") and "test" not in name else strict).append(str(path))
    mypy = [sys.executable, "-m", "mypy"]
    codes = [
        subprocess.run([*mypy, *files], cwd=ROOT, check=False).returncode
        for files in ([], strict, [*AGENT, *agents])
    ]
    return int(any(codes))


if __name__ == "__main__":
    raise SystemExit(main())
