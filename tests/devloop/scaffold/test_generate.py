"""What `caxton new` makes builds, answers, keeps its state over a swap; nothing is overwritten."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cli.command import environment

from caxton import config
from caxton.cli.commands.new import Lang
from caxton.devloop.builders.toolchains import Missing, asc, cargo_with_target, go, python
from caxton.devloop.scaffold.generate import TEMPLATES, Language, new_agent, new_project
from caxton.errors import CaxtonError, ConfigurationError
from caxton.testing import NotReady, running

pytestmark = pytest.mark.system

NEEDS = {
    Language.PYTHON: python,
    Language.RUST: cargo_with_target,
    Language.ASSEMBLYSCRIPT: asc,
    Language.GO: go,
}


def pytest_in(folder: Path) -> str:
    """Run the tests of that folder as its owner would; what pytest said."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore"],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# the Python runtime is built on the way where this machine has none
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "language",
    # the others are for the long check; C and WAT are tested as a project's own below
    [pytest.param(one, marks=[] if one is Language.PYTHON else [pytest.mark.long]) for one in Language],
)
def test_an_agents_own_test_passes(tmp_path: Path, language: Language) -> None:
    look = NEEDS.get(language)
    found = look(tmp_path) if look else None
    if isinstance(found, Missing):
        pytest.skip(f"{found.what} is not here: {found.remedy}")
    made = new_agent("my-agent.2", language, tmp_path / "my-agent.2", None)
    before = {file: file.read_bytes() for file in made.files}
    assert "3 passed" in pytest_in(made.folder)
    assert {file: file.read_bytes() for file in made.files} == before
    # what tests leave behind is nothing that a person would commit
    ignored = {".caxton", "__pycache__"}
    left = {file for file in made.folder.rglob("*") if file.is_file() and not ignored & set(file.parts)}
    assert left == set(made.files)


def test_a_projects_own_tests_pass_with_a_second_agent_in_it(tmp_path: Path) -> None:
    made = new_project("fair", Language.C, tmp_path / "fair")
    more = new_agent("second", Language.WAT, made.folder / "agents" / "second", made.folder)
    assert more.listed_in == made.folder / "caxton.toml"
    project = config.load(made.folder, {})
    assert list(project.config.agents) == ["fair", "second"]
    assert "7 passed" in pytest_in(made.folder)
    assert not (made.folder / "build").exists(), "a test's builds do not meet those of caxton dev"


def test_a_mistake_in_an_agent_is_what_its_test_says(tmp_path: Path) -> None:
    made = new_agent("counter", Language.C, tmp_path / "counter", None)
    source = made.folder / "agent.c"
    source.write_text(source.read_text().replace("count += add;", "count += add"))
    with pytest.raises(NotReady) as caught, running(made.folder):
        pass
    assert "agent.c" in caught.value.message
    assert "expected ';'" in caught.value.message


def test_a_toolchain_that_is_missing_is_named_with_its_remedy_in_a_tests_results(tmp_path: Path) -> None:
    made = new_agent("counter", Language.ASSEMBLYSCRIPT, tmp_path / "counter", None)
    with pytest.raises(NotReady) as caught, running(made.folder):
        pass
    assert "npm install" in str(caught.value)


def test_a_state_that_is_lost_is_noticed(tmp_path: Path) -> None:
    made = new_agent("counter", Language.C, tmp_path / "counter", None)
    source = made.folder / "agent.c"
    text = source.read_text()
    assert text.count("count = kept;") == 1
    source.write_text(text.replace("count = kept;", "count = kept - kept;"))
    with running(made.folder) as agents:
        assert agents.ask({"add": 5}).content == {"count": 5}
        agents.swap()
        assert agents.ask({"add": 0}).content == {"count": 0}


def test_what_a_test_says_to_an_agent_and_hears_of_it(tmp_path: Path) -> None:
    new_agent("counter", Language.WAT, tmp_path / "counter", None)
    with running(tmp_path / "counter") as agents:
        answer = agents.ask({"add": 3}, conversation_id="c-1")
        assert (answer.performative, answer.conversation_id) == ("inform", "c-1")
        agents.tell({"add": 3})
        assert agents.ask({"add": 0}).content == {"count": 3}, "an inform is not added"
        assert agents.logs() == []
        assert agents.client.status().agents.running == 1


@pytest.mark.parametrize("language", Language)
def test_every_template_is_whole_and_names_no_other_agent(tmp_path: Path, language: Language) -> None:
    made = new_agent("x", language, tmp_path / "x", None)
    for file in made.files:
        text = file.read_text("utf-8")
        assert "{{name}}" not in text
        assert "{{package}}" not in text
        if file.suffix == ".toml":
            tomllib.loads(text)
    names = {file.relative_to(made.folder).as_posix() for file in made.files}
    assert {"README.md", ".gitignore", "tests/test_x.py"} < names
    compile((made.folder / "tests" / "test_x.py").read_text(), "test_x.py", "exec")


def test_there_is_a_template_for_every_language_that_the_command_offers() -> None:
    assert [one.value for one in Lang] == [one.value for one in Language]
    assert {place.name for place in TEMPLATES.iterdir()} == {*(one.value for one in Lang), "agent", "project"}


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine.txt").write_text("mine")
    (tmp_path / "b").write_text("a file")
    for name in ("a", "b"):
        with pytest.raises(ConfigurationError, match="already something"):
            new_agent(name, Language.WAT, tmp_path / name, None)
        with pytest.raises(ConfigurationError, match="already something"):
            new_project(name, Language.WAT, tmp_path / name)
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["a", "b", "mine.txt"]
    (tmp_path / "empty").mkdir()
    assert new_agent("empty", Language.WAT, tmp_path / "empty", None).files


@pytest.mark.parametrize(
    ("toml", "folder", "said"),
    [
        ('[agents.x]\nwasm = "x.wasm"\n', "x", "has an agent x already"),
        ("no toml", "x", "caxton.toml"),
        ("", "../x", "is outside the project"),
    ],
)
def test_what_a_project_cannot_take_is_refused_before_anything_is_written(
    tmp_path: Path, toml: str, folder: str, said: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "caxton.toml").write_text(toml)
    with pytest.raises(CaxtonError) as caught:
        new_agent("x", Language.WAT, (home / folder).resolve(), home)
    assert said in caught.value.message
    assert caught.value.hint
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["caxton.toml"]
    assert (home / "caxton.toml").read_text() == toml


@pytest.mark.parametrize("name", ["", "a b", "../x", "ams", "x" * 64])
def test_a_name_that_no_agent_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        new_agent(name, Language.WAT, tmp_path / "x", None)
    assert not list(tmp_path.iterdir())


def test_a_table_goes_to_the_end_of_a_file_without_a_last_newline(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("cells = 1")
    new_agent("a.b", Language.WAT, tmp_path / "a.b", tmp_path)
    (name,) = config.load(tmp_path, {}).config.agents
    assert name == "a.b"
    shutil.rmtree(tmp_path / "a.b")


@pytest.mark.long
def test_an_agent_in_zig_begins_by_itself(tmp_path: Path) -> None:
    made = new_agent("counter", Language.ZIG, tmp_path / "counter", None)
    source = made.folder / "agent.zig"
    text = source.read_text().replace("caxton.agent(handle, ", "caxton.livingAgent(handle, life, ")
    source.write_text(
        text + "\nfn life(what: caxton.Value, _: *caxton.Turn) !void {\n"
        '    if (what.is("what", "born")) count = 40;\n'
        "}\n"
    )
    with running(made.folder) as agents:
        assert agents.ask({"add": 2}).content == {"count": 42}
