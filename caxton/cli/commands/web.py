"""`caxton web`: pages of conversations and the terminal interface in a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Project, command_app, duration_option
from caxton.cli.output.printing import say, talk
from caxton.errors import ConfigurationError

if TYPE_CHECKING:
    import pydantic

    from caxton import client as api
    from caxton import config as configuration
    from caxton.web import server
else:
    pydantic, api, configuration, server = lazy(
        "pydantic", "caxton.client", "caxton.config", "caxton.web.server"
    )

app = command_app()


@app.command()
def web(
    listen: Annotated[
        str,
        typer.Option("--listen", metavar="HOST:PORT", help="Where to listen; beyond loopback only with TLS."),
    ] = "127.0.0.1:8090",
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="Another name that browsers may use for it; repeatable."),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", metavar="FILE", help="The server's certificate.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="The certificate's private key.")
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only show: nothing is done to the daemon.")
    ] = False,
    sessions: Annotated[
        int, typer.Option("--sessions", min=1, max=100, help="Browsers that are in at a time.")
    ] = 8,
    idle: Annotated[
        float, duration_option("--idle", "How long nobody may do anything in a session before it ends.")
    ] = 1800.0,
    project: Project = None,
) -> None:
    """Serve conversations as pages, and the terminal interface, to a browser; ends with Ctrl-C.

    It prints a link that lets one browser in, once, within ten minutes, with your own rights; press Enter for
    another one. Others come in with a token of theirs, where the daemon listens on TCP, and may do what it allows.
    Each conversation has a page at /c/ID, which stays fresh and can be linked; all of them are listed at /c.

    \b
    Examples:
      caxton web
      caxton web --read-only --idle 8h
      caxton web --listen 0.0.0.0:8443 --host board.example --certificate tls.pem --key tls-key.pem
    """
    table = _table(listen, host or [], certificate, key)
    where = connection.place(project)
    with connection.client(project) as caxton:
        caxton.status()
    settings = server.WebSettings(
        listen=table,
        where=where,
        elsewhere=_elsewhere(where, project),
        read_only=read_only,
        sessions=sessions,
        idle_s=idle,
        project=connection.folder(project) if isinstance(where, Path) else None,
    )
    server.run(settings, talk, say)


def _table(
    listen: str, hosts: list[str], certificate: Path | None, key: Path | None
) -> configuration.ListenTable:
    pem, private = (None if one is None else str(one) for one in (certificate, key))
    try:
        return configuration.ListenTable(tcp=listen, hosts=hosts, certificate=pem, key=private)
    except pydantic.ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigurationError(said, hint="see: caxton web --help") from None


def _elsewhere(where: Path | api.Remote, project: Path | None) -> api.Remote | None:
    """The daemon's address for tokens of others."""
    if not isinstance(where, Path):
        return replace(where, token_file=None, certificate=None, key=None)
    found = configuration.load(connection.folder(project))
    listen = found.config.listen
    if listen.tcp is None or listen.address[1] == 0:
        return None
    authority = found.state / "tls" / "ca.pem"
    ca_file = authority if listen.certificate is not None and authority.exists() else None
    host = f"[{listen.address[0]}]" if ":" in listen.address[0] else listen.address[0]
    scheme = "https" if listen.certificate is not None else "http"
    return api.Remote(f"{scheme}://{host}:{listen.address[1]}", ca_file=ca_file)
