"""`caxton deploy`: list deployments, look at one, decide one that is under way, undo one."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from caxton.cli import connection, filtered_lists, list_view
from caxton.cli.list_view import ListView
from caxton.cli.options import Format, Limit, Output, Project, Since, Until, command_app
from caxton.cli.output.deployments import deployment_lines, where
from caxton.cli.output.printing import document, safe, say, shown, span, talk, told
from caxton.errors import DeploymentError, DeploymentNotFound, Exit
from caxton.finding.subjects import Moment
from caxton.presentation.json_line import compact
from caxton.presentation.replays import totals_line
from caxton.schemas.deployments import DeploymentBody, PlanBody

if TYPE_CHECKING:
    from caxton.client import Client

LOOK_S: Final = 0.5
"""How often a deployment is polled while its end is awaited, in seconds."""
_ID = re.compile(r"d-[0-9a-f]{13,}")

app = command_app("List deployments, show one, promote or abort a running one, undo one.")
Which = Annotated[
    str, typer.Argument(metavar="AGENT|ID", help="The agent (its newest deployment), or the deployment's id.")
]


@app.command("list")
@list_view.options
def list_deployments(
    view: ListView, since: Since = None, until: Until = None, limit: Limit = 50, project: Project = None
) -> None:
    """List deployments, newest first.

    \b
    Examples:
      caxton deploy list
      caxton deploy list --since 1d
      caxton deploy list -o json
    """
    wanted = filtered_lists.wanted("", since, until)
    with connection.client(project) as caxton:
        view.show(
            lambda: filtered_lists.newest(
                lambda most: caxton.deployments(limit=most), lambda one: Moment(one.created_at), wanted, limit
            ),
            [
                ("ID", lambda d: d.id),
                ("AGENT", lambda d: d.agent),
                ("REVISION", lambda d: (d.revision or "-")[:12]),
                ("STRATEGY", lambda d: d.strategy),
                ("STATE", lambda d: d.state),
                ("AT", lambda d: d.created_at),
                ("REASON", lambda d: d.reason or ""),
            ],
            "no deployments",
            limit,
        )


@app.command()
def status(
    id: Which,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Show one deployment: from which revision to which, the checks, how far it is, both revisions side by side.

    With an agent's name its newest deployment. Exit code 5 when it failed or was rolled back; 6 for a shadow
    that is over and found differences.

    \b
    Examples:
      caxton deploy status seller-ann
      caxton deploy status d-64a0c8e1f3b2a -o json
    """
    with connection.client(project) as caxton:
        found = caxton.deployment(_id_of(caxton, id))
    shown(found, output, deployment_lines(found))
    raise typer.Exit(_exit(found))


@app.command()
def promote(what: Which, project: Project = None, output: Output = Format.TEXT) -> None:
    """Let the new revision take over now, whatever stage or time is left.

    For a canary, a shadow, a drain or a probation that is under way. What both have handled is not lost.

    \b
    Examples:
      caxton deploy promote seller-ann
      caxton deploy promote d-64a0c8e1f3b2a
    """
    with connection.client(project, timeout_s=60.0) as caxton:
        answer = caxton.promote(_id_of(caxton, what))
    tell(answer, output)


@app.command()
def abort(what: Which, project: Project = None, output: Output = Format.TEXT) -> None:
    """Remove the new revision; the old one goes on alone, with nothing lost.

    \b
    Examples:
      caxton deploy abort seller-ann
      caxton deploy abort d-64a0c8e1f3b2a
    """
    with connection.client(project, timeout_s=60.0) as caxton:
        answer = caxton.abort(_id_of(caxton, what))
    why = safe(answer.reason or answer.state)
    told(answer, output, f"{safe(answer.agent)}: the old revision goes on ({why})")


@app.command("ask-live")
def ask_live(what: Which, project: Project = None, output: Output = Format.TEXT) -> None:
    """Ask models and tools for real what a build that waits asks anew, and judge it by what comes of that.

    The gate stops a build that asks something else in a pinned conversation. Where its answers turn out as they were,
    it goes in; else it waits on, with the new answers to look at. It may cost what budgets.replay allows; caxton deploy
    status shows the most that it will.

    \b
    Examples:
      caxton deploy ask-live seller-ann
    """
    with connection.client(project, timeout_s=60.0) as caxton:
        answer = caxton.ask_live(_id_of(caxton, what))
    if answer.waits and answer.gate is not None:
        told(
            answer,
            output,
            f"{safe(answer.agent)} waits: {safe(answer.gate.reason)}\n{totals_line(answer.gate.totals)}",
        )
    else:
        tell(answer, output)


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
    with connection.client(project, timeout_s=60.0) as caxton:
        id = what
        if what is None or not _ID.fullmatch(what):
            id = next(
                (
                    one.id
                    for one in caxton.deployments(agent=what, limit=1000)
                    if one.state == "running" and one.previous is not None and not one.unchanged
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


def _id_of(caxton: Client, what: str) -> str:
    """The id itself, or that of an agent's newest deployment."""
    if _ID.fullmatch(what):
        return what
    found = caxton.deployments(agent=what, limit=1)
    if not found:
        raise DeploymentNotFound(f"{what} has no deployment", hint="see: caxton deploy list")
    return str(found[0].id)


def _exit(found: DeploymentBody) -> int:
    progress: dict[str, Any] = found.progress or {}
    if found.strategy == "shadow" and progress.get("over"):
        return int(Exit.EXPECTATION if progress.get("different") else Exit.OK)
    return int(Exit.AGENT_FAILED if found.state in ("failed", "rolled_back") else Exit.OK)


def follow(caxton: Client, answer: DeploymentBody) -> DeploymentBody:
    """Stay with a deployment until it has ended, and say how far it is whenever that is another."""
    last = ""
    while answer.state in ("validating", "deploying", "draining"):
        line = where(answer)
        if line != last:
            talk(line)
            last = line
        time.sleep(LOOK_S)
        answer = caxton.deployment(answer.id)
    return answer


def tell_plan(plan: PlanBody, output: Format) -> None:
    """Print what a deployment would change."""
    if output is not Format.TEXT:
        document(plan, output)
        return
    name = safe(plan.agent)
    if plan.unchanged:
        talk(f"{name} runs revision {plan.revision[:12]} already: nothing would change")
        return
    now = "is new" if plan.new else f"is {plan.state}"
    talk(f"{name} {now}; with the strategy {plan.strategy} this would change, and nothing has been done:")
    for line in plan.changes:
        before, after = (
            safe(str(one)[:12] if line.what == "revision" and one else compact(one))
            for one in (line.before, line.after)
        )
        say(f"{safe(line.what):<24} {before} -> {after}")


def tell(answer: DeploymentBody, output: Format) -> None:
    """Print how a deployment ended; DeploymentError where the agent does not run the new revision."""
    name = safe(answer.agent)
    if output is not Format.TEXT:
        document(answer, output)
    progress: dict[str, Any] = answer.progress or {}
    if answer.strategy == "shadow" and progress.get("over"):
        talk(f"{name}: {safe(answer.reason)}")
        raise typer.Exit(_exit(answer))
    if answer.state in ("failed", "rolled_back"):
        raise DeploymentError(
            f"{name}: {answer.reason or answer.state}", hint=f"caxton deploy status {answer.id}"
        )
    if output is not Format.TEXT:
        return
    revision = str(answer.revision)[:12]
    if answer.state in ("deploying", "draining"):
        talk(f"{where(answer)}{_memory(answer)}")
        talk(f"look: caxton deploy status {name}; decide: caxton deploy promote|abort {name}")
        return
    if answer.unchanged:
        talk(f"{name} runs revision {revision} already: unchanged")
        return
    times = answer.timings
    took = (
        [
            f"{label} {span(spent / scale)}"
            for spent, label, scale in (
                (times.compile_ms, "compiled in", 1e3),
                (times.load_ms, "loaded in", 1e3),
                (times.pause_us, "paused for", 1e6),
            )
            if spent is not None
        ]
        if times
        else []
    )
    talk(f"{name} runs revision {revision}" + (f": {', '.join(took)}" if took else "") + _memory(answer))


def _memory(answer: DeploymentBody) -> str:
    """What became of the agent's state, and why."""
    if answer.memory is None:
        return ""
    why = answer.memory_reason
    return f", state {answer.memory}" + (f" ({safe(why)})" if why else "")
