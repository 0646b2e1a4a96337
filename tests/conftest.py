"""What holds for every test: which kind it is, that a unit test starts no process, and what tests share.

A test is `unit`, `system` (it starts processes) or `crash` (it kills them). A file says so with `pytestmark`, and what
a file says holds for every file of tests that imports something from it: so the tests of a harness that starts daemons
are `system` without a word. What says nothing is `unit`, and is kept from starting a process. `long` is what the gate
leaves to `just check-long`.

How long an example takes says nothing on a loaded machine; daemons do not give way to the tests.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from functools import cache
from inspect import unwrap
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from answers import compared
from hypothesis import settings
from processes import built_python_runtime
from thorough import examples

from caxton.sandbox.python.build import PythonRuntime

settings.register_profile("caxton", deadline=None, max_examples=examples(100))
settings.load_profile("caxton")
os.environ["CAXTON_NICE"] = "0"
# a thousand processes read the compiled files; without them each would compile the whole source again
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# a sixth of the suite's processor time went into looking for cycles among what the imports made
gc.freeze()
gc.set_threshold(50_000, 20, 50)

TESTS = Path(__file__).parent
STARTS = frozenset(
    {
        "subprocess.Popen",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
    }
)
"""What the interpreter is asked for when a process is started (its audit events)."""
_refusing = ""


@pytest.fixture(scope="session")
def python_runtime() -> PythonRuntime:
    """The runtime that agents in Python share; it takes a minute to build, and is found again in the user's cache."""
    return built_python_runtime()


@pytest.fixture(scope="session", autouse=True)
def _answers_are_compared() -> Generator[None]:
    """What any test is answered by a daemon is compared with what the route says."""
    with compared():
        yield


@pytest.fixture(autouse=True)
def _no_process(request: pytest.FixtureRequest) -> Generator[None]:
    """A unit test that starts a process fails."""
    global _refusing
    _refusing = request.node.nodeid if request.node.get_closest_marker("unit") else ""
    yield
    _refusing = ""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="Run what the gate leaves out, too.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test, bring tests that share a fixture to one worker, leave out what is long."""
    for item in items:
        if not any(item.get_closest_marker(kind) for kind in ("system", "crash")):
            item.add_marker("system" if _starts_processes(item) else "unit")
        if shared := _shares(item):
            item.add_marker(pytest.mark.xdist_group(shared))
    if not config.getoption("--long"):
        left = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]


def _starts_processes(item: pytest.Item) -> bool:
    """Whether its file or one of its fixtures uses something that does."""
    module = getattr(item, "module", None)
    if isinstance(module, ModuleType) and _says_system(module):
        return True
    return any(_uses_system(unwrap(fixture.func)) for fixture in _fixtures(item))


def _shares(item: pytest.Item) -> str:
    """The file whose tests share a fixture with this one, where it does."""
    return next((one.baseid or one.argname for one in _fixtures(item) if one.scope == "module"), "")


def _fixtures(item: pytest.Item) -> list[Any]:
    """The fixtures of our own that a test asks for, also those that others ask for."""
    found = getattr(item, "_fixtureinfo", None)
    every = found.name2fixturedefs.values() if found is not None else ()
    return [one for fixtures in every for one in fixtures if _inside(sys.modules.get(one.func.__module__))]


@cache
def _says_system(module: ModuleType) -> bool:
    """Whether a file of tests says that it starts processes, or a file that it imports from."""
    said = getattr(module, "pytestmark", [])
    if any(mark.name == "system" for mark in (said if isinstance(said, list) else [said])):
        return True
    others = {_home(value) for value in vars(module).values()} - {None, module}
    return any(_says_system(other) for other in others if other is not None)


@cache
def _uses_system(function: Any) -> bool:
    """Whether what a function names is from a file that starts processes."""
    if not isinstance(function, FunctionType):
        return False
    named = [function.__globals__.get(name) for name in function.__code__.co_names]
    return any(_says_system(home) for value in named if (home := _home(value)) is not None)


def _home(value: object) -> ModuleType | None:
    """The file of tests that a value is from."""
    home = (
        value if isinstance(value, ModuleType) else sys.modules.get(getattr(value, "__module__", None) or "")
    )
    return home if _inside(home) and home is not sys.modules[__name__] else None


@cache
def _inside(module: ModuleType | None) -> bool:
    """Whether a module is a file of tests; asked ten times for each of them."""
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).is_relative_to(TESTS)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if _refusing and event in STARTS:
        raise AssertionError(
            f"a unit test starts no process ({event}): say pytestmark = pytest.mark.system in the file of {_refusing}"
        )


sys.addaudithook(_refuse)
