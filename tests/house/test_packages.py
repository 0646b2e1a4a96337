"""Each outside library has one package that knows it. Which package imports which is the gate's step `imports`."""

from __future__ import annotations

import ast
import re

import pytest

from .source import ROOT, imports, python, tree

PACKAGE_OF = {
    "wasmtime": "sandbox",
    "aiosqlite": "journal",
    "opentelemetry": "telemetry",
    "watchfiles": "devloop",
    "pathspec": "devloop",
    "typer": "cli",
    "fastapi": "api",
    "starlette": "api gateways web",
    "uvicorn": "api gateways web",
    "httpx": "client effects gateways",
    "grpc": "gateways telemetry",
    "httpcore": "api effects",
    "mcp": "cli effects",
    "a2a": "effects gateways",
}


@pytest.mark.parametrize("library", PACKAGE_OF)
def test_one_package_knows_each_library(library: str) -> None:
    strangers = [
        path.relative_to(ROOT).as_posix()
        for path in python("caxton")
        if library in imports(path) and path.relative_to(ROOT).parts[1] not in PACKAGE_OF[library].split()
    ]
    assert strangers == []


def test_the_daemon_never_imports_the_viewer() -> None:
    for path in python("caxton"):
        found = imports(path)
        assert "textual" not in found, path
        # the commands that open it import it when they run
        assert "caxton_tui" not in found or path.relative_to(ROOT).parts[1] == "cli", path


def test_the_daemon_never_imports_what_speaks_mcp() -> None:
    folder = ROOT / "caxton" / "effects" / "tools"
    libraries = {"mcp", "mcp_types", "httpx2", "jsonschema", "referencing"}
    theirs = {path.stem for path in python("caxton/effects") if imports(path) & libraries}
    assert theirs == {"server", "catalogue", "transports"}
    for path in python("caxton"):
        if path.parent != folder or path.stem not in {*theirs, "__main__"}:
            assert not re.search(rf"effects\.tools\.({'|'.join(theirs)})", path.read_text("utf-8")), path


def test_the_daemon_never_imports_what_gateways_and_remote_agents_are_made_of() -> None:
    gateways = ROOT / "caxton" / "gateways"
    apart = {gateways, gateways / "a2a", gateways / "grpc"}
    theirs = {path for path in python("caxton") if "a2a" in imports(path) and path.parent not in apart}
    assert {path.stem for path in theirs} == {"content", "remote"}
    named = re.compile(r"import .*caxton\.gateways|from caxton\.(gateways|effects\.a2a\.(content|remote))")
    process = ROOT / "caxton" / "effects" / "a2a" / "__main__.py"
    for path in python("caxton"):
        if path.parent not in apart and path not in {*theirs, process, ROOT / "caxton/cli/mcp/http.py"}:
            assert not named.search(path.read_text("utf-8")), path


def test_no_task_is_started_and_forgotten() -> None:
    for path in python("caxton"):
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
                continue
            called = node.value.func
            if isinstance(called, ast.Attribute) and called.attr in {"create_task", "ensure_future"}:
                # a task group keeps its tasks; asyncio and its loops do not
                owner = ast.unparse(called.value)
                assert "asyncio" not in owner, (path.relative_to(ROOT).as_posix(), node.lineno)
                assert "loop" not in owner, (path.relative_to(ROOT).as_posix(), node.lineno)


def test_tests_wait_for_events_and_do_not_sleep() -> None:
    for path in python("tests"):
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "sleep"
            ):
                yields = [a.value for a in node.args if isinstance(a, ast.Constant)] == [0]
                assert yields, (path.relative_to(ROOT).as_posix(), node.lineno)
