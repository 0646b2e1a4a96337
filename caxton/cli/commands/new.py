"""`caxton new`: files to begin an agent or a project with."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.connection import FILE_NAME
from caxton.cli.lazy import lazy
from caxton.cli.options import command_app
from caxton.cli.output.printing import say, talk

if TYPE_CHECKING:
    from caxton.devloop.scaffold import generate
else:
    (generate,) = lazy("caxton.devloop.scaffold.generate")

app = command_app()


class Lang(StrEnum):
    """What there is a template for; the same as `devloop.scaffold.generate.Language`, which takes longer to import."""

    PYTHON = "python"
    C = "c"
    ZIG = "zig"
    ASSEMBLYSCRIPT = "assemblyscript"
    RUST = "rust"
    GO = "go"
    WAT = "wat"


class Template(StrEnum):
    """Examples that a project may begin as."""

    ASSISTANT = "assistant"
    REVIEW = "review"


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The agent's name, or the project's.", show_default=False)
    ],
    lang: Annotated[Lang, typer.Option("--lang", "-l", help="What the agent is written in.")] = Lang.PYTHON,
    project: Annotated[
        bool, typer.Option("--project", help="Make a project with one agent in it, not an agent alone.")
    ] = False,
    template: Annotated[
        Template | None,
        typer.Option("--template", help="Make a project that is a copy of this example.", show_default=False),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="DIR",
            help="The folder to make it in.  [default: agents/ of the project around here, else here]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a new agent, or with --project a new project, that builds, answers, keeps its state and has a test.

    Inside a project the agent's table is written to the end of its caxton.toml. Nothing that is there is overwritten,
    nothing is downloaded.

    \b
    Examples:
      caxton new counter
      caxton new counter --lang rust
      caxton new --project market --lang zig
      caxton new helper --template assistant
    """
    language = generate.Language(lang.value)
    here = Path.cwd()
    around = _around(into or here)
    if template is not None:
        made = generate.from_example(template.value, name, (into or here).resolve() / name)
    elif project:
        made = generate.new_project(name, language, (into or here).resolve() / name)
    else:
        parent = into.resolve() if into else around / generate.AGENTS_FOLDER if around else here
        made = generate.new_agent(name, language, parent / name, around)
    _tell(made, here)


def _around(place: Path) -> Path | None:
    """The nearest folder with a `caxton.toml`, at or above that place."""
    place = place.resolve()
    return next((folder for folder in (place, *place.parents) if (folder / FILE_NAME).is_file()), None)


def _tell(made: generate.Generated, here: Path) -> None:
    def shown(path: Path) -> str:
        return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)

    for file in made.files:
        say(shown(file))
    if made.listed_in is not None:
        talk(f"named in {shown(made.listed_in)}")
    if made.missing is not None:
        talk(f"to build it you need {made.missing.what}, which is not installed: {made.missing.remedy}")
    talk("next:")
    # in a project, what is run there looks after every agent of it
    home = made.listed_in.parent if made.listed_in is not None else made.folder
    if made.first is not None:
        talk(f"  (cd {shown(_folder_of(made))} && {made.first})")
    if home != here:
        talk(f"  cd {shown(home)}")
    talk("  caxton dev        build it, run it, take in every save")
    if any(file.parent.name == "tests" for file in made.files):
        talk("  pytest            run its test")
    else:
        talk("  caxton run        play its scenarios")


def _folder_of(made: generate.Generated) -> Path:
    """Where the agent's own files are."""
    return next(file.parent for file in made.files if file.name == "package.json")
