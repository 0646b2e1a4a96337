"""`caxton df`: who offers what, as the directory facilitator knows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from caxton.cli import connection, list_view
from caxton.cli.input.json_argument import json_value
from caxton.cli.list_view import ListView
from caxton.cli.options import Project, command_app
from caxton.cli.output.columns import Column
from caxton.errors import ConfigurationError
from caxton.presentation.json_line import compact
from caxton.presentation.times import local_time
from caxton.schemas.daemon import DfEntryBody

app = command_app("Find agents by what they offer.")


@app.command("list")
@list_view.options
def list_entries(view: ListView, project: Project = None) -> None:
    """List every agent that has registered with the directory facilitator, the oldest first.

    \b
    Examples:
      caxton df list
      caxton df list -o jsonl | jq -r .name
    """
    with connection.client(project) as caxton:
        _show(caxton.df_entries, view, "nobody is registered; agents register with df by a message")


@app.command()
@list_view.options
def search(
    view: ListView,
    type: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", help="It offers a service of this type; may be repeated."),
    ] = None,
    service: Annotated[
        str | None, typer.Option("--service", metavar="NAME", help="It offers a service of this name.")
    ] = None,
    property: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            metavar="NAME[=VALUE]",
            help="That service has this property; the value is JSON, or text; may be repeated.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="AGENT", help="It is this agent.")] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option("--protocol", metavar="NAME", help="It speaks this protocol; may be repeated."),
    ] = None,
    ontology: Annotated[
        list[str] | None,
        typer.Option("--ontology", metavar="NAME", help="It knows this ontology; may be repeated."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", metavar="NAME", help="It reads this language; may be repeated."),
    ] = None,
    max_results: Annotated[
        int | None, typer.Option("--max-results", metavar="N", help="Maximum number, the oldest first.")
    ] = None,
    project: Project = None,
) -> None:
    """Find registered agents; each must match every option.

    --service and --property belong to the service of the first --type.

    \b
    Examples:
      caxton df search --type bookselling
      caxton df search --type bookselling --property price=40 --protocol fipa-contract-net
      caxton df search --language json --max-results 1 -o json
    """
    services: list[dict[str, Any]] = [{"type": one} for one in type or []]
    if service is not None or property:
        first = services[0] if services else {}
        if service is not None:
            first["name"] = service
        if property:
            first["properties"] = [_property(one) for one in property]
        services = [first, *services[1:]]
    said = {
        "name": name,
        "services": services,
        "protocols": protocol,
        "ontologies": ontology,
        "languages": language,
    }
    description = {key: value for key, value in said.items() if value}
    constraints = None if max_results is None else {"max-results": max_results}
    with connection.client(project) as caxton:
        _show(lambda: caxton.df_search(description, constraints), view, "nobody who is registered matches")


@app.command()
@list_view.options
def subscriptions(view: ListView, project: Project = None) -> None:
    """List who is notified when the result of a search changes.

    \b
    Example:
      caxton df subscriptions
    """
    with connection.client(project) as caxton:
        view.show(
            caxton.df_subscriptions,
            [
                ("SUBSCRIBER", lambda s: s.subscriber),
                ("SINCE", lambda s: s.since),
                ("CONVERSATION", lambda s: s.conversation_id),
                (
                    "SEARCH",
                    lambda s: s.content if isinstance(s.content, str) else compact(s.content),
                ),
            ],
            "nobody has subscribed",
        )


def _show(ask: Callable[[], list[DfEntryBody]], view: ListView, empty: str) -> None:
    view.show(
        ask,
        [
            ("AGENT", lambda e: e.name),
            ("SERVICES", lambda e: ", ".join(map(_service, e.description.get("services", []))) or "-"),
            ("PROTOCOLS", lambda e: ", ".join(e.description.get("protocols", [])) or "-"),
            ("LANGUAGES", lambda e: ", ".join(e.description.get("languages", [])) or "-"),
            Column("EXPIRES", lambda e: e.expires_at, lambda at: local_time(at) if at else "never"),
        ],
        empty,
    )


def _service(service: dict[str, Any]) -> str:
    """A service in short: its type, its name, its properties."""
    head = service.get("type") or service.get("name", "")
    if "type" in service and "name" in service:
        head += f" {service['name']}"
    pairs = [f"{one['name']}={compact(one.get('value'))}" for one in service.get("properties", [])]
    return f"{head} ({', '.join(pairs)})" if pairs else head


def _property(text: str) -> dict[str, Any]:
    """`price=40` as FIPA's property; `price` alone is one of any value."""
    name, equals, value = text.partition("=")
    if not name:
        raise ConfigurationError(
            f"--property {text!r} has no name", hint="for example --property price=40, or --property price"
        )
    if not equals:
        return {"name": name}
    try:
        json.loads(value, parse_int=str)
    except json.JSONDecodeError:
        return {"name": name, "value": value}
    except RecursionError:
        pass  # it is JSON, and refused in the next line
    return {"name": name, "value": json_value(value, f"--property {name}")}
