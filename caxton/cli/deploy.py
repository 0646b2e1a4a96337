"""`caxton deploy`: list deployments, look at one, undo one."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from caxton.cli.options import Format, Limit, Output, Project

_ID = re.compile(r"d-[0-9a-f]{13,}")

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="List deployments, look at one, undo one.",
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


@app.command()
def rollback(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[AGENT|ID]", help="The agent, or the deployment; the project's newest otherwise."
        ),
    ] = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Undo a deployment: the agent goes back to the revision, settings and limits that it had before.

    With an agent's name its newest deployment is undone. Undoing is a deployment too, so it can be undone.

    \b
    Examples:
      caxton deploy rollback counter
      caxton deploy rollback d-64a0c8e1f3b2a
    """
    from caxton.cli import place
    from caxton.errors import DeploymentNotFound

    with place.client(project, timeout_s=60.0) as caxton:
        id = what
        if what is None or not _ID.fullmatch(what):
            id = next(
                (
                    one["id"]
                    for one in caxton.deployments(agent=what, limit=1000)
                    if one["state"] == "running" and one["previous"] is not None and not one["unchanged"]
                ),
                None,
            )
        if id is None:
            raise DeploymentNotFound(
                f"no deployment of {what} can be undone" if what else "no deployment can be undone",
                hint="see: caxton deploy list",
            )
        answer = caxton.rollback(id)
    tell(answer, output)


def tell(answer: dict[str, Any], output: Format) -> None:
    """Print how a deployment ended; DeploymentError where the agent does not run the new revision."""
    from caxton.cli.output import document, safe, span, talk
    from caxton.errors import DeploymentError

    name = safe(answer["agent"])
    if output is not Format.TEXT:
        document(answer, output)
    if answer["state"] in ("failed", "rolled_back"):
        raise DeploymentError(
            f"{name}: {answer['reason'] or answer['state']}", hint=f"caxton deploy status {answer['id']}"
        )
    if output is not Format.TEXT:
        return
    revision = str(answer["revision"])[:12]
    if answer["unchanged"]:
        talk(f"{name} runs revision {revision} already: unchanged")
        return
    times: dict[str, float | None] = answer["timings"] or {}
    took = [
        f"{label} {span(spent / scale)}"
        for key, label, scale in (
            ("compile_ms", "compiled in", 1e3),
            ("load_ms", "loaded in", 1e3),
            ("pause_us", "paused for", 1e6),
        )
        if (spent := times.get(key)) is not None
    ]
    if answer["memory"] is not None:
        why = answer["memory_reason"]
        took.append(f"state {answer['memory']}" + (f" ({safe(why)})" if why else ""))
    talk(f"{name} runs revision {revision}" + (f": {', '.join(took)}" if took else ""))
