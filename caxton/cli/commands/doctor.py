"""`caxton doctor`: is everything here that Caxton needs, and does it work?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app
from caxton.cli.output.printing import document, paint, safe, say, state_style
from caxton.errors import ConfigurationError, Exit

if TYPE_CHECKING:
    from caxton.cli import doctor_checks
else:
    (doctor_checks,) = lazy("caxton.cli.doctor_checks")

app = command_app()


@app.command()
def doctor(project: Project = None, output: Output = Format.TEXT) -> None:
    """Check Python, wasmtime's fast path, toolchains, socket, disk and limits.

    Each line is ok, warn (works, but) or bad, with what to do. Exit code 1 when something is bad.

    \b
    Examples:
      caxton doctor
      caxton doctor -o json | jq '.[] | select(.state != "ok")'
    """
    try:
        folder = connection.folder(project)
    except ConfigurationError:
        if project is not None:
            raise
        folder = Path.cwd()
    found: list[dict[str, str | None]] = []
    for name, check in doctor_checks.checks(folder):
        finding = check()
        found.append({"name": name, **asdict(finding)})
        if output is Format.TEXT:
            _tell(name, finding)
        elif output is Format.JSONL:
            document(found[-1], output)
    if output is Format.JSON:
        document(found, output)
    if any(one["state"] == "bad" for one in found):
        raise typer.Exit(int(Exit.UNEXPECTED))


def _tell(name: str, finding: doctor_checks.Finding) -> None:
    mark = paint(f"{finding.state:<4}", state_style(finding.state))
    say(f"{mark}  {name:<13} {safe(finding.found)}")
    if finding.remedy:
        say(f"      {'':<13} {paint(finding.remedy, 'dim')}")
