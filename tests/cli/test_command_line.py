"""The command line without a daemon: help, mistakes, exit codes, completion."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from caxton import config
from caxton.cli import connection
from caxton.cli.app import COMMANDS

from .command import caxton, environment


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


@pytest.mark.system
def test_help_loads_nothing_but_typer() -> None:
    code = (
        "import sys; sys.argv = ['caxton', '--help']; from caxton.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('rich', 'httpx', 'pydantic', 'msgspec', 'wasmtime', 'fastapi', 'textual', 'asyncio', 'aiosqlite')))\n"
        "print(sorted(m for m in sys.modules if m.startswith('caxton')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    )
    foreign, ours = run.stdout.splitlines()[-2:]
    assert foreign == "[]"
    loaded = ["", ".cli", ".cli.app", ".cli.options", ".cli.output", ".cli.output.printing"]
    assert ours == str(
        [f"caxton{one}" for one in [*loaded, ".duration", ".errors", ".presentation", ".presentation.text"]]
    )


def test_no_command_shows_the_help() -> None:
    said = caxton()
    assert "Commands:" in said.stdout + said.stderr


def test_a_mistyped_command_is_a_usage_error_with_a_suggestion() -> None:
    said = caxton("agnet", "list")
    assert said.returncode == 2
    assert "Did you mean 'agent'?" in said.stderr
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


def test_a_module_that_is_not_there_fails_validation(project: Path) -> None:
    (project / "caxton.toml").write_text('[agents.echo]\nwasm = "echo.wat"\n')
    assert caxton("config", "validate", cwd=project).returncode == 2
    (project / "echo.wat").write_text("(module)")
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
    assert said.stdout.split() == ["demo", "dev", "down", "df", "deploy", "doctor"]


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
