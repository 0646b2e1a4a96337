"""`caxton conv`: list conversations, read one, write it to a file."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from caxton import exact_numbers
from caxton.acl.full_message import read_json
from caxton.cli import connection, filtered_lists, list_view
from caxton.cli.input import message_files
from caxton.cli.lazy import lazy
from caxton.cli.list_view import ListView
from caxton.cli.options import (
    ConversationId,
    Find,
    Format,
    Limit,
    MessageLimit,
    Output,
    Project,
    Since,
    SomeAgent,
    Until,
    command_app,
)
from caxton.cli.output.columns import Column
from caxton.cli.output.printing import (
    Columns,
    colour_wanted,
    document,
    listing,
    paint,
    plural,
    safe,
    say,
    span,
    talk,
)
from caxton.errors import Exit
from caxton.presentation.names import short
from caxton.schemas.messages import ConversationBody

if TYPE_CHECKING:
    from caxton import diagram
    from caxton.cli.output import message_lines
    from caxton.diagram import differences
else:
    diagram, differences, message_lines = lazy(
        "caxton.diagram", "caxton.diagram.differences", "caxton.cli.output.message_lines"
    )

app = command_app("List conversations, read and export one.")


class Export(StrEnum):
    """How a conversation is exported."""

    FIPA_STRING = "fipa-string"
    XML = "xml"
    JSON = "json"
    JSONL = "jsonl"
    MERMAID = "mermaid"
    SVG = "svg"
    HTML = "html"
    TEXT = "text"


@app.command("list")
@list_view.options
def list_conversations(
    view: ListView,
    agent: SomeAgent = None,
    filter: Find = "",
    since: Since = None,
    until: Until = None,
    pinned: Annotated[bool, typer.Option("--pinned", help="Only those that are pinned.")] = False,
    limit: Limit = 50,
    project: Project = None,
) -> None:
    """List conversations, newest first; those that are pinned are marked.

    \b
    Examples:
      caxton conv list
      caxton conv list --agent seller-ann -n 10
      caxton conv list --filter 'protocol:contract is:problem'
      caxton conv list --since 5m --filter 'took:>1s'
      caxton conv list --pinned
    """
    wanted = filtered_lists.wanted(filter, since, until)
    with connection.client(project) as caxton:
        view.show(
            lambda: (
                filtered_lists.pinned(caxton, wanted, limit, agent)
                if pinned
                else filtered_lists.conversations(caxton, wanted, limit, agent)
            ),
            COLUMNS,
            "no conversations",
            limit,
        )


COLUMNS: Columns[ConversationBody] = (
    ("ID", lambda c: c.id),
    Column("PIN", lambda c: "pinned" if c.pinned else "", rank=6),
    Column("PROTOCOL", lambda c: c.protocol, rank=4),
    Column("STATE", lambda c: c.state, rank=1),
    Column("OUTCOME", lambda c: c.outcome, rank=7),
    Column("VIOLATIONS", lambda c: c.violations or "", rank=2),
    Column("STARTED", lambda c: c.started_at, rank=3),
    Column("MESSAGES", lambda c: c.messages, rank=5),
    Column("INITIATOR", lambda c: short(c.initiator), rank=8),
    Column("PARENT", lambda c: c.parent or "", rank=9),
    ("PARTICIPANTS", lambda c: ", ".join(short(name) for name in c.participants)),
)


@app.command()
def pin(
    id: ConversationId,
    project: Project = None,
) -> None:
    """Pin a conversation: every new build of its agents is tried on it before it goes in.

    A build that changes an answer there is stopped by the gate of caxton dev, until somebody accepts it.

    \b
    Examples:
      caxton conv pin market-1
    """
    with connection.client(project) as caxton:
        caxton.pin(id)
    talk(f"{safe(id)} is pinned")


@app.command()
def unpin(
    id: ConversationId,
    project: Project = None,
) -> None:
    """Unpin a conversation.

    \b
    Examples:
      caxton conv unpin market-1
    """
    with connection.client(project) as caxton:
        caxton.unpin(id)
    talk(f"{safe(id)} is not pinned any more")


@app.command()
def show(
    id: ConversationId,
    limit: MessageLimit = 1000,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Read a conversation: who said what to whom when, and what the turns that handled it cost.

    Messages that could not be handled are marked with the reason, those that were delivered again after a
    crash as redelivered, those that broke their protocol with the rule and what was legal. At the end stands
    what each participant's branch has come to.

    \b
    Examples:
      caxton conv show market-1
      caxton conv show market-1 -o jsonl
    """
    with connection.client(project) as caxton:
        found = caxton.conversation(id, limit=limit)
    messages = found.items
    if output is Format.JSON:
        document(found, output)
        return
    if output is Format.JSONL:
        for stored in messages:
            document(stored, output)
        return
    width = shutil.get_terminal_size().columns * 2 // 3 if sys.stdout.isatty() else None
    sequence = message_lines.MessageLines(
        say, colour=colour_wanted(), width=width, headings=False, turns=True
    )
    for stored in messages:
        sequence.message(stored)
    if not found.next:
        for held in found.held:
            sequence.held(held)
    if messages:
        lasted = (messages[-1].at - messages[0].at).total_seconds()
        who = sorted({short(stored.message.sender) for stored in messages})
        talk(f"{safe(id)}: {plural(len(messages), 'message')} in {span(lasted)} from {', '.join(who)}")
    for branch in found.branches:
        why = f" ({safe(branch.reason)})" if branch.reason else ""
        awarded = ", awarded" if branch.awarded else ""
        say(f"{safe(found.state)}: {short(branch.participant)} is {branch.state}{awarded}{why}")
    if found.next:
        talk(f"there are more; show them with --limit {limit * 10}")


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="Id of one conversation.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Id of the other.")],
    limit: MessageLimit = 1000,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Compare two conversations step by step: who said what to whom, whenever it was. Exit code 6 when they differ.

    - is what only A has, + what only B has.

    \b
    Examples:
      caxton conv diff market-1 market-2
      caxton conv diff market-1 market-2 -o jsonl
    """
    with connection.client(project) as caxton:
        both = [caxton.conversation(id, limit=limit) for id in (first, second)]
    found = list(differences.steps(*(one.items for one in both)))
    different = [one for one in found if one.side != "both"]
    if output is Format.TEXT:
        signs = {"both": (" ", None), "first": ("-", "red"), "second": ("+", "green")}
        for one in found:
            sign, style = signs[one.side]
            say(paint(f"{sign} {one.seq:>6}  {one.text}", style))
        talk(f"{plural(len(found) - len(different), 'step')} the same, {len(different)} not")
    else:
        listing([asdict(one) for one in found], output, [], "")
    if any(one.next for one in both):
        talk(f"there are more messages; compare them with --limit {limit * 10}")
    if different:
        raise typer.Exit(int(Exit.EXPECTATION))


@app.command()
def export(
    id: ConversationId,
    form: Annotated[Export, typer.Option("--format", help="How to write it.")] = Export.JSONL,
    limit: MessageLimit = 100_000,
    project: Project = None,
) -> None:
    """Write the messages of a conversation to stdout, oldest first, as they were delivered.

    fipa-string and xml can be read again with `caxton msg convert`; json is one array, jsonl a message a line;
    mermaid, svg and text are sequence diagrams, html is a page with one and every message, for a ticket.

    \b
    Examples:
      caxton conv export market-1 --format jsonl > market-1.jsonl
      caxton conv export market-1 --format fipa-string
      caxton conv export market-1 --format mermaid > market-1.mmd
      caxton conv export market-1 --format html > market-1.html
      caxton conv export market-1 --format text
    """
    with connection.client(project) as caxton:
        found = caxton.conversation(id, limit=limit)
    messages = [stored.message for stored in found.items]
    match form:
        case Export.JSON:
            document(messages, Format.JSON)
        case Export.JSONL:
            for message in messages:
                document(message, Format.JSONL)
        case Export.MERMAID:
            message_files.put(diagram.draw_mermaid(diagram.read_timeline(found)))
        case Export.SVG:
            message_files.put(diagram.draw_svg(diagram.read_timeline(found)))
        case Export.HTML:
            message_files.put(diagram.draw_page(found))
        case Export.TEXT:
            columns = shutil.get_terminal_size((120, 24)).columns
            message_files.put(diagram.draw_text(diagram.read_timeline(found), columns))
        case Export.FIPA_STRING | Export.XML:
            whole = [read_json(exact_numbers.encode(message.json)) for message in messages]
            message_files.put(message_files.written(whole, message_files.Form(form.value)))
    if found.next:
        talk(f"there are more; export them with --limit {limit * 10}")
