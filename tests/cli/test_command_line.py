"""The command line without a daemon: help, mistakes, exit codes, completion."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from caxton import cli, config
from caxton.cli import connection
from caxton.cli.app import COMMANDS

from .command import caxton, environment

ECHO = Path(__file__).parents[2] / "agents-examples" / "echo" / "echo.wat"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "caxton.toml").write_text('name = "quiet"\n')
    return tmp_path


def test_help_lists_every_command_and_the_exit_codes() -> None:
    said = caxton("--help")
    assert said.returncode == 0
    for name, text in COMMANDS.items():
        assert f"  {name} " in said.stdout
        assert text in said.stdout
    assert "124 timed out" in said.stdout


def loaded_by(code: str) -> list[str]:
    """The modules that a process of its own has loaded after that."""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    return run.stdout.splitlines()[-1].split()


@pytest.mark.system
@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (["--help"], []),
        (
            ["status", "--help"],
            ["commands", "commands.status", "connection", "options", "output.printing"],
        ),
    ],
)
def test_help_loads_nothing_but_typer(words: list[str], ours: list[str]) -> None:
    loaded = loaded_by(
        f"sys.argv = ['caxton', *{words}]\nfrom caxton.cli import main\ntry: main()\nexcept SystemExit: pass"
    )
    foreign = {"rich", "httpx", "msgspec", "wasmtime", "fastapi", "textual", "asyncio", "aiosqlite", "json"}
    if words == ["--help"]:
        foreign.add("pydantic")
    assert foreign.isdisjoint(loaded)
    root = ["app", "lazy", "output", "output.encoding", *ours]
    assert sorted(one for one in loaded if one.startswith("caxton.cli.")) == sorted(
        f"caxton.cli.{one}" for one in root
    )
    beside = {"duration", "presentation", "presentation.text"} if ours else set[str]()
    assert {one for one in loaded if one.startswith("caxton.") and not one.startswith("caxton.cli")} == {
        f"caxton.{one}" for one in ("errors", *beside)
    }


@pytest.mark.system
def test_no_command_loads_what_only_its_work_needs() -> None:
    loaded = loaded_by(
        f"import importlib\nfor name in {[name.replace('-', '_') for name in COMMANDS]}:\n"
        "    importlib.import_module('caxton.cli.commands.' + name)"
    )
    assert "caxton.cli.commands.status" in loaded
    heavy = {
        "rich",
        "httpx",
        "pydantic",
        "wasmtime",
        "fastapi",
        "textual",
        "asyncio",
        "aiosqlite",
        "watchfiles",
    }
    packages = {"bench", "client", "config", "devloop", "diagram", "journal", "protocols", "sandbox"}
    assert {*heavy, "caxton_tui", *(f"caxton.{one}" for one in packages)}.isdisjoint(loaded)


CLI = Path(cli.__file__).parent


@pytest.mark.parametrize("file", sorted(CLI.rglob("*.py")), ids=lambda file: str(file.relative_to(CLI)))
def test_modules_are_imported_at_the_top(file: Path) -> None:
    """What is to be loaded later goes by `lazy`, and what a checker is told of it is what is loaded."""
    tree = ast.parse(file.read_text())
    inner = [
        node
        for part in tree.body
        if not isinstance(part, ast.If)
        for node in ast.walk(part)
        if node is not part
    ]
    assert not [node.lineno for node in inner if isinstance(node, ast.Import | ast.ImportFrom)]
    for part in tree.body:
        if isinstance(part, ast.If) and part.orelse:
            assert _told(part.body) >= _loaded(part.orelse), file


def _told(body: list[ast.stmt]) -> set[tuple[str, str]]:
    """Names with their modules, as a checker sees them."""
    found: set[tuple[str, str]] = set()
    for node in body:
        assert isinstance(node, ast.Import | ast.ImportFrom)
        before = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        found |= {(one.asname or one.name, before + one.name) for one in node.names}
    return found


def _loaded(body: list[ast.stmt]) -> set[tuple[str, str]]:
    """Names with their modules, as `lazy` makes them."""
    (node,) = body
    assert isinstance(node, ast.Assign)
    assert isinstance(node.targets[0], ast.Tuple)
    assert isinstance(node.value, ast.Call)
    names = [ast.unparse(one) for one in node.targets[0].elts]
    modules = [ast.literal_eval(one) for one in node.value.args]
    return set(zip(names, modules, strict=True))


def test_no_command_shows_the_help() -> None:
    said = caxton()
    assert "Commands:" in said.stdout + said.stderr


def test_a_mistyped_command_is_a_usage_error_with_a_suggestion() -> None:
    said = caxton("agnet", "list")
    assert said.returncode == 2
    assert "Did you mean 'agent'" in said.stderr
    assert said.stdout == ""


def test_version() -> None:
    said = caxton("--version")
    assert (said.returncode, said.stdout) == (0, "caxton 0.1.0\n")


@pytest.mark.system
@pytest.mark.parametrize("words", [("up",), ("down",), ("status",), ("agent", "list"), ("config", "show")])
def test_without_a_project_the_hint_says_what_to_do(words: tuple[str, ...], tmp_path: Path) -> None:
    said = caxton(*words, cwd=tmp_path)
    assert said.returncode == 2
    assert said.stderr.startswith("error: there is no caxton.toml")
    assert "hint: " in said.stderr
    assert said.stdout == ""
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("agent", "list"),
        ("agent", "show", "echo"),
        ("msg", "send", "--to", "echo"),
        ("msg", "tail"),
        ("conv", "list"),
        ("deploy", "list"),
        ("top",),
    ],
)
def test_without_a_daemon_every_command_says_so(words: tuple[str, ...], project: Path) -> None:
    said = caxton(*words, cwd=project)
    assert said.returncode == 4, said.stderr
    assert said.stderr.startswith("error: ")
    assert "hint: start it with: caxton up" in said.stderr
    assert said.stdout == ""


def test_down_without_a_daemon_is_no_error(project: Path) -> None:
    said = caxton("down", cwd=project)
    assert (said.returncode, said.stderr) == (0, "not running\n")


def test_the_project_may_stand_before_or_after_the_command_or_in_the_environment(project: Path) -> None:
    shown = [
        caxton("-p", project, "config", "show", "-o", "json"),
        caxton("config", "show", "-o", "json", "--project", project),
        caxton("config", "show", "-o", "json", CAXTON_PROJECT=str(project)),
    ]
    assert [said.returncode for said in shown] == [0, 0, 0]
    values = {item["key"]: item for item in json.loads(shown[0].stdout)}
    assert values["name"] == {"key": "name", "value": "quiet", "source": "caxton.toml"}
    assert values["journal.keep_days"]["source"] == "default"
    assert shown[0].stdout == shown[1].stdout == shown[2].stdout


def test_the_nearest_project_above_is_found_as_the_daemon_finds_it(project: Path) -> None:
    deep = project / "a" / "b"
    deep.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(deep)
        assert connection.folder(None) == config.find_folder(Path.cwd()) == project.resolve()
    assert (connection.FILE_NAME, connection.STATE) == (config.FILE_NAME, config.STATE_FOLDER)


def test_a_wrong_key_is_refused_with_its_place(project: Path) -> None:
    (project / "caxton.toml").write_text("[journal]\nkeep_dayz = 3\n")
    said = caxton("config", "validate", cwd=project)
    assert said.returncode == 2
    assert "caxton.toml:2: unknown key 'journal.keep_dayz'" in said.stderr
    assert "did you mean 'keep_days'?" in said.stderr


@pytest.mark.system
def test_a_module_that_is_not_there_fails_validation(project: Path) -> None:
    (project / "caxton.toml").write_text('[agents.echo]\nwasm = "echo.wat"\n')
    assert caxton("config", "validate", cwd=project).returncode == 2
    (project / "echo.wat").write_bytes(ECHO.read_bytes())
    said = caxton("config", "validate", cwd=project)
    assert (said.returncode, said.stdout) == (0, "")
    assert "fine, 1 agent" in said.stderr


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("hello", "it is not JSON"),
        ("@nothing-here.json", "nothing-here.json cannot be read"),
        ("-", "stdin is not JSON"),
    ],
)
def test_content_that_is_not_json_is_a_usage_error(content: str, complaint: str, project: Path) -> None:
    said = caxton("msg", "send", "--to", "echo", "--content", content, cwd=project, stdin="{")
    assert said.returncode == 2
    assert complaint in said.stderr


def test_a_text_without_quotes_gets_the_hint_how_to_write_it(project: Path) -> None:
    said = caxton("msg", "send", "--to", "echo", "--content", "hello", cwd=project)
    assert """hint: a text needs its quotes: --content '"hello"'""" in said.stderr


@pytest.mark.parametrize(
    ("duration", "complaint"),
    [
        ("soon", "is not a duration"),
        ("5 parsecs", "is not a duration"),
        ("-1s", "'-1s' is below 0"),
        ("", "is not a duration"),
    ],
)
def test_a_duration_that_is_none_is_a_usage_error(duration: str, complaint: str, project: Path) -> None:
    said = caxton("msg", "send", "--to", "echo", "--reply-by", duration, cwd=project)
    assert said.returncode == 2
    assert complaint in said.stderr


def test_names_of_commands_are_completed() -> None:
    said = caxton(_CAXTON_COMPLETE="complete_bash", COMP_WORDS="caxton d", COMP_CWORD="1")
    assert said.stdout.split() == [
        "demo", "dev", "down", "dead-letter", "df", "diff", "deploy", "doctor", "docs",
    ]  # fmt: skip


def test_names_of_acts_are_completed() -> None:
    said = caxton(
        _CAXTON_COMPLETE="complete_bash", COMP_WORDS="caxton msg send --performative acc", COMP_CWORD="4"
    )
    assert said.stdout.split() == ["accept-proposal"]


def test_completion_of_agents_without_a_daemon_is_empty_and_silent(project: Path) -> None:
    said = caxton(
        cwd=project, _CAXTON_COMPLETE="complete_bash", COMP_WORDS="caxton agent show e", COMP_CWORD="3"
    )
    assert (said.returncode, said.stdout.strip(), said.stderr) == (0, "", "")


@pytest.mark.system
def test_a_reader_that_has_enough_is_no_error(project: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        run = subprocess.run(
            [sys.executable, "-m", "caxton.cli", "config", "show"],
            stdout=writer,
            stderr=subprocess.PIPE,
            cwd=project,
            env=environment(),
            check=False,
        )
    finally:
        os.close(writer)
    assert (run.returncode, run.stderr) == (0, b"")
