"""What an object is changes by its own methods: nobody assigns to an attribute of somebody else's object.

An assignment is fine to `self` and `cls`, to what the same function has just made, to another object of the class that
it stands in, and to a plain record of the same file (a dataclass, a struct, a class with no method but `__init__`).
Textual's widgets are set up by assigning to them, so of the app only its model is held to this.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import source

FOREIGN = {
    # `Parameters`, a plain record that its readers fill
    "caxton/acl/fipa_string.py": {"act", "content", "receiver", "reply_by", "reply_to", "sender"},
    "caxton/acl/xml_reader.py": {"act", "content", "receiver", "reply_by", "reply_to", "sender"},
    "caxton/api/app.py": {
        "keys",
        "hub",
        "row_meters",
        "services",
    },  # Starlette's place for what its routes need
    "caxton/api/openapi.py": {"__doc__"},
    "caxton/api/server.py": {"should_exit"},  # uvicorn's way to be told
    "caxton/gateways/grpc/messages.py": {"text"},  # messages are filled so
    "caxton/gateways/grpc/services.py": {"status"},
    "caxton/gateways/own_process.py": {"should_exit"},
    "caxton/web/server.py": {"should_exit"},
    "caxton/cli/list_view.py": {"__annotations__", "__signature__"},
    "caxton/sandbox/cell/__main__.py": {"excepthook"},
    "caxton/sandbox/cell/calls.py": {"__traceback__"},
    "caxton/sandbox/cell/calls_fast.py": {"argtypes", "restype"},
    "caxton/sandbox/components/calls.py": {"kind", "string"},  # a C struct and its union
    "caxton/sandbox/components/wasi_stubs.py": {"allow_shadowing"},
    "caxton/sandbox/python/guest/caxton_library.py": {"__file__"},
    "caxton/sandbox/python/guest/caxton_runtime.py": {
        "__module__",
        "code",
        "file",
        "stderr",
        "stdin",
        "stdout",
    },  # and `Agent`, the one record of what an instance runs
    "caxton/telemetry/collector.py": {"timeout"},  # the next connection of http.client
    "caxton/telemetry/logs.py": {"handlers"},
}
"""What a library or Python itself wants assigned, and plain records of another file."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def assigned(node: ast.AST) -> Iterator[ast.Attribute]:
    """The attributes that a statement assigns to, or deletes."""
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            pass
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target) | ast.For(target=target):
            targets = [target]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            targets = [one.optional_vars for one in items if one.optional_vars is not None]
        case _:
            targets = []
    for target in targets:
        for one in ast.walk(target):
            if isinstance(one, ast.Attribute) and not isinstance(one.ctx, ast.Load):
                yield one


def fields(body: list[ast.stmt]) -> set[str]:
    """What a class declares in its body."""
    return {
        one.target.id for one in body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }


def own(node: ast.ClassDef) -> set[str]:
    """The attributes that a class has."""
    return fields(node.body) | {
        one.attr
        for statement in ast.walk(node)
        for one in assigned(statement)
        if isinstance(one.value, ast.Name) and one.value.id in ("self", "cls")
    }


def is_record(node: ast.ClassDef) -> bool:
    """Whether a class is nothing but its fields."""
    declared = [*node.bases, *node.decorator_list]
    return any(
        ast.unparse(one).endswith("Struct") or "dataclass" in ast.unparse(one) for one in declared
    ) or all(one.name == "__init__" for one in node.body if isinstance(one, FUNCTIONS))


def made(function: ast.AST) -> set[str]:
    """The names that a function gives to objects which it makes."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            name = ast.unparse(node.value.func).rpartition(".")[2].lstrip("_")
            if name[:1].isupper() or name in ("cls", "new__"):
                found |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    return found


def trespasses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of every attribute that is assigned to from outside."""
    records = [one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and is_record(one)]
    local = {name for one in records for name in own(one)}

    def below(parent: ast.AST, mine: set[str], fresh: set[str]) -> Iterator[tuple[int, str]]:
        for node in ast.iter_child_nodes(parent):
            for one in assigned(node):
                name = one.value.id if isinstance(one.value, ast.Name) else None
                if (
                    name not in ("self", "cls")
                    and name not in fresh
                    and one.attr not in local
                    and not (name is not None and one.attr in mine)
                ):
                    yield one.lineno, one.attr
            yield from below(
                node,
                own(node) if isinstance(node, ast.ClassDef) else mine,
                fresh | made(node) if isinstance(node, FUNCTIONS) else fresh,
            )

    yield from below(tree, set(), set())


def checked() -> list[Path]:
    """The files that are held to it."""
    return [*source.python("caxton"), *source.python("tui", "caxton_tui", "model")]


def test_nobody_assigns_to_what_is_somebody_elses() -> None:
    found = [
        f"{name}:{line}: {attribute}"
        for path in checked()
        for name in [path.relative_to(source.ROOT).as_posix()]
        for line, attribute in trespasses(source.tree(path))
        if attribute not in FOREIGN.get(name, set())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", sorted(FOREIGN))
def test_an_exception_that_nobody_needs_is_not_there(name: str) -> None:
    used = {attribute for _, attribute in trespasses(source.tree(source.ROOT / name))}
    assert FOREIGN.get(name, set()) <= used


def test_the_rule_sees_what_it_forbids() -> None:
    code = """
class Note:
    def __init__(self):
        self.text = ""

class Owner:
    def __init__(self, other):
        self.state = other
    def step(self, twin, note, other):
        self.state = twin.state = 1
        note.text = "a plain record of this file"
        made = Thing()
        made.state = made.left = 2
        other.right = 3
        self.other.state = 4
        with other.lock as other.held:
            other.count += 1
        for other.turn in ():
            del other.gone
"""
    names = [name for _, name in trespasses(ast.parse(code))]
    assert names == ["right", "state", "held", "count", "turn", "gone"]
