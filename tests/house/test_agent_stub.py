"""What editors are told of `caxton_agent` is what an agent in Python finds in its sandbox."""

from __future__ import annotations

import ast

from .source import ROOT, tree

STUB = ROOT / "agents-examples" / "include" / "caxton_agent.pyi"
GUEST = ROOT / "caxton" / "sandbox" / "python" / "guest"
RUNTIME = GUEST / "caxton_runtime.py"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: ast.Module | ast.ClassDef) -> dict[str, Function]:
    return {node.name: node for node in module.body if isinstance(node, Function)}


def classes(module: ast.Module) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}


def offered() -> set[str]:
    """The names that the runtime puts into the module that agents import."""
    for node in ast.walk(tree(RUNTIME)):
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "API.__dict__.update"
            and len(node.keywords) > 4
        ):
            return {str(one.arg) for one in node.keywords}
    raise AssertionError("the runtime fills caxton_agent in another way now")


def test_the_stub_has_the_names_that_agents_find() -> None:
    module = tree(STUB)
    variables = {ast.unparse(node.target) for node in module.body if isinstance(node, ast.AnnAssign)}
    assert functions(module).keys() | classes(module).keys() | variables == offered()


def same(told: Function, ours: Function) -> None:
    """The names, kinds and defaults of what a function takes; types may be narrower in the stub."""
    if any(ast.unparse(one) == "overload" for one in told.decorator_list):
        assert [one.arg for one in told.args.kwonlyargs] == [one.arg for one in ours.args.kwonlyargs], (
            told.name
        )
        return
    assert [one.arg for one in told.args.args] == [one.arg for one in ours.args.args], told.name
    assert ast.dump(ast.Tuple(told.args.defaults)) == ast.dump(ast.Tuple(ours.args.defaults)), told.name
    assert (told.args.kwarg is None) == (ours.args.kwarg is None), told.name


def test_what_is_called_takes_the_same_arguments() -> None:
    parts = ("caxton_models.py", "caxton_topics.py", "caxton_waits.py")
    modules = [tree(RUNTIME), *(tree(GUEST / part) for part in parts)]
    ours = {name: one for module in modules for name, one in functions(module).items()}
    of_ours = {name: one for module in modules for name, one in classes(module).items()}
    for name, told in functions(tree(STUB)).items():
        same(told, ours[name])
        assert type(told) is type(ours[name]), name
    for name, described in classes(tree(STUB)).items():
        for method, told in functions(described).items():
            same(told, functions(of_ours[name])[method])
