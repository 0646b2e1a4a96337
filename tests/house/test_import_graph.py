"""Imports go one way: no module and no package imports itself through others, not even for its types."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import cache
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

ROOTS = ("caxton", "caxton_tui")


@cache
def graph() -> dict[str, frozenset[str]]:
    """What each module imports: at the top, inside functions, and under `TYPE_CHECKING`."""
    found = grimp.build_graph(*ROOTS, exclude_type_checking_imports=False, cache_dir=None)
    return {
        module: frozenset(found.find_modules_directly_imported_by(module)) for module in sorted(found.modules)
    }


def circle(edges: Mapping[str, Set[str]]) -> list[str]:
    """The modules of one circle, in order; empty where there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def siblings(package: str, edges: Mapping[str, Set[str]]) -> dict[str, set[str]]:
    """The direct members of a package, and which of them import each other, at whatever depth."""

    def member(module: str) -> str | None:
        head = package + "."
        return head + module.removeprefix(head).split(".")[0] if module.startswith(head) else None

    found: dict[str, set[str]] = {}
    for module, imported in edges.items():
        if one := member(module):
            others = {other for name in imported if (other := member(name))}
            found.setdefault(one, set()).update(others - {one})
    return found


PACKAGES = sorted({module.rpartition(".")[0] for module in graph() if "." in module})


def test_every_module_is_in_the_graph() -> None:
    assert {"caxton.errors", "caxton.cli.app", "caxton_tui.app"} <= graph().keys()
    assert "caxton.bus" in graph()["caxton.cells.link"]


def test_no_module_imports_itself_through_others() -> None:
    assert circle(graph()) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_members_of_a_package_import_each_other_one_way(package: str) -> None:
    assert circle(siblings(package, graph())) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert siblings("p", {"p.x.one": {"p.y"}, "p.y": {"p.x.two"}, "p.x.two": set()}) == {
        "p.x": {"p.y"},
        "p.y": {"p.x"},
    }
