"""What several threads decode has its decoder before they begin.

msgspec learns a type when it is first decoded; two threads that do so at the same moment end the process.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import caxton.sandbox

FOLDER = Path(caxton.sandbox.__file__).parent
THREADED = [
    FOLDER / "frames.py",
    FOLDER / "cache_labels.py",
    *sorted((FOLDER / "cell").glob("*.py")),
    *sorted((FOLDER / "components").glob("*.py")),
]


@pytest.mark.parametrize("file", THREADED, ids=lambda file: str(file.relative_to(FOLDER)))
def test_no_thread_is_the_first_to_decode_a_type(file: Path) -> None:
    late = [
        node.lineno
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "decode"
        and any(keyword.arg == "type" for keyword in node.keywords)
    ]
    assert late == []
