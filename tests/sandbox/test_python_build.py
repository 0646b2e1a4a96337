"""Building the Python runtime, where it goes wrong: what is missing is said, and nothing half made is left."""

from __future__ import annotations

import fcntl
import os
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from caxton.sandbox.python import build as python_build
from caxton.sandbox.python.build import NotBuilt, PythonRuntime
from caxton.sandbox.python.progress import COMPONENT
from caxton.sandbox.python.runtime import BUILDER_VERSION, PARTS, RuntimeFolder, runtime_name

pytestmark = pytest.mark.system


async def test_without_its_builder_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(python_build, "version", nowhere)
    with pytest.raises(NotBuilt, match="componentize-py is not installed") as refused:
        await PythonRuntime(tmp_path / "python").build(lambda what: None)
    assert f"install componentize-py=={BUILDER_VERSION}, then: caxton python build" in str(refused.value.hint)


async def test_another_version_of_its_builder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python_build, "version", lambda name: "0.1")
    with pytest.raises(NotBuilt, match=f"componentize-py 0.1, it must be {BUILDER_VERSION}"):
        await PythonRuntime(tmp_path / "python").build(lambda what: None)


async def test_a_builder_that_fails_is_quoted_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "agent.wit").write_text("this is no WIT")
    (parts / "caxton_runtime.py").write_text("")
    monkeypatch.setattr(python_build, "PARTS", parts)
    monkeypatch.setattr(python_build, "version", lambda name: BUILDER_VERSION)
    folder = tmp_path / "python"
    (folder / "build-killed").mkdir(parents=True)
    told: list[str] = []
    with pytest.raises(NotBuilt, match="the Python runtime was not built: "):
        await PythonRuntime(folder).build(told.append)
    assert told == [COMPONENT]
    assert [file.name for file in folder.iterdir()] == ["lock"]
    assert not RuntimeFolder(folder).is_built()
    # the lock is free again
    descriptor = os.open(folder / "lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_the_runtimes_name_follows_from_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = runtime_name()
    for file in PARTS.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("caxton.sandbox.python.runtime.PARTS", tmp_path)
    assert runtime_name() == name
    (tmp_path / "agent.wit").write_text("another")
    assert runtime_name() != name


@pytest.mark.timeout(900)
async def test_what_is_there_is_not_built_again(python_runtime: PythonRuntime) -> None:
    told: list[str] = []
    path = await PythonRuntime().build(told.append)
    assert told == []
    assert path == await python_runtime.compiled(runtime_name())


def test_a_wheel_may_bring_the_runtime_and_one_that_was_built_here_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "installed"
    shipped.mkdir()
    monkeypatch.setattr("caxton.sandbox.python.runtime.SHIPPED", shipped)
    place = RuntimeFolder(tmp_path / "cache")
    assert not place.is_built()
    (shipped / f"{runtime_name()}.wasm").write_bytes(b"")
    assert place.is_built()
    assert place.component(runtime_name()).parent == shipped
    place.folder.mkdir()
    (place.folder / f"{runtime_name()}.wasm").write_bytes(b"")
    assert place.component(runtime_name()).parent == place.folder
