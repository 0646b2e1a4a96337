"""`caxton context`: daemons elsewhere by name, and which of them commands talk to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import list_view
from caxton.cli.lazy import lazy
from caxton.cli.list_view import ListView
from caxton.cli.options import command_app
from caxton.cli.output.columns import Column
from caxton.cli.output.printing import talk

if TYPE_CHECKING:
    from caxton.client import contexts
else:
    (contexts,) = lazy("caxton.client.contexts")

app = command_app("Talk to daemons elsewhere: name them, choose one.")


def _names(incomplete: str) -> list[str]:
    known = contexts.read(contexts.place()).known
    return [one for one in (contexts.LOCAL, *(one.name for one in known)) if one.startswith(incomplete)]


Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the context.", autocompletion=_names)]


def _file(name: str, help: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        name, metavar="FILE", help=help, exists=True, dir_okay=False
    )
    return option


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for it.")],
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where it is, such as https://caxton.example:8443.")
    ],
    token_file: Annotated[Path | None, _file("--token-file", "The file with your token.")] = None,
    ca: Annotated[Path | None, _file("--ca", "Whose certificates to trust, if not the system's.")] = None,
    certificate: Annotated[Path | None, _file("--certificate", "Your own certificate.")] = None,
    key: Annotated[Path | None, _file("--key", "Your certificate's key.")] = None,
) -> None:
    """Give a daemon elsewhere a name. The token stays in its file; nothing is sent yet.

    \b
    Examples:
      caxton context add prod https://caxton.example:8443 --token-file ~/prod.token
      caxton context add tunnel http://127.0.0.1:8080 --token-file me.token
    """
    files = [str(one.resolve()) if one is not None else None for one in (token_file, ca, certificate, key)]
    path = contexts.place()
    contexts.write(path, contexts.read(path).with_one(contexts.Context(name, url.rstrip("/"), *files)))
    talk(f"added; commands talk to it after: caxton context use {name}")


@app.command()
def use(name: Name) -> None:
    """Let commands talk to that daemon from now on; `local` is the project that you are in, as before.

    --project goes before it, and CAXTON_URL too.

    \b
    Examples:
      caxton context use prod
      caxton context use local
    """
    path = contexts.place()
    chosen = contexts.read(path).using(name)
    contexts.write(path, chosen)
    where = "the daemon of the project that you are in" if chosen.used is None else chosen.find(name).url
    talk(f"commands talk to {where} now")


@app.command("list")
@list_view.options
def list_contexts(view: ListView) -> None:
    """List the daemons that have a name, and which one commands talk to.

    \b
    Examples:
      caxton context list
    """
    known = contexts.read(contexts.place())
    view.show(
        lambda: known.known,
        [
            Column("NAME", lambda c: c.name, rank=0),
            ("IN USE", lambda c: "yes" if c.name == known.used else ""),
            ("URL", lambda c: c.url),
            ("TOKEN FILE", lambda c: c.token_file or "-"),
        ],
        "there are no contexts; commands talk to the project that you are in",
    )


@app.command()
def remove(name: Name) -> None:
    """Forget a daemon elsewhere; the file with the token stays.

    \b
    Examples:
      caxton context remove prod
    """
    path = contexts.place()
    contexts.write(path, contexts.read(path).without(name))
    talk(f"the context {name!r} is gone")
