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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is published."""
    folder = tmp_path_factory.mktemp("release")
    run(sys.executable, ".ci/release.py", folder, cwd=ROOT)
    (made,) = folder.iterdir()
    return made


def test_a_published_wheel_runs_python_agents_without_a_builder(wheel: Path, tmp_path: Path) -> None:
    caxton = environment(tmp_path / "env", wheel).parent / "caxton"
    cache = f"XDG_CACHE_HOME={tmp_path / 'cache'}"
    assert "built          True" in run("env", cache, caxton, "python", "show", cwd=tmp_path)
    run("env", cache, caxton, "python", "build", cwd=tmp_path)
    run("env", cache, caxton, "new", "greeter", cwd=tmp_path)
    (tmp_path / "caxton.toml").write_text('[agents.greeter]\nwasm = "greeter/agent.py"\n')
    try:
        run("env", cache, caxton, "up", cwd=tmp_path)
        asked = ("msg", "send", "--to", "greeter", "--content", '{"add": 2}', "--wait")
        assert '{"count":2}' in run("env", cache, caxton, *asked, cwd=tmp_path)
    finally:
        run(caxton, "down", cwd=tmp_path)


@pytest.mark.parametrize("tool", ["uv", "pipx"])
def test_the_demo_runs_from_the_wheel_where_no_environment_was_made(
    tool: str, wheel: Path, tmp_path: Path
) -> None:
    tools = environment(tmp_path / "tools", tool).parent
    demo = ("caxton", "demo", "--stream", "--rounds", "1", "--seconds", "30")
    words = {
        "uv": (tools / "uvx", "--python", sys.executable, "-c", ROOT / "constraints.txt", "--from", wheel),
        "pipx": ("env", f"PIPX_HOME={tmp_path / 'pipx'}", tools / "pipx", "run", "--spec", wheel),
    }[tool]
    assert "1 of 1 bought" in run(*words, *demo, cwd=tmp_path)
