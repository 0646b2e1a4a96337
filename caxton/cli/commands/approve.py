"""`caxton approve`: messages that wait for a yes: look at them, give it, refuse it, change them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from caxton.cli import connection, list_view
from caxton.cli.commands.break_held import (
    InEditor,
    NewContent,
    OtherPerformative,
    changed,
    message_rows,
    said_lines,
)
from caxton.cli.list_view import ListView
from caxton.cli.options import Format, Limit, Output, Project, Receivers, command_app, live
from caxton.cli.output.columns import Column
from caxton.cli.output.json_document import json_document
from caxton.cli.output.printing import Columns, plural, safe, shown, told
from caxton.presentation.json_line import compact
from caxton.presentation.names import receivers, short
from caxton.schemas.approvals import ApprovalBody, ApprovalDetail, ApprovalDone, ApprovalStepBody
from caxton.schemas.shape import text_of

app = command_app("Decide about messages that need a yes.")


def _seqs(ctx: typer.Context, incomplete: str) -> list[str]:
    numbers = [str(one.seq) for one in live(ctx, lambda caxton: caxton.approvals())]
    return [number for number in numbers if number.startswith(incomplete)]


SEQ = typer.Argument(metavar="SEQ", min=1, help="Number under which it waits.", autocompletion=_seqs)
Note = Annotated[
    str, typer.Option("--note", metavar="TEXT", help="Why; kept, and of a no told to the sender.")
]


@app.command("list")
@list_view.options
def list_approvals(view: ListView, limit: Limit = 50, project: Project = None) -> None:
    """List the messages that wait for a yes, oldest first: what they ask for, who may decide, until when.

    Which messages need one stands in caxton.toml: [approvals.NAME] (docs/approvals.md).

    \b
    Examples:
      caxton approve list
      caxton approve list -o json
    """
    with connection.client(project) as caxton:

        def ask() -> list[ApprovalBody]:
            return caxton.approvals(limit=limit)

        view.show(ask, COLUMNS, "nothing waits for an approval", limit, "oldest")


@app.command()
def show(seq: Annotated[int, SEQ], project: Project = None, output: Output = Format.TEXT) -> None:
    """Show one message that waits or has waited: what it says, who may decide, and what was decided by whom.

    \b
    Examples:
      caxton approve show 12
    """
    with connection.client(project) as caxton:
        found = caxton.approval(seq)
    shown(found, output, _lines(found))


def _lines(found: ApprovalDetail) -> Iterator[str]:
    state = f"{found.state}, as message {found.went_on}" if found.went_on else str(found.state)
    rows = [("state", f"{state}, edited" if found.edited else state), ("approval", found.approval)]
    if found.needs:
        rows.append(("needs", f"{', '.join(found.needs)}; next decided by {', '.join(found.by)}"))
    if found.behind:
        rows.append(("behind", f"message {found.behind}, which has to go on first"))
    rows.append(("asked at", text_of(found.at)))
    if found.until_at:
        rows.append(("until", text_of(found.until_at)))
    for key, text in [*rows, *message_rows(found.message)]:
        yield f"{key:<13} {safe(text)}"
    yield json_document(found.message.content, indented=True)
    if found.edited:
        yield from said_lines(found.said)
    for step in found.steps:
        yield f"{text_of(step.at)}  {_step(step)}"


def _step(step: ApprovalStepBody) -> str:
    by = f" by {safe(step.by)}" if step.by else ""
    note = f": {safe(step.note)}" if step.note else ""
    return f"{safe(step.approval)}: {step.step}{by}{note}"


@app.command()
def yes(
    seq: Annotated[int, SEQ], note: Note = "", project: Project = None, output: Output = Format.TEXT
) -> None:
    """Approve a message: it goes on as it is now. Look at it first: caxton approve show SEQ.

    Where several rules mean it, each of them needs a yes; yours counts for those that you may decide.

    \b
    Examples:
      caxton approve yes 12
      caxton approve yes 12 --note 'as agreed with finance'
    """
    with connection.client(project) as caxton:
        done = caxton.approve(seq, note=note)
    told(done, output, _became(done))


@app.command()
def no(
    seq: Annotated[int, SEQ], note: Note = "", project: Project = None, output: Output = Format.TEXT
) -> None:
    """Refuse a message: nobody gets it, and its sender gets a refuse with the error approval-refused.

    \b
    Examples:
      caxton approve no 12
      caxton approve no 12 --note 'ask for less'
    """
    with connection.client(project) as caxton:
        done = caxton.refuse(seq, note=note)
    told(done, output, _became(done))


@app.command()
def edit(
    seq: Annotated[int, SEQ],
    performative: OtherPerformative = None,
    to: Receivers = None,
    content: NewContent = None,
    editor: InEditor = False,
    then_yes: Annotated[bool, typer.Option("--yes", help="Approve it right after.")] = False,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Edit a message that waits: its performative, receivers, content. It waits on, and every yes is needed anew.

    What it was stays recorded, and so does who has changed it.

    \b
    Examples:
      caxton approve edit 12 --content '{"amount": 90}' --yes
      caxton approve edit 12 --editor
    """
    with connection.client(project) as caxton:
        before = caxton.approval(seq).message if editor else None
        change = changed(performative, to, content, before)
        found = caxton.edit_approval(seq, change)
        done = caxton.approve(seq) if then_yes else None
    told(done or found, output, f"{seq} is changed; {_became(done) if done else 'it still waits'}")


@app.command()
@list_view.options
def log(view: ListView, limit: Limit = 50, project: Project = None) -> None:
    """Show who decided what, newest first, and what was refused for want of time or room.

    \b
    Examples:
      caxton approve log
      caxton approve log -o jsonl > approvals.jsonl
    """
    with connection.client(project) as caxton:
        view.show(
            lambda: caxton.approval_steps(limit=limit), STEPS, "nothing has needed an approval yet", limit
        )


def _became(done: ApprovalDone) -> str:
    left = f"; {plural(done.waiting, 'message')} {'waits' if done.waiting == 1 else 'wait'}"
    if done.state == "waiting":
        what = f"still needs {', '.join(done.needs)}" if done.needs else "waits behind another message"
        return f"{done.seq} has your yes and {what}{left}"
    return f"{done.seq} {done.state} as {done.went_on}{left}"


COLUMNS: Columns[ApprovalBody] = (
    ("SEQ", lambda a: a.seq),
    Column("APPROVAL", lambda a: ", ".join(a.needs) or a.approval, rank=1),
    Column("DECIDED BY", lambda a: ", ".join(a.by) or f"approved, behind {a.behind}", rank=5),
    Column("UNTIL", lambda a: a.until_at, rank=6),
    Column("FROM", lambda a: short(a.message.sender), rank=2),
    Column("ACT", lambda a: a.message.performative, rank=0),
    Column("TO", lambda a: receivers(a.message), rank=3),
    ("CONTENT", lambda a: compact(a.message.content, 200)),
)
STEPS: Columns[ApprovalStepBody] = (
    ("AT", lambda s: s.at),
    ("SEQ", lambda s: s.held),
    Column("APPROVAL", lambda s: s.approval, rank=2),
    Column("STEP", lambda s: s.step, rank=0),
    Column("BY", lambda s: s.by, rank=1),
    Column("ASKED BY", lambda s: short(s.sender), rank=3),
    Column("WENT ON", lambda s: s.went_on, rank=4),
    ("NOTE", lambda s: s.note),
)
