"""`caxton cert`: certificates for TLS between this project's daemon and its clients."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Project, command_app
from caxton.cli.output.printing import say, talk

if TYPE_CHECKING:
    from caxton.access import certificates
else:
    (certificates,) = lazy("caxton.access.certificates")

app = command_app("Make certificates for TLS with this project's daemon.")


@app.callback()
def cert() -> None:
    """Make certificates for TLS with this project's daemon."""


@app.command()
def init(
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="NAME", help="Name or address of the daemon's host; may be several."),
    ] = None,
    client: Annotated[
        list[str] | None,
        typer.Option("--client", metavar="NAME", help="A client to make one for; may be several."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where to.  [default: .caxton/tls]")
    ] = None,
    project: Project = None,
) -> None:
    """Make an authority of the project's own, the daemon's certificate, and one for each client.

    What is there stays: say it again with --client for one more. Needs the program openssl. What caxton.toml has to say
    then is printed.

    \b
    Examples:
      caxton cert init --host caxton.example --host 192.0.2.10
      caxton cert init --client ops
    """
    home = connection.folder(project)
    place = folder or home / connection.STATE / "tls"
    made = certificates.init(place, host or ["localhost", "127.0.0.1"], client or [])
    for one in made:
        talk(f"made {one}")
    if not made:
        talk(f"everything is in {place} already")
    resolved, base = place.resolve(), home.resolve()
    named = resolved.relative_to(base) if resolved.is_relative_to(base) else resolved
    lines = ["[listen]", f'certificate = "{named}/server.pem"', f'key = "{named}/server-key.pem"']
    if client:
        roles = ", ".join(f'"{one}" = "viewer"' for one in client)
        lines += [f'client_ca = "{named}/ca.pem"', f"subjects = {{ {roles} }}"]
    say("\n".join(lines))
