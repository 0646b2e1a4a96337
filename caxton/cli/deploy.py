"""`caxton deploy`: list deployments and look at one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from caxton.cli.options import Format, Limit, Output, Project

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="List deployments and look at one.",
)


@app.command("list")
def list_deployments(limit: Limit = 50, project: Project = None, output: Output = Format.TEXT) -> None:
    """List deployments, newest first.

    \b
    Examples:
      caxton deploy list
      caxton deploy list -o json
    """
    from caxton.cli import place
    from caxton.cli.output import listing

    with place.client(project) as caxton:
        listing(
            caxton.deployments(limit=limit),
            output,
            [
                ("ID", lambda d: d["id"]),
                ("AGENT", lambda d: d["agent"]),
                ("REVISION", lambda d: (d["revision"] or "-")[:12]),
                ("STRATEGY", lambda d: d["strategy"]),
                ("STATE", lambda d: d["state"]),
                ("AT", lambda d: d["created_at"]),
                ("REASON", lambda d: d["reason"] or ""),
            ],
            "no deployments",
        )


@app.command()
def status(
    id: Annotated[str, typer.Argument(metavar="ID", help="Id of the deployment.")],
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Show one deployment: from which revision to which, how far it is, how long each step took.

    Exit code 5 when it failed or was rolled back.

    \b
    Examples:
      caxton deploy status d-42
      caxton deploy status d-42 -o json
    """
    from caxton.cli import place
    from caxton.cli.output import colour_wanted, document, paint, safe, say, state_style
    from caxton.errors import Exit

    with place.client(project) as caxton:
        found = caxton.deployment(id)
    if output is not Format.TEXT:
        document(found, output)
    else:
        wanted = colour_wanted()
        timings: dict[str, Any] = found["timings"] or {}
        rows: dict[str, Any] = {**found, **timings}
        del rows["timings"]
        for name, value in rows.items():
            text = "-" if value is None else safe(value)
            label = paint(f"{name.replace('_', ' '):<12}", "bold", wanted)
            say(f"{label} {paint(text, state_style(value), wanted)}")
    if found["state"] in ("failed", "rolled_back"):
        raise typer.Exit(int(Exit.AGENT_FAILED))
