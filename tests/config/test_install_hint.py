"""What is missing is installed by a command that works where one is."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from caxton.install_hint import Environment, install_hint

PYTHON = Path("/opt/work/bin/python")
PREFIX = Path("/opt/work")


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        (Environment(PYTHON, PREFIX, has_pip=True), "/opt/work/bin/python -m pip install 'a>1'"),
        (
            Environment(PYTHON, PREFIX, Path("/usr/bin/python3")),
            "/usr/bin/python3 -m pip --python /opt/work/bin/python install 'a>1'",
        ),
        (Environment(PYTHON, PREFIX), "python3 -m pip --python /opt/work/bin/python install 'a>1'"),
        (Environment(PYTHON, PREFIX, has_uv=True), "uv pip install --python /opt/work/bin/python 'a>1'"),
        (
            Environment(Path("/usr/bin/python3"), Path("/usr"), has_pip=True, managed=True),
            "/usr/bin/python3 -m pip install --break-system-packages 'a>1'",
        ),
        (
            Environment(PYTHON, Path("/var/cache/uv/archive-v0/xyz"), has_uv=True),
            "uvx --from caxton-workbench --with 'a>1' caxton",
        ),
    ],
)
def test_each_way_of_installing_has_its_command(environment: Environment, command: str) -> None:
    assert environment.install("a>1") == command


def test_what_pipx_made_is_added_to_by_pipx(tmp_path: Path) -> None:
    (tmp_path / "pipx_metadata.json").write_text("{}")
    assert Environment(PYTHON, tmp_path, has_pip=True).install("a") == "pipx inject caxton-workbench a"


def test_a_python_below_the_working_folder_is_named_as_one_types_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    assert (
        Environment(python, tmp_path / ".venv", has_pip=True).install("a")
        == ".venv/bin/python -m pip install a"
    )


def test_an_extra_is_named_by_its_packages_for_no_index_knows_a_checkout() -> None:
    assert "componentize-py==" in install_hint("python")
    assert "ziglang" in install_hint("build")
    assert install_hint("none").endswith("'caxton-workbench[none]'")


@pytest.mark.system
def test_the_command_for_this_very_environment_can_be_run() -> None:
    """Only asked for its version: nothing is installed, nothing downloaded."""
    words = shlex.split(Environment.here().install("x"))
    before = words[: words.index("install")]
    done = subprocess.run([*before, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert f"python {sys.version_info.major}.{sys.version_info.minor}" in done.stdout
