"""What must never be in a file of the project, and what must be."""

from __future__ import annotations

import re
import tomllib

from .source import ROOT, files, python

# written apart, so that this file does not name what it looks for
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
]
INDEX_OPTIONS = ["--" + name for name in ("index-url", "extra-index-url", "find-links", "trusted-host")]
MACHINE_PATH = re.compile(r"(?<![\w.}/~-])/(?:root|home|Users|work)/[\w.]")
TEST_COMMAND = re.compile(r"^python3 -m venv .+$", re.MULTILINE)


def texts() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in files():
        data = path.read_bytes()
        if b"\0" not in data:
            found[path.relative_to(ROOT).as_posix()] = data.decode("utf-8")
    assert len(found) > 50
    return found


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    for name, text in texts().items():
        found = MACHINE_PATH.search(text)
        assert found is None, (name, found)
        assert str(ROOT) not in text, name


def test_no_file_names_a_registry() -> None:
    for name, text in texts().items():
        assert not [host for host in REGISTRIES if host in text], name
    constraints = (ROOT / "constraints.txt").read_text("utf-8")
    assert not [option for option in INDEX_OPTIONS if option in constraints]
    assert "--hash" not in constraints


def test_files_are_named_after_what_they_hold() -> None:
    nothing = {"utils", "util", "helpers", "helper", "manager", "handler", "base", "common", "misc"}
    for path in [*python("caxton"), *python("tests")]:
        named = {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
        assert not named & nothing, path


def test_the_licence_is_apache_2() -> None:
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "Apache-2.0"


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    (command,) = TEST_COMMAND.findall((ROOT / ".ci" / "run").read_text("utf-8"))
    assert command in (ROOT / "README.md").read_text("utf-8").splitlines()


def test_every_direct_dependency_is_constrained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    names = {re.split(r"[\[<>=!~; ]", line)[0] for line in wanted}
    pinned = {
        line.split("==")[0]
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    assert names <= pinned
