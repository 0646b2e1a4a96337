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
            help="Messages as JSON lines, or a journal; - is stdin. The project's journal otherwise.",
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

    Takes a journal (that of this project when no file is named), messages as JSON lines with their times, or what
    conv show and msg list print with -o jsonl. Needs no daemon and disturbs none. With -o json, each message has
    its verdict, the rule, what was legal, and the state of every branch after it.

    \b
    Examples:
      caxton check
      caxton check --coverage
      caxton conv show market-1 -o jsonl | caxton check -
      caxton check record.jsonl -o json
      caxton check record.jsonl --protocol haggling.toml --coverage
    """
    violations = recorded_check.check(
        file, project, list(protocol or ()), platform, output, coverage=coverage
    )
    if violations:
        raise typer.Exit(int(Exit.PROTOCOL))
