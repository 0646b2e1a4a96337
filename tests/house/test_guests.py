"""The committed example agents are what their sources build, wherever they are built."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

EXAMPLES = Path(__file__).resolve().parents[2] / "agents-examples"


def build(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # the check runs from elsewhere: nothing may depend on the working directory
    return subprocess.run(
        [sys.executable, str(folder / "build.py"), *arguments],
        cwd=os.sep,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_example_has_a_module_and_says_what_it_does() -> None:
    sources = [*EXAMPLES.glob("*/*.c"), *EXAMPLES.glob("*/*.wat")]
    assert {path.parent.name for path in sources} == {
        "auction",
        "brokering",
        "counter",
        "echo",
        "heartbeat",
        "market",
        "orders",
        "relay",
        "ring",
        "rogue",
        "subscription",
    }
    for source in sources:
        assert source.with_suffix(".wasm").is_file(), source
        assert source.with_name("README.md").is_file(), source


def test_the_committed_modules_come_out_byte_for_byte_in_another_folder(tmp_path: Path) -> None:
    copy = tmp_path / "some where" / "else"
    shutil.copytree(EXAMPLES, copy)
    done = build(copy, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readmes_first_agent_builds_with_the_command_it_gives(tmp_path: Path) -> None:
    page = (EXAMPLES / "README.md").read_text("utf-8")
    (source,) = re.findall(r"```c\n(.+?)```", page, re.DOTALL)
    (command,) = re.findall(r"```sh\npython (.+?)```", page, re.DOTALL)
    shutil.copytree(EXAMPLES / "include", tmp_path / "agents-examples" / "include")
    (tmp_path / "hello.c").write_text(source, "utf-8")
    subprocess.run([sys.executable, *shlex.split(command.replace("\\\n", " "))], cwd=tmp_path, check=True)
    assert (tmp_path / "hello.wasm").read_bytes()[:4] == b"\0asm"


def test_check_names_the_module_that_differs(tmp_path: Path) -> None:
    copy = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copy, ignore=shutil.ignore_patterns("*.c"))
    with (copy / "echo" / "echo.wasm").open("ab") as module:
        module.write(b"\0")
    done = build(copy, "--check")
    assert done.returncode == 1
    assert done.stderr.startswith("echo/echo.wasm is not what its source builds\nhint: ")
