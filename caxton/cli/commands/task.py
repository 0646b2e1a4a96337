"""`caxton task`: run a whole protocol with one call, list what was run, look at one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from caxton.cli import connection, filtered_lists, list_view
from caxton.cli.input.json_argument import json_argument
from caxton.cli.list_view import ListView
from caxton.cli.options import (
    Format,
    Language,
    Limit,
    Ontology,
    Output,
    Project,
    Receivers,
    SentBy,
    Since,
    Until,
    command_app,
    duration_option,
    duration_text,
    one_of,
)
from caxton.cli.output.printing import (
    Columns,
    document,
    paint,
    safe,
    say,
    table,
    talk,
)
from caxton.errors import ConfigurationError, Exit
from caxton.finding.subjects import Moment
from caxton.presentation.json_line import compact
from caxton.presentation.names import short
from caxton.schemas.messages import TaskBranch, TaskDetail

if TYPE_CHECKING:
    from caxton.client import Client

app = command_app("Run whole protocols, show their results, cancel them.")

PROTOCOLS = (
    "auction-dutch", "auction-english", "contract-net", "iterated-contract-net", "propose", "query", "request",
    "request-when", "subscribe",
)  # fmt: skip
"""Those of FIPA's that run in one call, for completion; the daemon decides."""
CHOICES = ("lowest:", "highest:", "first", "all", "none")
LOOK_S = 0.5
"""How often a task that runs is looked at, in seconds; its end is told at once."""


@app.command()
def run(
    protocol: Annotated[
        str, typer.Option("--protocol", help="Such as contract-net.", autocompletion=one_of(*PROTOCOLS))
    ],
    to: Receivers = None,
    content: Annotated[
        str | None,
        typer.Option("--content", metavar="JSON|@FILE|-", help="What is asked; - reads stdin."),
    ] = None,
    reply_by: Annotated[
        str | None,
        duration_option("--reply-by", "How long first answers are accepted.  [default: 10s]", duration_text),
    ] = None,
    deadline: Annotated[
        str | None,
        duration_option(
            "--deadline",
            "How long results are accepted.  [default: 30s after the last answer was due]",
            duration_text,
        ),
    ] = None,
    choose: Annotated[
        str | None,
        typer.Option(
            "--choose",
            metavar="HOW",
            help="lowest:PATH, highest:PATH, first, all or none.",
            autocompletion=one_of(*CHOICES),
        ),
    ] = None,
    winners: Annotated[
        int | None, typer.Option("--winners", min=1, help="Maximum number of proposals to accept.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, help="Rounds of an iterated contract net.")
    ] = None,
    informs: Annotated[
        int | None, typer.Option("--informs", min=1, help="A subscription ends after this number of informs.")
    ] = None,
    act: Annotated[
        str | None, typer.Option("--act", help="The first act, where a protocol has several: query-if.")
    ] = None,
    price: Annotated[float | None, typer.Option("--price", help="The first price of an auction.")] = None,
    step: Annotated[
        float | None, typer.Option("--step", help="What each round adds to it, or takes off.")
    ] = None,
    limit: Annotated[
        float | None, typer.Option("--limit", help="The reserve price: nothing is sold below it.")
    ] = None,
    sender: SentBy = None,
    ontology: Ontology = None,
    language: Language = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Print its id and do not wait for its end.")
    ] = False,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Run a protocol as its initiator: ask, choose, wait for the results, and report each participant's outcome.

    How far it is goes to stderr. Ctrl-C stops looking, not the task: `task cancel` does. Exit code 0 when it got
    what it was to get, 6 when everybody answered and the answer is no, 5 when a participant failed, 124 when time
    ran out.

    \b
    Examples:
      caxton task run --protocol contract-net --to seller-ann,seller-bob,seller-cleo \\
        --content '{"item": "book"}' --reply-by 2s --choose lowest:price
      caxton task run --protocol request --to echo --content '"hello"' -o json
      caxton task run --protocol query --act query-ref --to seller-ann --deadline 5s
      caxton task run --protocol subscribe --to clock --informs 3
      id=$(caxton task run --protocol request --to echo --detach) && caxton task show "$id"
    """
    if to is None:
        raise ConfigurationError("nobody is named to take part", hint="add --to NAME,NAME")
    given = {
        "reply_by": reply_by,
        "deadline": deadline,
        "choose": choose,
        "winners": winners,
        "rounds": rounds,
        "informs": informs,
        "act": act,
        "price": _plain(price),
        "step": _plain(step),
        "limit": _plain(limit),
        "sender": sender,
        "ontology": ontology,
        "language": language,
    }
    body: dict[str, Any] = {
        "protocol": protocol,
        "to": [name.strip() for name in to.split(",") if name.strip()],
    }
    body |= {name: value for name, value in given.items() if value is not None}
    if content is not None:
        body["content"] = json_argument(content, "--content")
    with connection.client(project) as caxton:
        begun = caxton.run_task(body, wait_s=0.0)
        if detach:
            _begun(begun, output)
            return
        found = _followed(caxton, begun)
    _tell(found, output)


@app.command("list")
@list_view.options
def list_tasks(
    view: ListView, since: Since = None, until: Until = None, limit: Limit = 50, project: Project = None
) -> None:
    """List tasks, newest first.

    \b
    Examples:
      caxton task list
      caxton task list --since 1h
      caxton task list -o json
    """
    wanted = filtered_lists.wanted("", since, until)
    with connection.client(project) as caxton:
        view.show(
            lambda: filtered_lists.newest(
                lambda most: caxton.tasks(limit=most), lambda one: Moment(one.created_at), wanted, limit
            ),
            [
                ("ID", lambda t: t.id),
                ("PROTOCOL", lambda t: t.protocol),
                ("STATE", lambda t: t.state),
                ("OUTCOME", lambda t: t.outcome),
                ("ENDING", lambda t: t.ending or "under way"),
                ("AT", lambda t: t.created_at),
                ("PARTICIPANTS", lambda t: ", ".join(short(name) for name in t.participants)),
            ],
            "no tasks",
            limit,
        )


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="Id of the task.")],
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Show one task: how it stands or ended, what each participant said, and what was heard in all.

    Exit codes are those of `task run`; 0 while it runs.

    \b
    Examples:
      caxton task show t-64a0c8e1f3b2a
      caxton task show t-64a0c8e1f3b2a -o json
    """
    with connection.client(project) as caxton:
        found = caxton.task(id)
    _tell(found, output)


@app.command()
def cancel(
    id: Annotated[str, typer.Argument(metavar="ID", help="Id of the task.")],
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Cancel a running task, and report each participant's outcome.

    Whoever still works for it is told by `cancel`, as the protocol has it, and has 2 s to answer; proposals that were
    not decided on are rejected. Exit code 0 when it has ended.

    \b
    Examples:
      caxton task cancel t-64a0c8e1f3b2a
    """
    with connection.client(project) as caxton:
        found = caxton.cancel_task(id)
    _tell(found, output, judged=False)


def _begun(task: TaskDetail, output: Format) -> None:
    if output is Format.TEXT:
        say(task.id)
    else:
        document(task, output)


def _followed(caxton: Client, found: TaskDetail) -> TaskDetail:
    """The task when it has ended, with a line about each change on the way."""
    talk(f"task {safe(found.id)}: {safe(found.protocol)} with {len(found.participants)}")
    last = ""
    while found.ended_at is None:
        line = f"  {found.phase}: {_counts(found.received)}"
        if line != last:
            talk(line)
            last = line
        found = caxton.task(found.id, wait_s=LOOK_S)
    return found


def _tell(found: TaskDetail, output: Format, *, judged: bool = True) -> None:
    """Print a task; with `judged` the exit code says how it ended."""
    if output is not Format.TEXT:
        document(found, output)
    else:
        say("\n".join(table(found.branches, BRANCH_COLUMNS)))
        ending = found.ending or "under way"
        style = {"achieved": "green", "failed": "red", "timed-out": "red"}.get(ending, "yellow")
        parts = [found.state]
        if found.ending is None:
            parts.append(found.phase)
        elif found.outcome in ("awarded", "no-award"):
            # the other two outcomes say no more than the ending
            parts.append(found.outcome)
        said = f"{', '.join(parts)}: {paint(ending, style)}"
        talk(said + (f" ({safe(found.reason)})" if found.reason else ""))
        talk(f"received {_counts(found.received)}; sent {_counts(found.sent)}")
        if found.price is not None:
            talk(f"price {found.price:g}")
        for one in found.violations:
            talk(f"violation: {safe(one['sender'])} said {safe(one['performative'])}: {safe(one['reason'])}")
    codes = {
        "not-achieved": Exit.EXPECTATION,
        "failed": Exit.AGENT_FAILED,
        "timed-out": Exit.TIMED_OUT,
        "cancelled": Exit.EXPECTATION,
    }
    if judged and found.ending in codes:
        raise typer.Exit(int(codes[found.ending]))


def _result(branch: TaskBranch) -> str:
    result = branch.result
    if result is None:
        return branch.reason or ""
    said = _said(result["content"])
    return f"{result['performative']} {said}".strip()


def _said(content: Any) -> str:
    return "" if content is None else compact(content, 120)


def _counts(acts: dict[str, int]) -> str:
    return ", ".join(f"{count} {act}" for act, count in acts.items()) or "nothing yet"


def _plain(number: float | None) -> int | float | None:
    """A whole number as an int: 10, not 10.0."""
    return int(number) if number is not None and number.is_integer() else number


BRANCH_COLUMNS: Columns[TaskBranch] = (
    ("PARTICIPANT", lambda one: short(one.participant)),
    ("STATE", lambda one: one.state),
    ("OUTCOME", lambda one: one.outcome),
    ("PROPOSAL", lambda one: _said(one.proposal)),
    ("RESULT", _result),
)
