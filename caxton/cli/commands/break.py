"""`caxton break`: hold messages that match a filter, look at them, change them, let them go."""

from __future__ import annotations

from typing import Annotated

import typer

from caxton.cli import connection, list_view
from caxton.cli.commands import break_held
from caxton.cli.commands.break_held import DONE, breaks
from caxton.cli.list_view import ListView
from caxton.cli.options import Format, Output, Project, command_app, duration_option, duration_text
from caxton.cli.output.printing import plural, safe, told
from caxton.errors import ConfigurationError
from caxton.finding import BOUNDED, FIELDS
from caxton.schemas.held import BreakBody, BreakGone, ManyGone
from caxton.schemas.shape import text_of

app = command_app("Hold messages on their way, edit them, release them.")


def _fields(incomplete: str) -> list[str]:
    done, space, last = incomplete.rpartition(" ")
    fields = (field for field in FIELDS if field not in ("state", *BOUNDED))
    return [f"{done}{space}{field}:" for field in fields if field.startswith(last)]


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
        duration_option("--for", "It ends after this time.", duration_text),
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
    told(point, output, f"{point.id} holds {safe(point.filter) or 'every message'}; see: caxton break held")


@app.command("list")
@list_view.options
def list_breaks(view: ListView, project: Project = None) -> None:
    """List break points, with how often each has hit and how many messages it holds.

    \b
    Examples:
      caxton break list
    """
    with connection.client(project) as caxton:
        view.show(
            caxton.breaks,
            [
                ("ID", lambda p: p.id),
                ("NAME", lambda p: p.name),
                ("HITS", lambda p: p.hits),
                ("HELD", lambda p: p.held),
                ("ENDS", _ends),
                ("MADE", lambda p: p.created_at),
                ("BY", lambda p: p.by),
                ("FILTER", lambda p: p.filter or "(every message)"),
            ],
            "no break points; make one: caxton break add FILTER",
        )


@app.command()
def rm(
    id: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="Its id or its name.", autocompletion=breaks),
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
    done = f", {plural(gone.messages, 'message')} {DONE[then]}" if then is not None else ""
    left = (
        f"; {plural(gone.held, 'message')} {'stays' if gone.held == 1 else 'stay'} held: caxton break held"
        if gone.held
        else ""
    )
    told(gone, output, f"{what} gone{done}{left}")


def _ends(point: BreakBody) -> str:
    if point.ended:
        return f"ended: {point.ended}"
    parts = [f"after {point.count}"] if point.count else []
    return ", ".join(parts + ([text_of(point.until_at)] if point.until_at else []))


app.command()(break_held.held)
app.command()(break_held.show)
app.command("release", help=break_held.RELEASE)(break_held.let_go)
app.command("drop", help=break_held.DROP)(break_held.let_go)
app.command()(break_held.delay)
app.command()(break_held.edit)
