"""`caxton dead-letter`: messages that could not be handled: look at them, deliver them again, put them away."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from caxton.cli import connection, filtered_lists, list_view
from caxton.cli.input.editor import edited
from caxton.cli.input.json_argument import json_argument, json_value
from caxton.cli.list_view import ListView
from caxton.cli.options import Find, Format, Limit, Output, Project, Since, Until, command_app
from caxton.cli.output.columns import Column
from caxton.cli.output.printing import Columns, document, plural, safe, say, talk
from caxton.errors import ConfigurationError, Exit, MessageNotFound
from caxton.finding import MessageSubject, Subject
from caxton.finding.subjects import Moment
from caxton.presentation.json_line import compact
from caxton.presentation.names import short
from caxton.schemas.messages import DeadLetterBody, LettersGone
from caxton.schemas.shape import plain

app = command_app("Show what could not be handled, deliver it again, put it away.")

Seqs = Annotated[
    list[int] | None, typer.Argument(metavar="SEQ", help="Number of the message; may be several.")
]
Agent = Annotated[str | None, typer.Option("--agent", metavar="AGENT", help="Only of this agent.")]
Code = Annotated[
    str | None, typer.Option("--code", metavar="CODE", help="Only with this reason, such as fuel or poison.")
]
Filtered = Annotated[
    str | None, typer.Option("--filter", "-f", metavar="FILTER", help="Only messages that this filter finds.")
]
Every = Annotated[bool, typer.Option("--all", help="All that wait; may be narrowed by the other options.")]


@app.command("list")
@list_view.options
def list_letters(
    view: ListView,
    agent: Agent = None,
    code: Code = None,
    ended: Annotated[
        bool, typer.Option("--ended", help="Also those that were delivered again or dropped.")
    ] = False,
    filter: Find = "",
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    project: Project = None,
) -> None:
    """List messages that could not be handled and of which nobody took care yet, the newest first.

    \b
    Examples:
      caxton dead-letter list
      caxton dead-letter list --agent parser --code fuel
      caxton dead-letter list --since 1h --filter act:request
    """
    wanted = filtered_lists.wanted(filter, since, until)
    with connection.client(project) as caxton:
        view.show(
            lambda: filtered_lists.newest(
                lambda most: caxton.dead_letters(agent=agent, code=code, waiting=not ended, limit=most),
                _subject,
                wanted,
                limit,
            ),
            COLUMNS,
            "no dead letters wait",
            limit,
        )


@app.command()
def show(
    seq: Annotated[int, typer.Argument(metavar="SEQ", help="Number of the message.")],
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Show one message that could not be handled, with the reason for each agent that could not.

    \b
    Examples:
      caxton dead-letter show 41
      caxton dead-letter show 41 -o json
    """
    with connection.client(project) as caxton:
        letters = _of(caxton.dead_letters(seq=seq), seq)
    if output is not Format.TEXT:
        document(letters, output)
        return
    for one in letters:
        ended = "" if one.ended is None else f"; {one.ended}"
        say(f"{one.seq}  {safe(one.agent)}  {safe(one.code)}: {safe(one.reason)}{ended}")
    say(safe(compact(plain(letters[0].message))))


@app.command()
def redeliver(
    seqs: Seqs = None,
    agent: Agent = None,
    code: Code = None,
    filter: Filtered = None,
    every: Every = False,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Send dead letters once more, each once and in their order, to the agent that could not handle them.

    Each becomes a new message that names the old one in x_redelivers. Exit code 5 where some could not be delivered now
    either; they stay dead letters.

    \b
    Examples:
      caxton dead-letter redeliver 41 42
      caxton dead-letter redeliver --agent parser --code fuel
      caxton dead-letter redeliver -f 'from:ann act:request'
    """
    with connection.client(project) as caxton:
        _told(caxton.redeliver(_choice(seqs, agent, code, filter, every)), "delivered again", output)


@app.command()
def edit(
    seq: Annotated[int, typer.Argument(metavar="SEQ", help="Number of the message.")],
    content: Annotated[
        str | None,
        typer.Option(
            "--content",
            metavar="JSON",
            help="What it is to say: JSON, @FILE, or - for stdin; without it an editor opens.",
        ),
    ] = None,
    agent: Agent = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Send a dead letter once more with another content.

    \b
    Examples:
      caxton dead-letter edit 41
      caxton dead-letter edit 41 --content '{"text": "fine"}'
    """
    with connection.client(project) as caxton:
        if content is None:
            (letter, *_) = _of(caxton.dead_letters(seq=seq), seq)
            value = json_value(edited(compact(_content(letter)), ".json"), "the edited content")
        else:
            value = json_argument(content, "--content")
        choice = _choice([seq], agent, None, None, every=False)
        _told(caxton.redeliver({**choice, "content": value}), "delivered again", output)


@app.command()
def drop(
    seqs: Seqs = None,
    agent: Agent = None,
    code: Code = None,
    filter: Filtered = None,
    every: Every = False,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Put dead letters away: they do not wait any more. Their messages stay in the journal.

    \b
    Examples:
      caxton dead-letter drop 41
      caxton dead-letter drop --all
    """
    with connection.client(project) as caxton:
        _told(caxton.drop_dead_letters(_choice(seqs, agent, code, filter, every)), "dropped", output)


def _choice(
    seqs: list[int] | None, agent: str | None, code: str | None, filter: str | None, every: bool
) -> dict[str, Any]:
    given = {"seqs": seqs or None, "agent": agent, "code": code, "filter": filter}
    choice = {key: value for key, value in given.items() if value is not None}
    if not choice and not every:
        raise ConfigurationError(
            "it is not said which dead letters are meant", hint="name them, or --agent, --code, -f, or --all"
        )
    return choice or {"filter": ""}


def _told(gone: LettersGone, what: str, output: Format) -> None:
    if output is not Format.TEXT:
        document(gone, output)
    else:
        for one in gone.done:
            went_on = "" if one.went_on is None else f" as message {one.went_on}, in {one.conversation_id}"
            say(f"{one.seq}  {safe(one.agent)}  {what}{safe(went_on)}")
        for kept in gone.kept:
            hint = f" ({kept.hint})" if kept.hint else ""
            say(f"{kept.seq}  {safe(kept.agent)}  stays: {safe(kept.reason)}{safe(hint)}")
        talk(f"{plural(len(gone.done), 'dead letter')} {what}, {len(gone.kept)} left as they were")
    if gone.kept:
        raise typer.Exit(int(Exit.AGENT_FAILED))


def _of(letters: list[DeadLetterBody], seq: int) -> list[DeadLetterBody]:
    if not letters:
        raise MessageNotFound(f"message {seq} is no dead letter", hint="see: caxton dead-letter list")
    return letters


def _content(letter: DeadLetterBody) -> Any:
    return letter.message.content if letter.message else None


def _subject(letter: DeadLetterBody) -> Subject:
    return MessageSubject(letter.message) if letter.message else Moment(letter.at)


def _words(letter: DeadLetterBody) -> str:
    if not letter.message:
        return ""
    message = letter.message
    return f"{message.performative} from {safe(short(message.sender))}: {compact(message.content)}"


COLUMNS: Columns[DeadLetterBody] = (
    ("SEQ", lambda one: one.seq),
    Column("AT", lambda one: one.at, rank=2),
    Column("AGENT", lambda one: short(one.agent), rank=1),
    Column("CODE", lambda one: one.code, rank=0),
    Column("ENDED", lambda one: one.ended or "", rank=3),
    ("MESSAGE", _words),
)
