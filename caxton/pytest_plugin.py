"""Caxton for pytest: fixtures that run agents, and scenario files as tests.

In: pytest, which loads this by itself once Caxton is installed. Out: the fixtures `caxton` and `caxton_async`; a test
for each scenario file that pytest comes to. Nothing else of Caxton is imported before one of them is used.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from caxton.testing.script import AsyncScript, Script

_SCENARIO = re.compile(r"^format\s*=\s*\d+\s*(#.*)?$.*^\[\[\s*step\s*\]\]", re.MULTILINE | re.DOTALL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--caxton-seed`."""
    parser.getgroup("caxton").addoption(
        "--caxton-seed",
        type=int,
        default=None,
        metavar="N",
        help="The seed of runs with Caxton's fixtures and of scenario files.  [default: 0, or the file's]",
    )


@pytest.fixture
def caxton(request: pytest.FixtureRequest) -> Generator[Script]:
    """A scripted run of agents in this process, on virtual time; paths are relative to the test's file."""
    from caxton.testing.script import Script

    script = Script(request.path.parent, request.config.getoption("--caxton-seed") or 0)
    try:
        yield script
    finally:
        script.close()


@pytest.fixture
def caxton_async(request: pytest.FixtureRequest) -> Generator[AsyncScript]:
    """The same for a test that is a coroutine."""
    from caxton.testing.script import AsyncScript, Script

    script = AsyncScript(Script(request.path.parent, request.config.getoption("--caxton-seed") or 0))
    try:
        yield script
    finally:
        script.end()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioTests | None:
    """A scenario file, told by its first key and its steps; other TOML files are left alone."""
    if file_path.suffix != ".toml":
        return None
    try:
        text = file_path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    if not _SCENARIO.search(text):
        return None
    found: ScenarioTests = ScenarioTests.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType]
    return found


class ScenarioTests(pytest.File):
    """A scenario file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its one test."""
        yield ScenarioTest.from_parent(self, name=self.path.stem)  # pyright: ignore[reportUnknownMemberType]


class ScenarioTest(pytest.Item):
    """A scenario, played as `caxton run` plays it."""

    def runtest(self) -> None:
        """Fail with the diagram."""
        from caxton.scenario.read import read_scenario
        from caxton.scenario.suite import Settings, play

        result = play(read_scenario(self.path), Settings(seed=self.config.getoption("--caxton-seed")))
        if not result.passed:
            hint = [f"hint: {result.hint}"] if result.hint else []
            again = f"again: caxton run {self.path} --seed {result.seed}"
            raise NotAsExpected("\n".join([*result.lines(), *hint, again]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """What went wrong, without this file's own lines."""
        if isinstance(excinfo.value, NotAsExpected):
            return str(excinfo.value)
        hint: str | None = getattr(excinfo.value, "hint", None)
        if hint:
            return f"{excinfo.value}\nhint: {hint}"
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is."""
        return self.path, 0, f"scenario {self.name}"


class NotAsExpected(Exception):
    """Raised where a scenario did not pass."""
