"""What editors are told of `caxton_agent` is what an agent in Python finds in its sandbox."""

from __future__ import annotations

import ast

from .source import ROOT, tree

STUB = ROOT / "agents-examples" / "include" / "caxton_agent.pyi"
RUNTIME = ROOT / "caxton" / "sandbox" / "python" / "guest" / "caxton_runtime.py"


def functions(module: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}


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
    assert functions(module).keys() | variables == offered()


def test_the_functions_take_the_same_arguments() -> None:
    ours = functions(tree(RUNTIME))
    for name, told in functions(tree(STUB)).items():
        # types may be narrower in the stub: names, kinds and defaults may not differ
        arguments, real = told.args, ours[name].args
        assert [one.arg for one in arguments.args] == [one.arg for one in real.args], name
        assert ast.dump(ast.Tuple(arguments.defaults)) == ast.dump(ast.Tuple(real.defaults)), name
        assert (arguments.kwarg is None) == (real.kwarg is None), name
