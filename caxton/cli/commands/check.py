"""`caxton check`: judge recorded messages by their protocols."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app
from caxton.errors import Exit

if TYPE_CHECKING:
    from caxton.cli import recorded_check
else:
    (recorded_check,) = lazy("caxton.cli.recorded_check")

app = command_app()


@app.command()
def check(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="Messages, or a journal; - is stdin. The project's journal otherwise.",
        ),
    ] = None,
    protocol: Annotated[
        list[Path] | None,
        typer.Option("--protocol", metavar="TABLE", help="A protocol of your own (TOML); may be repeated."),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show which transitions were exercised and which never.")
    ] = False,
    platform: Annotated[
        str, typer.Option("--platform", help="The platform of an agent name without one.")
    ] = "local",
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Judge recorded messages by the protocols that they name. Exit code 7 when one is violated.

    Takes a journal (that of this project when no file is named), or messages as JSON, FIPA strings or XML: what conv
    export and msg convert write, and what conv show and msg list print with -o jsonl. Names may be those of any
    platform. A line that is no message is named, the others are judged; the exit code is then 2, unless it is 7. Needs
    no daemon and disturbs none. With -o json, each message has its verdict, the rule, what was legal, and the state of
    every branch after it.

    \b
    Examples:
      caxton check
      caxton check --coverage
      caxton conv show market-1 -o jsonl | caxton check -
      caxton check record.jsonl -o json
      caxton check captured.acl
      caxton check record.jsonl --protocol haggling.toml --coverage
    """
    code = recorded_check.check(file, project, list(protocol or ()), platform, output, coverage=coverage)
    if code is not Exit.OK:
        raise typer.Exit(int(code))
