"""`caxton break held`, `show`, `release`, `drop`, `delay` and `edit`: what is done about held messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, cast

import typer

from caxton import exact_numbers
from caxton.acl import Performative
from caxton.cli import connection, list_view
from caxton.cli.input.editor import edited
from caxton.cli.input.json_argument import json_argument, json_value
from caxton.cli.list_view import ListView
from caxton.cli.options import Format, Limit, Output, Project, Receivers, duration_text, live, one_of
from caxton.cli.output.columns import Column
from caxton.cli.output.json_document import json_document
from caxton.cli.output.printing import Columns, plural, safe, shown, told
from caxton.errors import ConfigurationError
from caxton.presentation.json_line import compact
from caxton.presentation.names import short
from caxton.schemas.held import HeldBody, HeldDetail, HeldGone, ManyGone
from caxton.schemas.shape import Message, text_of

DONE = {"release": "released", "drop": "dropped"}


def breaks(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids and names of break points, for completion."""
    points = live(ctx, lambda caxton: caxton.breaks())
    names = [name for point in points for name in (point.id, point.name) if name]
    return [name for name in names if name.startswith(incomplete)]


def _seqs(ctx: typer.Context, incomplete: str) -> list[str]:
    numbers = [str(one.seq) for one in live(ctx, lambda caxton: caxton.held())]
    return [number for number in numbers if number.startswith(incomplete)]


SEQ = typer.Argument(metavar="SEQ", min=1, help="Number under which it is held.", autocompletion=_seqs)
OfBreak = Annotated[
    str | None,
    typer.Option("--break", metavar="ID", help="Only what this one holds.", autocompletion=breaks),
]
OfConversation = Annotated[
    str | None, typer.Option("--conversation", metavar="ID", help="Only what is held of this conversation.")
]

OtherPerformative = Annotated[
    str | None,
    typer.Option("--performative", help="Another performative.", autocompletion=one_of(*Performative)),
]
NewContent = Annotated[
    str | None, typer.Option("--content", metavar="JSON|@FILE|-", help="New content; - reads stdin.")
]
InEditor = Annotated[bool, typer.Option("--editor", help="Edit it in $VISUAL or $EDITOR.")]


@list_view.options
def held(
    view: ListView,
    of_break: OfBreak = None,
    conversation: OfConversation = None,
    after: Annotated[int, typer.Option("--after", metavar="SEQ", min=0, help="Only those after it.")] = 0,
    limit: Limit = 50,
    project: Project = None,
) -> None:
    """List what is held, oldest first.

    \b
    Examples:
      caxton break held
      caxton break held --break b1 -o json
    """
    with connection.client(project) as caxton:

        def ask() -> list[HeldBody]:
            return caxton.held(after=after, conversation=conversation, break_id=of_break, limit=limit)

        view.show(ask, COLUMNS, "nothing is held", limit, "oldest")


def show(seq: Annotated[int, SEQ], project: Project = None, output: Output = Format.TEXT) -> None:
    """Show one message that is or was held: as it was sent, as it is now, and its number after its release.

    \b
    Examples:
      caxton break show 12
    """
    with connection.client(project) as caxton:
        found = caxton.held_message(seq)
    shown(found, output, _lines(found))


def _lines(found: HeldDetail) -> Iterator[str]:
    message = found.message
    rows = [
        ("state", _state(found) + (f", as message {found.went_on}" if found.went_on else "")),
        ("held since", text_of(found.at)),
        ("break point", found.break_id or "none: it waits behind another"),
        *message_rows(message),
    ]
    for key, text in rows:
        yield f"{key:<13} {safe(text)}"
    yield json_document(message.content, indented=True)
    if found.edited:
        yield from said_lines(found.said)


def message_rows(message: Message) -> list[tuple[str, str]]:
    """Who says it to whom, and where it belongs."""
    rows = [
        ("message", f"{short(message.sender)} {message.performative} → {_names(message)}"),
        ("conversation", message.conversation_id),
    ]
    keys = ("protocol", "reply_with", "in_reply_to", "reply_by")
    return rows + [(key, message.json[key]) for key in keys if key in message.json]


def said_lines(said: Message) -> Iterator[str]:
    """What a message was before somebody has changed it."""
    yield f"{'it was':<13} {safe(said.performative)} → {safe(_names(said))}"
    yield json_document(said.content, indented=True)


def let_go(
    ctx: typer.Context,
    seq: Annotated[int | None, SEQ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are held, in their order.")] = False,
    following: Annotated[bool, typer.Option("--next", help="The one that was held first.")] = False,
    of_break: OfBreak = None,
    conversation: OfConversation = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """`release` or `drop`, by the word that the command was called with: one message or several."""
    if (seq is not None) + everything + following != 1:
        raise ConfigurationError("name one message, or say --next or --all", hint="see: caxton break held")
    step = str(ctx.info_name)
    with connection.client(project, timeout_s=60.0) as caxton:
        if seq is not None:
            one = caxton.release(seq) if step == "release" else caxton.drop(seq)
            gone: HeldGone | ManyGone = one
            text = f"{seq} {DONE[step]} as {one.went_on}"
        else:
            act = caxton.release_some if step == "release" else caxton.drop_some
            gone = some = act(break_id=of_break, conversation=conversation, following=following)
            text = f"{plural(some.messages, 'message')} {DONE[step]}"
    told(gone, output, f"{text}; {gone.held} held")


RELEASE = """Release held messages as they are now: one, the next, or all in their order.

\b
Examples:
  caxton break release 12
  caxton break release --next
  caxton break release --all --break b1
"""
DROP = """Drop held messages: nobody gets them, and their sender gets a failure that says so.

\b
Examples:
  caxton break drop 12
  caxton break drop --all --conversation market-1
"""


def delay(
    seq: Annotated[int, SEQ],
    duration: Annotated[
        str, typer.Argument(metavar="DURATION", parser=duration_text, help="Such as 500ms, 5s or 2m.")
    ],
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Release a held message by itself later, also over a restart of the daemon.

    \b
    Examples:
      caxton break delay 12 5s
    """
    with connection.client(project) as caxton:
        found = caxton.delay(seq, duration)
    told(found, output, f"{seq} goes on at {text_of(found.due_at) if found.due_at else 'once'}")


def edit(
    seq: Annotated[int, SEQ],
    performative: OtherPerformative = None,
    to: Receivers = None,
    content: NewContent = None,
    editor: InEditor = False,
    then_release: Annotated[bool, typer.Option("--release", help="Release it right after.")] = False,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Edit a held message: its performative, receivers, content. It stays held, and the original stays recorded.

    The referee judges it as it is when it goes on. Ids and the conversation stay.

    \b
    Examples:
      caxton break edit 12 --content '{"price": 9}'
      caxton break edit 12 --performative refuse --release
      caxton break edit 12 --editor
    """
    with connection.client(project) as caxton:
        before = caxton.held_message(seq).message if editor else None
        change = changed(performative, to, content, before)
        found = caxton.edit(seq, change)
        gone = caxton.release(seq) if then_release else None
    became = f" and went on as {gone.went_on}" if gone else "; it is still held"
    told(gone or found, output, f"{seq} is changed{became}")


def changed(
    performative: str | None, to: str | None, content: str | None, edit: Message | None
) -> dict[str, Any]:
    """What is to be different of a message, by options, and then by a person in the editor where `edit` is given.

    Raises ConfigurationError where nothing is.
    """
    change: dict[str, Any] = {}
    if performative is not None:
        change["performative"] = performative
    if to is not None:
        change["receiver"] = [name for name in to.split(",") if name]
    if content is not None:
        change["content"] = json_argument(content, "--content")
    if edit is not None:
        change = _edited(edit, change)
    if not change:
        raise ConfigurationError(
            "nothing is changed", hint="say --content, --performative or --to, or change it with --editor"
        )
    return change


def _edited(message: Message, change: dict[str, Any]) -> dict[str, Any]:
    """What a person has made of a message in the editor; empty where nothing was changed."""
    before = {key: message.json.get(key) for key in ("performative", "receiver", "content")}
    text = edited(exact_numbers.text(before | change, 2), ".json")
    after = json_value(text, "what was written")
    if not isinstance(after, dict):
        raise ConfigurationError("what was written is no JSON object", hint="keep the three fields")
    fields = cast("dict[str, Any]", after)
    return {key: value for key, value in fields.items() if key not in before or before[key] != value}


def _state(found: HeldBody) -> str:
    if found.state == "delayed":
        state = f"delayed to {text_of(found.due_at) if found.due_at else '-'}"
    elif found.behind:
        state = f"{found.state}, behind {found.behind}"
    else:
        state = str(found.state)
    return f"{state}, edited" if found.edited else state


def _names(message: Message) -> str:
    return ", ".join(name.removesuffix("@local") for name in message.receiver)


COLUMNS: Columns[HeldBody] = (
    ("SEQ", lambda h: h.seq),
    Column("STATE", lambda h: _state(h), rank=1),
    Column("BY", lambda h: h.break_id, rank=5),
    Column("FROM", lambda h: short(h.message.sender), rank=2),
    Column("ACT", lambda h: h.message.performative, rank=0),
    Column("TO", lambda h: ", ".join(short(name) for name in h.message.receiver), rank=3),
    Column("CONVERSATION", lambda h: h.message.conversation_id, rank=4),
    ("CONTENT", lambda h: compact(h.message.content, 200)),
)
