"""What a daemon would stumble over in a project, found without one: its modules compiled, its protocols read.

In: a project. Out: one sentence for each thing that is wrong, naming the key. Nothing is started that stays, and
nothing is written into the project.
"""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from caxton.config import Project
from caxton.errors import CaxtonError
from caxton.hold.approval_rules import ApprovalRules
from caxton.limits import MIB
from caxton.protocols import library
from caxton.sandbox.compile.children import Children
from caxton.sandbox.compile.compiler import Compiler
from caxton.sandbox.compile.python_source import unpack
from caxton.sandbox.profiles import Profile

GIVEN: Final = {"caxton_agent"}
"""What an agent in Python can import beside Python's own library."""


def problems_of(project: Project) -> list[str]:
    """Everything that is wrong."""
    missing = project.problems()
    unread = {name for name in project.config.agents if any(f"[agents.{name}]" in one for one in missing)}
    return [*missing, *asyncio.run(_modules(project, unread)), *_protocols(project), *_approvals(project)]


def _approvals(project: Project) -> list[str]:
    """What is wrong with the rules that say which messages need a yes."""
    try:
        ApprovalRules(project.config.approvals, project.config.platform)
    except CaxtonError as error:
        return [error.message]
    return []


async def _modules(project: Project, unread: set[str]) -> list[str]:
    """What is wrong with the modules of agents; the same file is looked at once."""
    found: list[str] = []
    seen: set[tuple[Path, str]] = set()
    with TemporaryDirectory(prefix="caxton-check-") as folder:
        table = project.config.compile
        children = Children(wall_s=table.wall_s, memory_bytes=table.memory_mib * MIB)
        compiler = Compiler(Path(folder), children, max_bytes=table.max_module_mib * MIB)
        try:
            for name, agent in project.config.agents.items():
                path = project.module(name)
                if name in unread or (path, agent.profile) in seen:
                    continue
                seen.add((path, agent.profile))
                wrong = await _fault(compiler, path, Profile(agent.profile))
                if wrong is not None:
                    found.append(f"[agents.{name}] wasm: {path}: {wrong}")
        finally:
            await compiler.close()
    return found


async def _fault(compiler: Compiler, path: Path, profile: Profile) -> str | None:
    try:
        module = await asyncio.to_thread(path.read_bytes)
        if path.suffix == ".py":
            return python_fault(module, path.name)
        python = unpack(module)
        if python is not None:
            return python_fault(python.source.encode(), python.file)
        await compiler.compile(module, profile, wat=path.suffix == ".wat")
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except CaxtonError as error:
        return error.message
    return None


def python_fault(source: bytes, file: str) -> str | None:
    """What is wrong with the source of an agent in Python, as far as that is seen without running it."""
    try:
        tree = ast.parse(source, file)
    except (SyntaxError, ValueError) as error:
        place = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
        return f"{place}{error.msg if isinstance(error, SyntaxError) else error}"
    for line, name in _imported(tree):
        if name not in GIVEN and name not in sys.stdlib_module_names:
            return (
                f"line {line}: it imports {name}, and an agent in Python has Python's own library, caxton_agent and "
                "nothing else"
            )
    return None


def _imported(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and package of every import, but those that a `try` looks after."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Try():
                continue
            case ast.Import(names=names):
                yield from ((child.lineno, one.name.partition(".")[0]) for one in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield child.lineno, module.partition(".")[0]
            case ast.ImportFrom():
                yield child.lineno, "a module of its own folder"
            case _:
                yield from _imported(child)


def _protocols(project: Project) -> list[str]:
    found = [
        f"[referee] tables: {pattern!r} fits no file"
        for pattern in project.config.referee.tables
        if not any(project.folder.glob(pattern)) and not (project.folder / pattern).is_file()
    ]
    if not found:
        try:
            library(project.protocol_tables())
        except CaxtonError as error:
            found.append(f"[referee] tables: {error.message}")
    return found
