"""The command line and docs/cli.md are in step: every command and option is there, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import caxton.cli.commands
from caxton.cli.app import COMMANDS, app

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text("utf-8")
LISTS = {"--columns", "--sort", "--no-headers", "--watch"}
"""Options of every list, explained once."""
SHARED = {"--project", "-p", "--output", "-o", "--help", "-h", "-w"} | LISTS
ROOT: Any = get_command(app)


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that can be run, with its full name."""
    for name in COMMANDS:
        ROOT.load(name)
        command = ROOT.commands[name]
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())
        else:
            yield name, command


ALL = dict(commands())


def section(name: str) -> str:
    """What the page says under the heading of that command."""
    found = re.search(rf"^#+ caxton {re.escape(name)}$(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section 'caxton {name}'"
    # A line that begins with # inside an example would end the section early; none does.
    return found[1]


@pytest.mark.parametrize("name", ALL)
def test_every_option_is_documented_and_no_other(name: str) -> None:
    text = section(name)
    has = {option for one in ALL[name].params if one.param_type_name == "option" for option in one.opts}
    said = set(re.findall(r"^\|[^|]*?`(--[a-z-]+)", text, re.MULTILINE))
    listed = has >= LISTS
    own = has - (SHARED if listed else SHARED - LISTS)
    assert said == {option for option in own if option.startswith("--")}
    assert ("[options of lists](#lists)" in text) == listed
    for option in ("--output", "--project"):
        assert (f"`{option}`" in text) == (option in has)


@pytest.mark.parametrize("name", ALL)
def test_every_help_teaches_with_an_example_that_is_on_the_page(name: str) -> None:
    examples = re.findall(r"^\s+(caxton .*)$", ALL[name].help, re.MULTILINE)
    assert examples, f"caxton {name} --help shows no example"
    assert all(example.strip() in section(name) for example in examples)
    assert all(one.help for one in ALL[name].params), f"an option of caxton {name} has no help"


def test_the_options_of_lists_are_explained_once() -> None:
    (text,) = re.findall(r"^## Lists$(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^\|[^|]*?`(--[a-z-]+)", text, re.MULTILINE)) == LISTS


def test_the_page_has_no_command_that_is_not_there() -> None:
    said = set(re.findall(r"^#+ caxton (.+)$", PAGE, re.MULTILINE))
    groups = {name.split()[0] for name in ALL if " " in name}
    assert said == set(ALL) | groups


def test_every_file_with_a_command_is_in_the_list_of_commands() -> None:
    files = Path(caxton.cli.commands.__file__).parent.glob("*.py")
    nouns = {
        file.stem.replace("_", "-")
        for file in files
        if re.search(r"^app = command_app\(", file.read_text("utf-8"), re.M)
    }
    assert nouns == set(COMMANDS)


def test_the_exit_codes_are_documented() -> None:
    from caxton.errors import Exit

    said = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert {int(code) for code in Exit} <= said
