"""Walks leave out what git ignores and what tools leave lying."""

from __future__ import annotations

from pathlib import Path

from caxton.devloop.watch.ignored_files import walk


def found(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for _, files in walk(folder) for file in files}


def plant(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")


def test_tools_own_files_are_left_out(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "a.c",
        ".caxton/journal.db",
        ".git/HEAD",
        "node_modules/x/y.js",
        "a.c~",
        ".a.c.swp",
        "sub/b.c",
    )
    assert found(tmp_path) == {"a.c", "sub/b.c"}


def test_gitignore_counts_from_the_repositorys_root_down_and_the_nearest_decides(tmp_path: Path) -> None:
    plant(
        tmp_path,
        ".git/HEAD",
        "agent/a.rs",
        "agent/target/x.o",
        "agent/keep/b.log",
        "agent/c.log",
        "agent/gen/d.c",
    )
    (tmp_path / ".gitignore").write_text("target/\n*.log\n")
    (tmp_path / "agent" / ".gitignore").write_text("/gen\n")
    (tmp_path / "agent" / "keep" / ".gitignore").write_text("!*.log\n")
    assert found(tmp_path / "agent") == {".gitignore", "a.rs", "keep/.gitignore", "keep/b.log"}


def test_above_a_folder_without_repository_no_gitignore_counts(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*\n")
    plant(tmp_path, "agent/a.c")
    assert found(tmp_path / "agent") == {"a.c"}


def test_a_changed_gitignore_counts_at_once(tmp_path: Path) -> None:
    plant(tmp_path, "a.c", "b.c")
    assert found(tmp_path) == {"a.c", "b.c"}
    (tmp_path / ".gitignore").write_text("b.c\n")
    assert found(tmp_path) == {".gitignore", "a.c"}
