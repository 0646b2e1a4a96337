"""`caxton msg`: send messages, follow those that pass, look at one."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from caxton import exact_numbers
from caxton.acl import Performative
from caxton.acl.agent_id import AgentId
from caxton.acl.full_message import write_json
from caxton.acl.json_value import as_text
from caxton.cli import connection, filtered_lists, list_view
from caxton.cli.commands.msg_convert import convert
from caxton.cli.input import message_files
from caxton.cli.input.json_argument import json_argument
from caxton.cli.input.protocol_name import fipa_names, protocol_name
from caxton.cli.lazy import lazy
from caxton.cli.list_view import ListView
from caxton.cli.options import (
    Find,
    Format,
    Language,
    Limit,
    OfConversation,
    Ontology,
    Output,
    Project,
    Receivers,
    SentBy,
    Since,
    SomeAgent,
    Timeout,
    Until,
    command_app,
    duration_option,
    one_of,
)
from caxton.cli.output.columns import Column
from caxton.cli.output.printing import Columns, colour_wanted, document, paint, safe, say, talk
from caxton.errors import AgentError, ConfigurationError, InvalidMessage, ProtocolViolated, TimedOut
from caxton.finding import Filter, MessageSubject
from caxton.presentation.json_line import compact
from caxton.presentation.names import receivers, short
from caxton.schemas.messages import DeadLetterBody, MessageBody, SubmittedBody
from caxton.schemas.shape import Message, shaped, text_of

if TYPE_CHECKING:
    from caxton.cli.output import message_lines
else:
    (message_lines,) = lazy("caxton.cli.output.message_lines")


def _act(text: str) -> str:
    """One of FIPA's acts."""
    if text not in set(Performative):
        close = get_close_matches(text, list(Performative), 1)
        meant = f"; did you mean {close[0]}?" if close else ";"
        raise typer.BadParameter(f"FIPA has no act {text!r}{meant} there are {', '.join(Performative)}")
    return text


def _protocols(incomplete: str) -> list[str]:
    """The protocols that begin so, looked up when somebody asks."""
    return one_of(*fipa_names())(incomplete)


app = command_app("Send messages and follow those that pass.")
app.command()(convert)


@app.command()
def send(
    to: Receivers = None,
    performative: Annotated[
        str | None,
        typer.Option(
            "--performative",
            metavar="ACT",
            help="FIPA's name of the performative.  [default: request]",
            autocompletion=one_of(*Performative),
        ),
    ] = None,
    content: Annotated[
        str | None, typer.Option("--content", metavar="JSON|@FILE|-", help="Its content; - reads stdin.")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            metavar="NAME",
            parser=protocol_name,
            help="Such as fipa-request.",
            autocompletion=_protocols,
        ),
    ] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", help="Id of the conversation; a new one otherwise.")
    ] = None,
    ontology: Ontology = None,
    language: Language = None,
    reply_with: Annotated[str | None, typer.Option("--reply-with", help="What replies must name.")] = None,
    in_reply_to: Annotated[
        str | None, typer.Option("--in-reply-to", help="What this one replies to.")
    ] = None,
    reply_by: Annotated[
        float | None,
        duration_option("--reply-by", "Replies are wanted within this time."),
    ] = None,
    urgent: Annotated[
        bool, typer.Option("--urgent", help="It goes ahead of what waits for its receivers.")
    ] = False,
    sender: SentBy = None,
    acl: Annotated[
        str | None,
        typer.Option("--acl", metavar="FILE|-", help="The whole message as a FIPA string; - reads stdin."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for replies and print them.")] = False,
    timeout: Timeout = 10.0,
    replies: Annotated[
        int, typer.Option("--replies", min=0, help="How many to wait for; 0: all that arrive in time.")
    ] = 1,
    key: Annotated[
        str | None,
        typer.Option(
            "--idempotency-key", help="Makes sending again safe: a message with this key is accepted once."
        ),
    ] = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Send a message; it is acknowledged when it is safe on disk.

    It is put together from the options, or given whole with --acl as a FIPA string (FIPA00070). Whoever said that
    one elsewhere is kept as x_sender: it is sent by operator, or by --sender.

    With --wait the replies are printed: text shows them as a sequence, json and jsonl the whole messages.
    Exit code 124 when fewer came than were asked for, 5 when the platform says that a receiver failed, 7 when it
    says that the message breaks its protocol.

    \b
    Examples:
      caxton msg send --to echo --performative request --content '"hello"' --wait
      caxton msg send --to seller-ann,seller-bob --performative cfp --protocol fipa-contract-net \\
        --content '{"item": "book"}' --reply-by 5s --wait --replies 2
      echo '{"n": 1}' | caxton msg send --to relay --content -
      caxton msg send --acl request.acl --wait
    """
    given = {
        "sender": sender,
        "protocol": protocol,
        "conversation_id": conversation,
        "ontology": ontology,
        "language": language,
        "reply_with": reply_with,
        "in_reply_to": in_reply_to,
        "performative": performative,
        "x_priority": "urgent" if urgent else None,
    }
    said = {name: value for name, value in given.items() if value is not None}
    if acl is not None:
        others = {**said, "to": to, "content": content, "reply_by": reply_by} | {"sender": None}
        message: bytes | dict[str, Any] = _whole(
            acl, sender, [name for name, value in others.items() if value is not None]
        )
    else:
        if reply_by is not None:
            until = datetime.now(UTC) + timedelta(seconds=reply_by)
            said["reply_by"] = until.isoformat(timespec="microseconds").replace("+00:00", "Z")
        message = _put_together(to, content, said)
    with connection.client(project) as caxton:
        answer = caxton.send(message, wait_s=timeout if wait else None, replies=replies, idempotency_key=key)
    _answer(answer, output, wait, replies, timeout)


def _whole(acl: str, sender: str | None, others: list[str]) -> bytes:
    """The message that a FIPA string says, from a client; it leaves nothing to say for other options."""
    if others:
        options = ", ".join(
            "--" + name.replace("_id", "").replace("x_priority", "urgent").replace("_", "-")
            for name in others
        )
        raise ConfigurationError(f"--acl gives the whole message, beside it there is no {options}")
    found = message_files.read(message_files.source(acl, "--acl"), message_files.Form.FIPA_STRING, acl)
    if len(found) > 1:
        raise InvalidMessage(f"{acl} has {len(found)} messages", hint="send them one by one")
    message = found[0]
    said_by = message.sender
    if said_by is None or (sender is None and said_by.name.partition("@")[0].partition(".")[0] == "operator"):
        return write_json(message if sender is None else replace(message, sender=AgentId(sender)))
    extensions = {**message.extensions, "x_sender": as_text(said_by.value())}
    talk(f"sent as {sender or 'operator'}; that {said_by.name} said it is kept as x_sender")
    return write_json(replace(message, sender=AgentId(sender or "operator"), extensions=extensions))


def _put_together(to: str | None, content: str | None, said: dict[str, str]) -> dict[str, Any]:
    if to is None:
        raise ConfigurationError(
            "nobody is named to get it", hint="add --to NAME, or the whole message with --acl"
        )
    message: dict[str, Any] = {
        "performative": "request",
        "receiver": [name.strip() for name in to.split(",") if name.strip()],
        **said,
    }
    if content is not None:
        message["content"] = json_argument(content, "--content")
    return message


def _answer(answer: SubmittedBody, output: Format, wait: bool, replies: int, timeout: float) -> None:
    came = answer.replies
    if answer.held:
        talk(
            f"message {answer.seq} waits for the approval {answer.approval}: caxton approve show {answer.seq}"
            if answer.approval
            else f"message {answer.seq} is held: caxton break show {answer.seq}"
        )
    if output is Format.JSON:
        document(answer, output)
    elif output is Format.JSONL:
        for item in came if wait else [answer]:
            document(item, output)
    elif wait:
        talk(f"sent {answer.id} in {answer.conversation_id}")
        sequence = message_lines.MessageLines(say, colour=colour_wanted(), headings=False)
        for item in came:
            sequence.message(item)
    else:
        say(f"{answer.id}  {answer.conversation_id}")
    for item in came if wait else ():
        _raise_notice(item.message, f"caxton conv show {answer.conversation_id}")
    if wait and isinstance(answer.ended, str) and len(came) < replies:
        raise TimedOut(
            f"{len(came)} of {replies} replies came, and no more will: {answer.ended}",
            hint=f"caxton conv show {answer.conversation_id}",
        )
    if wait and len(came) < replies:
        raise TimedOut(
            f"{len(came)} of {replies} replies came within {timeout:g} s",
            hint=f"caxton conv show {answer.conversation_id}",
        )


def _raise_notice(said: Message, hint: str) -> None:
    """Raise what the platform says of a message that was not delivered or not handled.

    What `ams` answers to a request of its own is an answer like any other agent's; its notices name a message.
    """
    why: Any = said.content
    if not said.sender.startswith("ams@") or not isinstance(why, dict) or "message_id" not in why:
        return
    notice = cast("dict[str, Any]", why)
    if said.performative == "failure":
        who = notice.get("receiver", "a receiver")
        raise AgentError(f"{who} did not handle it: {notice.get('reason', 'no reason given')}", hint=hint)
    if notice.get("error") == "protocol_violation":
        legal = ", ".join(notice.get("legal") or ()) or "nothing"
        where = f"{notice['act']} in {notice['state']} of {notice['protocol']}"
        raise ProtocolViolated(f"{where}: {notice['reason']}", hint=f"legal here: {legal}; {hint}")


@app.command()
def tail(
    agent: SomeAgent = None,
    conversation: OfConversation = None,
    after: Annotated[
        int | None,
        typer.Option("--after", metavar="SEQ", min=0, help="Begin after this number; 0: at the beginning."),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="End after this number of messages.")
    ] = None,
    filter: Find = "",
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Follow messages as they are committed; ends with Ctrl-C or after --count.

    If there are more than can be shown, the rest is counted; the bus is never slowed.

    \b
    Examples:
      caxton msg tail
      caxton msg tail --agent buyer -o jsonl
      caxton msg tail --after 0 --count 20
      caxton msg tail --filter 'act:refuse,failure !agent:timer'
    """
    wanted = Filter(filter)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sequence = message_lines.MessageLines(say, colour=colour_wanted(), width=width)
    shown = 0
    with connection.client(project) as caxton:
        platform = str(caxton.status().platform) if wanted else ""
        events = caxton.events(
            after=after, kinds=["message", "dead_letter"], agent=agent, conversation=conversation
        )
        for event in events:
            if event.kind == "gap":
                talk(f"… {event.data['lost']:,} not shown")
            elif event.kind == "message":
                stored = event.stored
                if wanted and not wanted.passes(MessageSubject(stored.message, platform, stored)):
                    continue
                if output is Format.TEXT:
                    sequence.message(stored)
                else:
                    document(event.data, Format.JSONL)
                shown += 1
            elif output is Format.TEXT and event.kind == "dead_letter" and not wanted:
                sequence.dead_letter(shaped(event.data, DeadLetterBody))
            if count is not None and shown >= count:
                return


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="Id of the message, or its number.")],
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Show one message: as it was delivered, its turns, and why it was not handled where that is so.

    \b
    Examples:
      caxton msg show 42
      caxton msg show 6f1c0a52-7d43-8e11-b2aa-00000000002a -o json
    """
    with connection.client(project) as caxton:
        stored = caxton.message(id)
    if output is not Format.TEXT:
        document(stored, output)
        return
    wanted = colour_wanted()
    message_lines.MessageLines(say, colour=wanted, headings=False, turns=True).message(stored)
    cause = f", said in the turn of number {stored.cause}" if stored.cause else ", from outside"
    say(paint(f"  number {stored.seq}{cause}, {stored.hops} hops, at {text_of(stored.at)}", "dim", wanted))
    for key, value in stored.message.json.items():
        text = value if isinstance(value, str) else exact_numbers.text(value)
        say(f"  {safe(key):<16} {safe(text)}")


@app.command("list")
@list_view.options
def list_messages(
    view: ListView,
    agent: SomeAgent = None,
    conversation: OfConversation = None,
    performative: Annotated[
        str | None,
        typer.Option(
            "--performative",
            metavar="ACT",
            parser=_act,
            help="Only this performative.",
            autocompletion=one_of(*Performative),
        ),
    ] = None,
    filter: Find = "",
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    project: Project = None,
) -> None:
    """List the newest messages, oldest of them first.

    \b
    Examples:
      caxton msg list
      caxton msg list --agent buyer --performative propose -n 10
      caxton msg list --filter 'is:problem ~"price.*9"' --since 5m
      caxton msg list --filter 'took:>10ms' --sort -seq
    """
    wanted = filtered_lists.wanted(filter, since, until)
    with connection.client(project) as caxton:

        def newest() -> list[MessageBody]:
            found = filtered_lists.messages(
                caxton, wanted, limit, conversation=conversation, agent=agent, performative=performative
            )
            return found[::-1]

        view.show(newest, COLUMNS, "no messages", limit)


COLUMNS: Columns[MessageBody] = (
    ("SEQ", lambda m: m.seq),
    Column("AT", lambda m: m.at, rank=4),
    Column("CONVERSATION", lambda m: m.message.conversation_id or "-", rank=3),
    Column("SENDER", lambda m: short(m.message.sender or "-"), rank=1),
    Column("ACT", lambda m: m.message.performative or "-", rank=0),
    Column("RECEIVER", lambda m: receivers(m.message), rank=2),
    ("CONTENT", lambda m: _content(m.message)),
)


def _content(message: Message) -> str:
    return "" if message.content is None else compact(message.content, 200)
