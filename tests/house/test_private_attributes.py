"""A name that begins with an underscore is its class's own: nobody else reads it or assigns to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PUBLIC = {"_replace", "_asdict", "_fields", "_exit"}
"""Named tuples and `os` spell these so that they cannot be mistaken for somebody's field."""
FOREIGN = {
    "caxton/sandbox/cell/calls_fast.py": {"_func", "_from_ptr"},
    "caxton/sandbox/components/calls.py": {"_func", "_context", "_from_ptr"},
}
"""The quick calls go below wasmtime's public layer, which costs more than the guest's turn; a self-test at the start of
each cell says whether this version of wasmtime still has what they use."""


def trespasses(tree: ast.AST, own: frozenset[str] = frozenset()) -> Iterator[tuple[int, str]]:
    """Line and name of every private attribute of something else; `own` are those of the class around it."""
    for node in ast.iter_child_nodes(tree):
        inside = own
        if isinstance(node, ast.ClassDef):
            inside = own | {
                one.attr
                for one in ast.walk(node)
                if isinstance(one, ast.Attribute)
                and isinstance(one.value, ast.Name)
                and one.value.id == "self"
            }
        if (
            isinstance(node, ast.Attribute)
            and node.attr.startswith("_")
            and not node.attr.startswith("__")
            and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
            and node.attr not in own
        ):
            yield node.lineno, node.attr
        yield from trespasses(node, inside)


@pytest.mark.parametrize("top", ["caxton", "tui/caxton_tui"])
def test_nobody_reaches_into_another_class(top: str) -> None:
    found = [
        f"{name}:{line}: {attribute}"
        for file in sorted((ROOT / top).rglob("*.py"))
        if not file.stem.endswith("_pb2")  # made by protoc
        for name in [file.relative_to(ROOT).as_posix()]
        for line, attribute in trespasses(ast.parse(file.read_text("utf-8")))
        if attribute not in PUBLIC and attribute not in FOREIGN.get(name, ())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", FOREIGN)
def test_an_exception_that_nobody_needs_is_not_there(name: str) -> None:
    used = {attribute for _, attribute in trespasses(ast.parse((ROOT / name).read_text("utf-8")))}
    assert FOREIGN[name] <= used


def test_the_rule_sees_what_it_forbids() -> None:
    code = (
        "class A:\n    def f(self, b):\n        self._x = b._x\n        b._y = 1\n        return b.c._z.w\n"
    )
    assert [name for _, name in trespasses(ast.parse(code))] == ["_y", "_z"]
