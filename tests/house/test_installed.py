"""What is published can be installed: the wheel and the source archive each run the demo in a fresh environment.

Long: it downloads what Caxton needs, or takes it from pip's cache.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from caxton.install_hint import Environment

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, cwd=cwd, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def environment(folder: Path, *packages: str | Path) -> Path:
    """The interpreter of a fresh environment with these packages."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=ROOT)
    python = folder / "bin" / "python"
    words = shlex.split(Environment.here().install("x"))
    pip = [str(python) if Path(word).absolute() == Path(sys.executable) else word for word in words[:-1]]
    run(*pip, "-q", "-c", ROOT / "constraints.txt", *packages, cwd=ROOT)
    return python


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_the_demo_runs_from_what_is_published(kind: str, tmp_path: Path) -> None:
    builder = environment(tmp_path / "build", "hatchling")
    run(builder, "-m", "hatchling", "build", "-t", kind, "-d", tmp_path / "dist", cwd=ROOT)
    (made,) = (tmp_path / "dist").iterdir()
    python = environment(tmp_path / "env", made)
    said = run(python.parent / "caxton", "demo", "--stream", "--rounds", "1", "--seconds", "30", cwd=tmp_path)
    assert "1 of 1 bought" in said
    assert "built with     componentize-py" in run(python.parent / "caxton", "python", "show", cwd=tmp_path)
