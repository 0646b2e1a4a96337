"""Which files of its own a Python agent imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.errors import InvalidModule
from caxton.sandbox.compile.python_imports import imported, texts
from caxton.sandbox.compile.python_source import pack, unpack
from caxton.sandbox.python.runtime import folders_of

FILES = {
    "shop/__init__.py": "from .prices import best\n",
    "shop/prices.py": "from . import names as known\nfrom ..elsewhere import nothing\nimport json, helper\n",
    "shop/names.py": "",
    "shop/unused.py": "",
    "helper.py": "import statistics",
    "loose/tool.py": "",
    "json.py": "",
    "agent.py": "",
    "tests.py": "",
}


def made(folder: Path) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import shop", ["helper.py", "shop/__init__.py", "shop/names.py", "shop/prices.py"]),
        (
            "def f():\n    from shop import (\n        unused,  # why\n        names as n,\n    )",
            [*FILES][:5],
        ),
        ("import loose.tool as t; import json", ["loose/tool.py"]),
        ("from loose import tool", ["loose/tool.py"]),
        ("from caxton_agent import reply\nimport numpy, random\nfrom urllib.parse import quote", []),
        ("importlib.import_module('helper')", []),
    ],
)
def test_what_is_imported_is_found(tmp_path: Path, source: str, found: list[str]) -> None:
    want = {one for one in found if one != "json.py"} | (
        {"helper.py"} if "shop/prices.py" in found else set()
    )
    assert set(imported(source, [made(tmp_path)])) == want


def test_the_first_folder_that_has_a_module_counts(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    for folder in (tmp_path, tmp_path / "lib"):
        (folder / "helper.py").write_text(folder.name)
    (tmp_path / "lib" / "other.py").write_text("")
    folders = [tmp_path, tmp_path / "lib"]
    assert texts(b"import helper, other", folders) == {"helper.py": tmp_path.name, "other.py": ""}


def test_a_project_names_folders_for_all_its_agents(tmp_path: Path) -> None:
    agent = tmp_path / "agents" / "shop" / "agent.py"
    agent.parent.mkdir(parents=True)
    assert folders_of(agent) == [agent.parent]
    (tmp_path / "caxton.toml").write_text('[python]\npath = ["lib"]\n')
    with pytest.raises(InvalidModule, match=r"python.path: there is no folder lib"):
        folders_of(agent)
    (tmp_path / "lib").mkdir()
    assert folders_of(agent) == [agent.parent, tmp_path / "lib"]


def test_a_module_of_an_agent_without_files_is_as_it_was(tmp_path: Path) -> None:
    plain, more = (pack(b"x = 1", "agent.py", "0" * 64, files) for files in ({}, {"a.py": "y = 2"}))
    assert b"files" not in plain
    found = unpack(more)
    assert found is not None
    assert found.files == {"a.py": "y = 2"}


def test_what_is_no_text_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_bytes(b"\xff")
    with pytest.raises(InvalidModule, match=r"helper.py: the source is not UTF-8 text"):
        texts(b"import helper", [tmp_path])
