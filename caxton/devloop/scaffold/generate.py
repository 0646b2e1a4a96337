"""A new agent, or a new project: files to begin with, from the templates beside this.

In: a name, a language, a place. Out: the files that were written. It promises: what is there already is not touched,
but for a table at the end of the project's `caxton.toml`; whatever is refused has written nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from caxton import example_modules
from caxton.config import FILE_NAME, check_agent_name
from caxton.devloop.builders.toolchains import FOR_DOCTOR, Missing
from caxton.devloop.scaffold.implied_project import quoted
from caxton.errors import ConfigurationError

TEMPLATES: Final = Path(__file__).parent / "templates"
AGENTS_FOLDER: Final = "agents"
BUILD_FOLDER: Final = "build"


class Language(StrEnum):
    """What an agent may be written in."""

    PYTHON = "python"
    C = "c"
    ZIG = "zig"
    ASSEMBLYSCRIPT = "assemblyscript"
    RUST = "rust"
    GO = "go"
    WAT = "wat"


@dataclass(frozen=True, slots=True)
class _About:
    """A language as a person calls it, the toolchain that it needs, and what its README says of that."""

    shown: str
    toolchain: str | None
    notes: str


_ABOUT: Final[dict[Language, _About]] = {
    Language.PYTHON: _About(
        "Python",
        "python agents",
        "Nothing is built: a save is data for the Python runtime, which is built once for every user\n"
        "(what it needs, and how to get it: `caxton doctor`).",
    ),
    Language.C: _About(
        "C",
        "ziglang",
        "Built by ziglang (how to get it: `caxton doctor`), without a standard library.",
    ),
    Language.ZIG: _About("Zig", "ziglang", "Built by ziglang (how to get it: `caxton doctor`)."),
    Language.ASSEMBLYSCRIPT: _About(
        "AssemblyScript", "npm", "Its compiler comes from npm: run `npm install` here once, before all else."
    ),
    Language.RUST: _About(
        "Rust", "cargo", "Built by cargo; it needs the target: `rustup target add wasm32-unknown-unknown`."
    ),
    Language.GO: _About(
        "Go",
        "go",
        "Built by Go itself. Its runtime makes the module large (2 MB) and the agent heavy (7 MB of memory); it gets "
        "an\noperating system that says no: no files, no clock that moves, no randomness.",
    ),
    Language.WAT: _About("WebAssembly text", None, "It needs no compiler."),
}


@dataclass(frozen=True, slots=True)
class Generated:
    """What was made: the folder, its files in the order in which they were written, and what is still missing."""

    folder: Path
    files: tuple[Path, ...]
    listed_in: Path | None
    """The `caxton.toml` that names the agent now."""
    missing: Missing | None
    """The toolchain that has to be installed before it can be built."""
    first: str | None
    """What has to be run in its folder once."""


def new_agent(name: str, language: Language, folder: Path, project: Path | None) -> Generated:
    """An agent in `folder`, which is made; in a project (the folder of its `caxton.toml`) it is named there, too.

    Raises ConfigurationError where there is something already, and where the name cannot be an agent's.
    """
    check_agent_name(name)
    _must_be_free(folder)
    listed = project / FILE_NAME if project else None
    table = ""
    if project is not None and listed is not None:
        _must_be_unknown(name, listed)
        if not folder.is_relative_to(project):
            raise ConfigurationError(
                f"{folder} is outside the project {project}", hint="choose a folder below it, or go elsewhere"
            )
        source = folder.relative_to(project).as_posix()
        table = f"\n[agents.{quoted(name) if '.' in name else name}]\nsource = {quoted(source)}\n"
        table += f"wasm = {quoted(f'{BUILD_FOLDER}/{name}.wasm')}\n"
    files = tuple(_write(folder, _agent_files(name, language)))
    if listed is not None:
        _append(listed, table)
    return _made(folder, files, listed, language)


def new_project(name: str, language: Language, folder: Path) -> Generated:
    """A project in `folder`, which is made, with one agent of that name."""
    check_agent_name(name)
    _must_be_free(folder)
    agent = folder / AGENTS_FOLDER / name
    files = tuple(_write(folder, _project_files(name)))
    made = new_agent(name, language, agent, folder)
    return _made(folder, files + made.files, None, language)


def from_example(example: str, name: str, folder: Path) -> Generated:
    """A project in `folder`, which is made, with the agents, scenarios and settings of an example."""
    check_agent_name(name)
    _must_be_free(folder)
    files = tuple(_write(folder, _example_files(example, name)))
    return _made(folder, files, None, Language.PYTHON)


def _made(folder: Path, files: tuple[Path, ...], listed: Path | None, language: Language) -> Generated:
    about = _ABOUT[language]
    looks = [one.look(folder) for one in FOR_DOCTOR if one.name == about.toolchain]
    missing = next((found for found in looks if isinstance(found, Missing)), None)
    first = "npm install" if language is Language.ASSEMBLYSCRIPT else None
    return Generated(folder, files, listed, missing, first)


def _agent_files(name: str, language: Language) -> Iterator[tuple[str, str]]:
    about = _ABOUT[language]
    words = {
        "name": name,
        "package": _package(name),
        "language": about.shown,
        "notes": about.notes,
    }
    for place, text in (*_template(language.value, words), *_template("agent", words)):
        yield place.replace("test_agent.py", f"test_{_module(name)}.py"), text


def _project_files(name: str) -> Iterator[tuple[str, str]]:
    yield from _template("project", {"name": name})
    yield ".gitignore", (TEMPLATES / "agent" / "gitignore.in").read_text("utf-8")


def _example_files(example: str, name: str) -> Iterator[tuple[str, str]]:
    root = example_modules.folder(example)
    for pattern in ("*.py", FILE_NAME, "scenarios/*.toml"):
        for file in sorted(root.glob(pattern)):
            text = file.read_text("utf-8")
            if file.name == FILE_NAME:
                text = text.replace(f'name = "{example}"', f"name = {quoted(name)}")
            yield file.relative_to(root).as_posix(), text
    yield ".gitignore", (TEMPLATES / "agent" / "gitignore.in").read_text("utf-8")


def _template(which: str, words: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Relative place and text of each file of a template."""
    root = TEMPLATES / which
    for file in sorted(root.rglob("*")):
        if not file.is_file() or "__pycache__" in file.parts:
            continue
        place = file.relative_to(root).as_posix().removesuffix(".in")
        text = file.read_text("utf-8")
        for word, value in words.items():
            text = text.replace("{{" + word + "}}", value)
        yield (".gitignore" if place == "gitignore" else place), text


def _write(folder: Path, files: Iterator[tuple[str, str]]) -> Iterator[Path]:
    for place, text in files:
        file = folder / place
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # x: whatever came to be there in the meantime stays as it is
            with file.open("x", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise ConfigurationError(
                f"{file} cannot be written: {error.strerror}", hint="choose another place or name"
            ) from error
        yield file


def _append(listed: Path, table: str) -> None:
    text = listed.read_text("utf-8")
    with listed.open("a", encoding="utf-8") as stream:
        stream.write(table if not text or text.endswith("\n") else f"\n{table}")


def _must_be_free(folder: Path) -> None:
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be read: {error.strerror}", hint="choose another place"
        ) from error
    if taken:
        raise ConfigurationError(
            f"there is already something in {folder}", hint="choose another name or folder"
        )


def _must_be_unknown(name: str, listed: Path) -> None:
    try:
        agents = tomllib.loads(listed.read_text("utf-8-sig")).get("agents", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{listed}: {error}", hint="fix it first: the new agent is added there"
        ) from error
    if name in agents:
        raise ConfigurationError(f"{listed} has an agent {name} already", hint="choose another name")


def _package(name: str) -> str:
    """The name as cargo, npm and Go take it."""
    plain = re.sub(r"[^a-z0-9_-]", "-", name.lower())
    return plain if plain[0].isalpha() else f"agent-{plain}"


def _module(name: str) -> str:
    """The name as part of a Python module's."""
    return re.sub(r"[^a-z0-9]", "_", name.lower())
