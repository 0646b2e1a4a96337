"""The files that tools of the trade look for: they can be read, and what they name is there."""

from __future__ import annotations

import runpy
import subprocess
from typing import Any, cast

import pytest
import yaml

from .source import ROOT

pytestmark = pytest.mark.system

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").rglob("*.yml"))


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def test_every_hook_is_a_step_of_the_gate_and_loads_nothing() -> None:
    steps = runpy.run_path(str(ROOT / ".ci" / "check.py"))["STEPS"]
    for repository in read(".pre-commit-config.yaml")["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            program, script, *names = hook["entry"].split()
            assert (program, script, hook["language"]) == ("python", ".ci/check.py", "system")
            assert names
            assert set(names) <= set(steps)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_have_what_a_form_needs(path: Any) -> None:
    form = cast("dict[str, Any]", yaml.safe_load(path.read_text("utf-8")))
    if path.name == "config.yml":
        assert form["blank_issues_enabled"] is True
        return
    assert form["name"]
    assert form["description"]
    kinds = {"markdown", "input", "textarea", "dropdown", "checkboxes"}
    assert {part["type"] for part in form["body"]} <= kinds
    ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout: asks git about attributes")
@pytest.mark.parametrize(
    ("name", "generated", "text"),
    [
        ("agents-examples/echo/echo.wasm", "set", "unset"),
        ("docs/pictures/agents-120x40.svg", "set", "auto"),
        ("constraints.txt", "set", "auto"),
        ("caxton/client/blocking_client.py", "set", "auto"),
        ("caxton/errors.py", "unspecified", "auto"),
    ],
)
def test_generated_files_are_marked(name: str, generated: str, text: str) -> None:
    assert (ROOT / name).is_file()
    done = subprocess.run(
        ["git", "check-attr", "linguist-generated", "text", "--", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.rsplit(": ", 1)[1] for line in done.stdout.splitlines()] == [generated, text]


@pytest.mark.parametrize("package", ["caxton", "tui/caxton_tui"])
def test_packages_say_that_they_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
