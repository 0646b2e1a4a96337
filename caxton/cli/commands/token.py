"""`caxton token`: who may come in over the network, and what each may do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import connection, list_view
from caxton.cli.input import secret_file
from caxton.cli.lazy import lazy
from caxton.cli.list_view import ListView
from caxton.cli.options import Project, command_app, duration_option, duration_text, one_of
from caxton.cli.output.columns import Column
from caxton.cli.output.printing import say, talk

if TYPE_CHECKING:
    from caxton import access, daemon_socket
else:
    access, daemon_socket = lazy("caxton.access", "caxton.daemon_socket")

app = command_app("Let others in over the network: make tokens, end them.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The token's name, or its id.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the secret there (mode 0600) instead of printing it."),
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is; it stands in the audit trail.")],
    role: Annotated[
        str,
        typer.Option(
            "--role",
            metavar="ROLE",
            help="viewer reads, operator sends and holds, developer deploys, admin does everything.",
            autocompletion=one_of("viewer", "operator", "developer", "admin"),
        ),
    ] = "viewer",
    agents: Annotated[
        list[str] | None,
        typer.Option(
            "--agents",
            metavar="PATTERN",
            help="Agents that it holds for, by name; may be several.  [default: *]",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        duration_option("--expires", "After how long it ends.  [default: never]", duration_text),
    ] = None,
    out: Out = None,
    project: Project = None,
) -> None:
    """Make a token. Its secret is printed this once; only its hash is kept.

    Where no daemon runs, the token is there when it starts.

    \b
    Examples:
      caxton token create alice --role operator
      caxton token create ci --role developer --agents 'seller-*' --expires 30d --out ci.token
    """
    state = connection.folder(project) / connection.STATE if connection.is_local(project) else None
    if state is not None and not daemon_socket.is_held(state):
        tokens = access.Tokens(daemon_socket.private_folder(state), now_us)
        until_us = access.expiry(expires, now_us())
        secret = tokens.create(name, access.role_of(role), agents or ["*"], until_us, "owner")[1]
    else:
        with connection.client(project) as caxton:
            secret = caxton.create_token(name, role, agents=agents or ("*",), expires=expires).secret
    _hand_over(secret, out)
    talk(f"the token {name!r} is shown this once; its holder sends it as: Authorization: Bearer cxt_…")


@app.command("list")
@list_view.options
def list_tokens(view: ListView, project: Project = None) -> None:
    """List the tokens: whose, what they may, until when, and when and from where each was last used.

    \b
    Examples:
      caxton token list
      caxton token list -o jsonl | jq -r 'select(.used_at == null) | .name'
    """
    with connection.client(project) as caxton:
        view.show(
            caxton.tokens,
            [
                Column("NAME", lambda t: t.name, rank=0),
                ("ID", lambda t: t.id),
                ("ROLE", lambda t: t.role),
                ("AGENTS", lambda t: " ".join(t.agents)),
                ("STATE", lambda t: t.state),
                ("EXPIRES", lambda t: t.expires_at or "never"),
                ("USED", lambda t: t.used_at or "never"),
                ("FROM", lambda t: t.used_from or "-"),
            ],
            "there are no tokens; make one with: caxton token create NAME",
        )


@app.command()
def rotate(name: Name, out: Out = None, project: Project = None) -> None:
    """Give a token a new secret. The old one is worth nothing at once, and its open streams end.

    \b
    Examples:
      caxton token rotate ci --out ci.token
    """
    with connection.client(project) as caxton:
        _hand_over(caxton.rotate_token(name).secret, out)


@app.command()
def revoke(name: Name, project: Project = None) -> None:
    """End a token at once, its open streams too.

    \b
    Examples:
      caxton token revoke alice
    """
    with connection.client(project) as caxton:
        ended = caxton.revoke_token(name)
    talk(f"the token {ended.name!r} ({ended.id}) is revoked")


def now_us() -> int:
    """The wall clock, as tokens have it."""
    return time.time_ns() // 1000


def _hand_over(secret: str, out: Path | None) -> None:
    if out is None:
        say(secret)
        return
    secret_file.write(out, secret)
    talk(f"written to {out}, which only you may read")
