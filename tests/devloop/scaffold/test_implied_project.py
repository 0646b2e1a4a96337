"""A folder with one source is a project; what that project is stands in its `.caxton`."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton import config
from caxton.devloop import ensure_project
from caxton.errors import ConfigurationError


def test_a_folder_with_one_source_becomes_a_project(tmp_path: Path) -> None:
    folder = tmp_path / "My Agent"
    folder.mkdir()
    (folder / "main.c").write_text("")
    assert ensure_project(folder)
    project = config.load(folder, {})
    assert list(project.config.agents) == ["my-agent"]
    assert project.module("my-agent") == folder / ".caxton" / "build" / "my-agent.wasm"
    assert [path.name for path in folder.iterdir()] == ["main.c", ".caxton"] or len(
        list(folder.iterdir())
    ) == 2
    assert config.find_folder(folder / ".caxton") == folder


def test_a_configuration_of_its_own_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("")
    assert ensure_project(tmp_path)
    (tmp_path / "caxton.toml").write_text('name = "mine"\n')
    assert not ensure_project(tmp_path)
    assert config.load(tmp_path, {}).config.name == "mine"


def test_another_source_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("")
    ensure_project(tmp_path)
    (tmp_path / "a.c").rename(tmp_path / "b.wat")
    ensure_project(tmp_path)
    (table,) = config.load(tmp_path, {}).config.agents.values()
    assert table.source == "b.wat"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "neither a caxton.toml nor an agent's source"),
        (["a.rs"], "neither a caxton.toml nor an agent's source"),
        (["a.c", "b.c"], "more than one .c file: a.c, b.c"),
    ],
)
def test_a_folder_that_is_not_clear_is_refused(tmp_path: Path, files: list[str], said: str) -> None:
    for name in files:
        (tmp_path / name).write_text("")
    with pytest.raises(ConfigurationError) as caught:
        ensure_project(tmp_path)
    assert said in caught.value.message
    assert caught.value.hint
    assert not (tmp_path / ".caxton").exists()


def test_a_name_of_the_platform_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "timer"
    folder.mkdir()
    (folder / "a.c").write_text("")
    with pytest.raises(ConfigurationError, match="belongs to the platform"):
        ensure_project(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder"):
        ensure_project(tmp_path / "gone")
