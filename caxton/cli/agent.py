"""`caxton agent`: deploy agents, look at them, stop and start them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from caxton.cli.options import AgentName, Format, Limit, Output, Project

LOGS_READ = 10_000
"""The API gives logs from the oldest on; so many are read to find the newest."""

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Deploy, look at, stop and start agents.",
)


@app.command()
def deploy(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME] FILE",
            help="Name of the agent (a-z, 0-9, '.', '_', '-') and its module, .wasm or .wat.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the agent, where FILE stands alone.")
    ] = None,
    settings: Annotated[
        str | None,
        typer.Option(
            "--settings", metavar="JSON|@FILE", help="What the agent gets at its start, a JSON object."
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit", metavar="KEY=VALUE", help="A limit, such as memory_bytes=32MiB; may be repeated."
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="Wasm features: standard or strict.")
    ] = "standard",
    strategy: Annotated[
        str, typer.Option("--strategy", help="How the new revision takes over: direct or blue-green.")
    ] = "direct",
    fresh_state: Annotated[
        bool, typer.Option("--fresh-state", help="Begin without the old revision's state.")
    ] = False,
    probation: Annotated[
        int | None,
        typer.Option(
            "--probation",
            metavar="TURNS",
            min=1,
            max=1000,
            help="Good turns of the new revision until the old one goes (blue-green).",
        ),
    ] = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Deploy a module as an agent.

    An agent that is there moves to the new revision between two turns; its mailbox and its conversations
    stay. Where the module has snapshot hooks its state is carried over. With --strategy blue-green the old
    revision stands by during the first turns of the new one, and comes back if one of them fails.

    \b
    Examples:
      caxton agent deploy echo echo.wat
      caxton agent deploy echo.wat --name echo
      caxton agent deploy seller-ann seller.wasm --settings '{"price": 40}'
      caxton agent deploy seller-ann seller.wasm --settings @ann.json --limit fuel=1000000
      caxton agent deploy seller-ann seller.wasm --strategy blue-green --probation 20
    """
    from caxton.cli import place
    from caxton.errors import ConfigurationError

    *before, file = words
    if len(before) + (name is not None) != 1:
        raise ConfigurationError(
            "an agent has one name and one module", hint="caxton agent deploy FILE --name NAME"
        )
    name, module = name or before[0], Path(file)
    try:
        code = module.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{module} cannot be read: {error.strerror}", hint="give the path of a .wasm or .wat file"
        ) from error
    with place.client(project, timeout_s=60.0) as caxton:
        answer = caxton.deploy(
            name,
            code,
            settings=_settings(settings),
            limits=_limits(limit or []),
            profile=profile,
            strategy=strategy,
            fresh_state=fresh_state,
            probation_turns=probation,
        )
    from caxton.cli.deploy import tell

    tell(answer, output)


@app.command("list")
def list_agents(project: Project = None, output: Output = Format.TEXT) -> None:
    """List the agents of the running daemon.

    \b
    Examples:
      caxton agent list
      caxton agent list -o jsonl | jq -r 'select(.state == "failed") | .name'
    """
    from caxton.cli import place
    from caxton.cli.output import listing, size

    with place.client(project) as caxton:
        listing(
            caxton.agents(),
            output,
            [
                ("NAME", lambda a: a["name"]),
                ("STATE", lambda a: a["state"]),
                ("REVISION", lambda a: (a["revision"] or "-")[:12]),
                ("CELL", lambda a: a["cell"]),
                ("WAITING", lambda a: a["mailbox"]),
                ("TURNS", lambda a: a["turns"]),
                ("FAILED", lambda a: a["failed_turns"]),
                ("SENT", lambda a: a["sent"]),
                ("MEMORY", lambda a: size((a["memory_kib"] or 0) * 1024)),
                ("RESTARTS", lambda a: a["restarts"]),
                ("LAST ERROR", lambda a: a["last_error"] or ""),
            ],
            "no agents; deploy one: caxton agent deploy NAME FILE",
        )


@app.command()
def show(name: AgentName, project: Project = None, output: Output = Format.TEXT) -> None:
    """Show one agent: its state, revision, limits, settings and meters.

    \b
    Examples:
      caxton agent show echo
      caxton agent show echo -o json
    """
    from caxton.cli import place
    from caxton.cli.output import colour_wanted, compact, document, paint, safe, say, state_style

    with place.client(project) as caxton:
        agent = caxton.agent(name)
    if output is not Format.TEXT:
        document(agent, output)
        return
    wanted = colour_wanted()
    for key, value in agent.items():
        label = paint(f"{key.replace('_', ' '):<14}", "bold", wanted)
        match value:
            case dict() if value:
                say(label.rstrip())
                for inner, one in cast("dict[str, object]", value).items():
                    say(f"  {safe(inner):<14} {f'{one:,}' if isinstance(one, int) else compact(one)}")
            case dict() | list():
                words = ", ".join(safe(one) for one in cast("list[object]", value))
                say(f"{label} {words or '-'}")
            case int():
                say(f"{label} {value:,}")
            case _:
                text = safe("-" if value is None else value)
                say(f"{label} {paint(text, state_style(value), wanted)}")


@app.command()
def stop(
    name: AgentName,
    now: Annotated[
        bool, typer.Option("--now", help="Only finish the present turn; what waits becomes dead letters.")
    ] = False,
    project: Project = None,
) -> None:
    """Stop an agent when it has handled what waits.

    It takes nothing new from then on, and stays stopped over a restart of the daemon.

    \b
    Examples:
      caxton agent stop seller-ann
      caxton agent stop seller-ann --now
    """
    _change(project, name, "stop" if now else "drain")


@app.command()
def start(name: AgentName, project: Project = None) -> None:
    """Start an agent that was stopped or has failed.

    \b
    Example:
      caxton agent start seller-ann
    """
    _change(project, name, "start")


@app.command()
def suspend(name: AgentName, project: Project = None) -> None:
    """Let an agent take no turn; its mail waits in its mailbox.

    The turns that its cell has already are finished first. It stays suspended over a restart of the daemon.

    \b
    Example:
      caxton agent suspend seller-ann
    """
    _change(project, name, "suspend")


@app.command()
def resume(name: AgentName, project: Project = None) -> None:
    """Let a suspended agent go on; it handles what waited first.

    \b
    Example:
      caxton agent resume seller-ann
    """
    _change(project, name, "resume")


@app.command()
def restart(name: AgentName, project: Project = None) -> None:
    """Start an agent again in a new sandbox; what waits for it stays.

    Its state comes back from its snapshot where it has one.

    \b
    Example:
      caxton agent restart seller-ann
    """
    _change(project, name, "restart")


@app.command()
def remove(
    name: AgentName,
    project: Project = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove an agent. Its messages stay in the journal; those that wait for it become dead letters.

    \b
    Examples:
      caxton agent remove seller-ann
      caxton agent remove seller-ann --yes
    """
    import sys

    from caxton.cli import place
    from caxton.cli.output import safe, talk

    with place.client(project, timeout_s=60.0) as caxton:
        caxton.agent(name)
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Remove {safe(name)}?", abort=True, err=True)
        caxton.remove_agent(name)
    talk(f"{safe(name)}: removed")


@app.command()
def logs(
    name: AgentName,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new ones; end with Ctrl-C.")
    ] = False,
    limit: Limit = 100,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Show the newest lines of what an agent wrote to its log.

    \b
    Examples:
      caxton agent logs buyer
      caxton agent logs buyer --follow
    """
    from caxton.cli import place
    from caxton.cli.output import document, listing

    with place.client(project) as caxton:
        records = caxton.agent_logs(name, limit=LOGS_READ)[-limit:]
        if output is Format.TEXT:
            for record in records:
                _log_line(record)
        else:
            listing(records, Format.JSONL if follow else output, [], "")
        if follow:
            after = int(records[-1]["seq"]) if records else None
            for event in caxton.events(after=after, kinds=["log"], agent=name):
                if event.kind == "log" and output is Format.TEXT:
                    _log_line(_record(event.data))
                elif event.kind == "log":
                    document(_record(event.data), Format.JSONL)


def _record(event: dict[str, Any]) -> dict[str, Any]:
    """A log event in the shape of a listed log line."""
    fields = dict(event["body"])
    level, message = fields.pop("level"), fields.pop("message")
    return {"seq": event["seq"], "at": event["at"], "level": level, "message": message, "fields": fields}


def _log_line(record: dict[str, Any]) -> None:
    from caxton.cli.output import colour_wanted, paint, safe, say

    styles = {"error": "red", "warning": "yellow", "warn": "yellow", "debug": "dim"}
    level = str(record.get("level", "info"))
    say(
        f"{paint(safe(record['at']), 'dim', colour_wanted())} "
        f"{paint(f'{safe(level):<7}', styles.get(level), colour_wanted())} {safe(record.get('message', ''))}"
    )


def _change(project: Path | None, name: str, step: str) -> None:
    from caxton.cli import place
    from caxton.cli.output import safe, talk

    with place.client(project, timeout_s=60.0) as caxton:
        agent = caxton.change_agent(name, step)
    talk(f"{safe(name)}: {agent['state']}")


def _settings(text: str | None) -> dict[str, Any] | None:
    """The settings written on the command line or in the file that it names."""
    from caxton.cli.content import json_argument
    from caxton.errors import ConfigurationError

    if text is None:
        return None
    value = json_argument(text, "--settings")
    if not isinstance(value, dict):
        raise ConfigurationError("--settings must be a JSON object", hint="""for example '{"price": 40}'""")
    return value  # pyright: ignore[reportUnknownVariableType]


def _limits(pairs: list[str]) -> dict[str, Any] | None:
    """`key=value` pairs as a table; the daemon knows the limits and reads sizes and durations."""
    from caxton.errors import ConfigurationError

    table: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigurationError(
                f"--limit {pair!r} is not KEY=VALUE", hint="for example --limit fuel=1000000"
            )
        table[key] = int(value.replace("_", "")) if value.replace("_", "").isdigit() else value
    return table or None
