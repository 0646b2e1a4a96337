"""What `caxton config validate` finds without a daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.cli.project_check import problems_of
from caxton.config import load
from caxton.example_modules import module

pytestmark = pytest.mark.system

FINE = "import json\nfrom caxton_agent import reply\n\n\ndef handle(m):\n    reply('inform', json.dumps(1))\n"


def wrong(folder: Path, name: str, content: bytes, toml: str = "") -> list[str]:
    (folder / name).write_bytes(content)
    (folder / "caxton.toml").write_text(f'{toml}\n[agents.a]\nwasm = "{name}"\n')
    return problems_of(load(folder, {}))


def test_what_is_fine_is_fine_and_leaves_nothing(tmp_path: Path) -> None:
    assert wrong(tmp_path, "a.wasm", module("echo")) == []
    assert wrong(tmp_path, "a.py", FINE.encode()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "a.wasm", "caxton.toml"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.wasm", b"garbage", "this is not a WebAssembly module"),
        ("a.wasm", b"\0asm\1\0\0\0\1\2\3", "a.wasm"),
        ("a.wat", b'(module (import "env" "f" (func)))', "imports"),
        ("a.wat", b"(module", "a.wat"),
        ("a.py", b"def handle(m)\n    pass\n", "line 1: expected ':'"),
        ("a.py", b"x = 1\nimport requests\n", "line 2: it imports requests"),
        ("a.py", b"def handle(m):\n    from numpy.linalg import norm\n", "line 2: it imports numpy"),
        ("a.py", b"from . import other\n", "line 1: it imports a module of its own folder"),
        ("a.py", b"x = '\xff'\n", "a.py"),
    ],
)
def test_a_module_that_could_not_start_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (problem,) = wrong(tmp_path, name, content)
    assert problem.startswith("[agents.a] wasm: ")
    assert said in problem


def test_an_import_that_is_looked_after_is_the_agents_business(tmp_path: Path) -> None:
    source = b"try:\n    import numpy\nexcept ImportError:\n    numpy = None\n"
    assert wrong(tmp_path, "a.py", source) == []


def test_a_pattern_of_tables_without_a_file_and_a_table_that_is_none(tmp_path: Path) -> None:
    toml = '[referee]\ntables = ["tables/*.toml"]'
    assert wrong(tmp_path, "a.wasm", module("echo"), toml) == [
        "[referee] tables: 'tables/*.toml' fits no file"
    ]
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "mine.toml").write_text("nonsense = 1\n")
    (problem,) = problems_of(load(tmp_path, {}))
    assert problem.startswith("[referee] tables: ")
