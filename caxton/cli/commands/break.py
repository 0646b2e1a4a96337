"""`caxton break`: hold messages that match a filter, look at them, change them, let them go."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import typer

from caxton.acl import Performative
from caxton.cli import connection
from caxton.cli.connection import client
from caxton.cli.input.editor import edited
from caxton.cli.input.json_argument import json_argument, json_value
from caxton.cli.options import Format, Limit, Output, Project, Receivers, command_app, duration_text, seconds
from caxton.cli.output.message_lines import short
from caxton.cli.output.printing import document, listing, plural, safe, say, talk
from caxton.errors import CaxtonError, ConfigurationError
from caxton.finding import FIELDS
from caxton.presentation.json_line import compact
from caxton.schemas.held import BreakBody, BreakGone, HeldBody, HeldGone, ManyGone
from caxton.schemas.shape import Message, text_of

T = TypeVar("T")

if TYPE_CHECKING:
    from pathlib import Path

    from caxton.client import Client

app = command_app("Hold messages on their way, edit them, release them.")


def _live(ctx: typer.Context, ask: Callable[[Client], list[T]]) -> list[T]:
    """What the running daemon answers; nothing where none does."""
    project = ctx.params.get("project") or ctx.find_root().params.get("project")
    try:
        with client(project, timeout_s=1.0) as caxton:
            return ask(caxton)
    except CaxtonError:
        return []


def _breaks(ctx: typer.Context, incomplete: str) -> list[str]:
    points = _live(ctx, lambda caxton: caxton.breaks())
    names = [name for point in points for name in (point.id, point.name) if name]
    return [name for name in names if name.startswith(incomplete)]


def _seqs(ctx: typer.Context, incomplete: str) -> list[str]:
    return [
        seq
        for one in _live(ctx, lambda caxton: caxton.held())
        if (seq := str(one.seq)).startswith(incomplete)
    ]


def _acts(incomplete: str) -> list[str]:
    return [act.value for act in Performative if act.value.startswith(incomplete)]


def _fields(incomplete: str) -> list[str]:
    done, space, last = incomplete.rpartition(" ")
    return [f"{done}{space}{field}:" for field in FIELDS if field != "state" and field.startswith(last)]


Seq = Annotated[
    int,
    typer.Argument(metavar="SEQ", min=1, help="Number under which it is held.", autocompletion=_seqs),
]
SomeSeq = Annotated[
    int | None,
    typer.Argument(metavar="SEQ", min=1, help="Number under which it is held.", autocompletion=_seqs),
]
OfBreak = Annotated[
    str | None,
    typer.Option("--break", metavar="ID", help="Only what this one holds.", autocompletion=_breaks),
]
OfTalk = Annotated[
    str | None, typer.Option("--conversation", metavar="ID", help="Only what is held of this conversation.")
]
All = Annotated[bool, typer.Option("--all", help="All that are held, in their order.")]
Next = Annotated[bool, typer.Option("--next", help="The one that was held first.")]


# ---------------------------------------------------------------------- break points


@app.command()
def add(
    filter: Annotated[
        str,
        typer.Argument(
            metavar="FILTER",
            help="Which messages, such as 'from:buyer act:refuse'; '' for all.",
            autocompletion=_fields,
        ),
    ],
    name: Annotated[str | None, typer.Option("--name", help="A name for it, beside its id.")] = None,
    once: Annotated[bool, typer.Option("--once", help="It ends after one message.")] = False,
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", min=1, help="It ends after this number of messages.")
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", parser=duration_text, help="It ends after this time."),
    ] = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Add a break point: messages that match the filter are held until somebody releases them.

    The filter is that of --filter and / elsewhere (docs/finding.md). Whatever the same sender says to the same
    receiver in the same conversation waits behind a held message. Deadlines of a conversation stop while something
    of it is held. What the platform's own agents say, and what is said to them, is never held.

    \b
    Examples:
      caxton break add 'from:buyer act:accept-proposal'
      caxton break add 'to:seller-ann act:cfp' --once
      caxton break add '~"price.*9"' --name nines --for 10m
    """
    if once and count is not None:
        raise ConfigurationError("--once and --count contradict each other", hint="leave one of them out")
    with connection.client(project) as caxton:
        point = caxton.add_break(filter, name=name, count=1 if once else count, duration=duration)
    if output is not Format.TEXT:
        document(point, output)
        return
    talk(f"{point.id} holds {safe(point.filter) or 'every message'}; see: caxton break held")


@app.command("list")
def list_breaks(project: Project = None, output: Output = Format.TEXT) -> None:
    """List break points, with how often each has hit and how many messages it holds.

    \b
    Examples:
      caxton break list
    """
    with connection.client(project) as caxton:
        listing(
            caxton.breaks(),
            output,
            [
                ("ID", lambda p: p.id),
                ("NAME", lambda p: p.name),
                ("HITS", lambda p: p.hits),
                ("HELD", lambda p: p.held),
                ("ENDS", _ends),
                ("MADE", lambda p: text_of(p.created_at)),
                ("BY", lambda p: p.by),
                ("FILTER", lambda p: p.filter or "(every message)"),
            ],
            "no break points; make one: caxton break add FILTER",
        )


@app.command()
def rm(
    id: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="Its id or its name.", autocompletion=_breaks),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every break point.")] = False,
    release: Annotated[bool, typer.Option("--release", help="Release what it holds.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Drop what it holds.")] = False,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Remove a break point. What it holds stays held, unless --release or --drop is said.

    \b
    Examples:
      caxton break rm b1 --release
      caxton break rm --all --drop
    """
    if (id is None) is not everything:
        raise ConfigurationError("name one break point, or say --all", hint="see: caxton break list")
    if release and drop:
        raise ConfigurationError("--release and --drop contradict each other", hint="leave one of them out")
    then = "release" if release else "drop" if drop else None
    with connection.client(project) as caxton:
        gone: ManyGone | BreakGone
        if id is None:
            gone = caxton.remove_breaks(then=then)
            what = plural(gone.break_points, "break point")
        else:
            gone = caxton.remove_break(id, then=then)
            what = safe(gone.id)
    if output is not Format.TEXT:
        document(gone, output)
        return
    done = f", {plural(gone.messages, 'message')} {_DONE[then]}" if then is not None else ""
    left = (
        f"; {plural(gone.held, 'message')} {'stays' if gone.held == 1 else 'stay'} held: caxton break held"
        if gone.held
        else ""
    )
    talk(f"{what} gone{done}{left}")


# ---------------------------------------------------------------------- held messages


@app.command()
def held(
    of_break: OfBreak = None,
    conversation: OfTalk = None,
    after: Annotated[int, typer.Option("--after", metavar="SEQ", min=0, help="Only those after it.")] = 0,
    limit: Limit = 50,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """List what is held, oldest first.

    \b
    Examples:
      caxton break held
      caxton break held --break b1 -o json
    """
    with connection.client(project) as caxton:
        found = caxton.held(after=after, conversation=conversation, break_id=of_break, limit=limit)
        total = caxton.status().held.messages
    listing(
        found,
        output,
        [
            ("SEQ", lambda h: h.seq),
            ("STATE", _state),
            ("BY", lambda h: h.break_id),
            ("FROM", lambda h: short(h.message.sender)),
            ("ACT", lambda h: h.message.performative),
            ("TO", lambda h: ", ".join(short(name) for name in h.message.receiver)),
            ("CONVERSATION", lambda h: safe(h.message.conversation_id)),
            ("CONTENT", lambda h: compact(h.message.content, 60)),
        ],
        "nothing is held",
    )
    if len(found) == limit < total:
        talk(f"{total} are held; go on with --after {found[-1].seq}")


@app.command()
def show(seq: Seq, project: Project = None, output: Output = Format.TEXT) -> None:
    """Show one message that is or was held: as it was sent, as it is now, and its number after its release.

    \b
    Examples:
      caxton break show 12
    """
    with connection.client(project) as caxton:
        found = caxton.held_message(seq)
    if output is not Format.TEXT:
        document(found, output)
        return
    message = found.message
    rows = [
        ("state", _state(found) + (f", as message {found.went_on}" if found.went_on else "")),
        ("held since", text_of(found.at)),
        ("break point", found.break_id or "none: it waits behind another"),
        ("message", f"{short(message.sender)} {message.performative} → {_names(message)}"),
        ("conversation", message.conversation_id),
    ]
    rows += [
        (key, message.json[key])
        for key in ("protocol", "reply_with", "in_reply_to", "reply_by")
        if key in message.json
    ]
    for key, text in rows:
        say(f"{key:<13} {safe(text)}")
    document(message.content, Format.JSON)
    if found.edited:
        said = found.said
        say(f"{'it was':<13} {safe(said.performative)} → {safe(_names(said))}")
        document(said.content, Format.JSON)


@app.command()
def release(
    seq: SomeSeq = None,
    everything: All = False,
    following: Next = False,
    of_break: OfBreak = None,
    conversation: OfTalk = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Release held messages as they are now: one, the next, or all in their order.

    \b
    Examples:
      caxton break release 12
      caxton break release --next
      caxton break release --all --break b1
    """
    _let_go("release", seq, everything, following, of_break, conversation, project, output)


@app.command()
def drop(
    seq: SomeSeq = None,
    everything: All = False,
    following: Next = False,
    of_break: OfBreak = None,
    conversation: OfTalk = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Drop held messages: nobody gets them, and their sender gets a failure that says so.

    \b
    Examples:
      caxton break drop 12
      caxton break drop --all --conversation market-1
    """
    _let_go("drop", seq, everything, following, of_break, conversation, project, output)


@app.command()
def delay(
    seq: Seq,
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
    seconds(duration)
    with connection.client(project) as caxton:
        found = caxton.delay(seq, duration)
    if output is not Format.TEXT:
        document(found, output)
        return
    talk(f"{seq} goes on at {text_of(found.due_at) if found.due_at else 'once'}")


@app.command()
def edit(
    seq: Seq,
    performative: Annotated[
        str | None, typer.Option("--performative", help="Another performative.", autocompletion=_acts)
    ] = None,
    to: Receivers = None,
    content: Annotated[
        str | None,
        typer.Option("--content", metavar="JSON|@FILE|-", help="New content; - reads stdin."),
    ] = None,
    editor: Annotated[bool, typer.Option("--editor", help="Edit it in $VISUAL or $EDITOR.")] = False,
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
    change: dict[str, Any] = {}
    if performative is not None:
        change["performative"] = performative
    if to is not None:
        change["receiver"] = [name for name in to.split(",") if name]
    if content is not None:
        change["content"] = json_argument(content, "--content")
    with connection.client(project) as caxton:
        if editor:
            change = _edited(caxton, seq, change)
        if not change:
            raise ConfigurationError(
                "nothing is changed", hint="say --content, --performative or --to, or change it with --editor"
            )
        found = caxton.edit(seq, change)
        gone = caxton.release(seq) if then_release else None
    if output is not Format.TEXT:
        document(gone or found, output)
        return
    talk(f"{seq} is changed" + (f" and went on as {gone.went_on}" if gone else "; it is still held"))


_DONE = {"release": "released", "drop": "dropped"}


def _let_go(
    step: str,
    seq: int | None,
    everything: bool,
    following: bool,
    of_break: str | None,
    conversation: str | None,
    project: Path | None,
    output: Format,
) -> None:
    """Release or drop, one or several."""
    if (seq is not None) + everything + following != 1:
        raise ConfigurationError("name one message, or say --next or --all", hint="see: caxton break held")
    with connection.client(project, timeout_s=60.0) as caxton:
        if seq is not None:
            one = caxton.release(seq) if step == "release" else caxton.drop(seq)
            gone: HeldGone | ManyGone = one
            text = f"{seq} {_DONE[step]} as {one.went_on}"
        else:
            act = caxton.release_some if step == "release" else caxton.drop_some
            gone = some = act(break_id=of_break, conversation=conversation, following=following)
            text = f"{plural(some.messages, 'message')} {_DONE[step]}"
    if output is not Format.TEXT:
        document(gone, output)
        return
    talk(f"{text}; {gone.held} held")


def _edited(caxton: Client, seq: int, change: dict[str, Any]) -> dict[str, Any]:
    """What a person has made of a message in the editor; empty where nothing was changed."""
    message = caxton.held_message(seq).message
    before = {key: message.json.get(key) for key in ("performative", "receiver", "content")}
    text = edited(json.dumps(before | change, indent=2, ensure_ascii=False), ".json")
    after = json_value(text, "what was written")
    if not isinstance(after, dict):
        raise ConfigurationError("what was written is no JSON object", hint="keep the three fields")
    fields = cast("dict[str, Any]", after)
    return {key: value for key, value in fields.items() if key not in before or before[key] != value}


def _ends(point: BreakBody) -> str:
    if point.ended:
        return f"ended: {point.ended}"
    parts = [f"after {point.count}"] if point.count else []
    return ", ".join(parts + ([text_of(point.until_at)] if point.until_at else []))


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
