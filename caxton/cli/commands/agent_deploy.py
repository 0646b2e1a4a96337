"""`caxton agent deploy`: bring a module to an agent, by whichever strategy; and what that would change."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caxton.cli import connection
from caxton.cli.commands.deploy import follow, tell, tell_plan
from caxton.cli.input.json_argument import json_argument
from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, duration_option
from caxton.errors import ConfigurationError

if TYPE_CHECKING:
    from caxton.cli import python_runtime
else:
    (python_runtime,) = lazy("caxton.cli.python_runtime")


class Strategy(StrEnum):
    """How a new revision takes over."""

    DIRECT = "direct"
    BLUE_GREEN = "blue-green"
    CANARY = "canary"
    SHADOW = "shadow"


def deploy(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME] FILE",
            help="Name of the agent (a-z, 0-9, '.', '_', '-') and its module, .wasm or .wat, or Python source, .py.",
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
        Strategy, typer.Option("--strategy", help="How the new revision takes over.")
    ] = Strategy.DIRECT,
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
            help="Good turns of the new revision until the old one ends (blue-green).",
        ),
    ] = None,
    warm_up: Annotated[
        float | None,
        duration_option("--warm-up", "Time after which the old one ends anyway (blue-green)."),
    ] = None,
    drain: Annotated[
        bool, typer.Option("--drain", help="Conversations under way end on the old revision (blue-green).")
    ] = False,
    drain_for: Annotated[
        float | None,
        duration_option("--drain-for", "How long that may take at most."),
    ] = None,
    canary_stages: Annotated[
        str | None,
        typer.Option(
            "--canary-stages",
            metavar="STAGES",
            help="Percentages of the new conversations and durations, such as 5:5m,25:10m,50:10m.",
        ),
    ] = None,
    rollback_on: Annotated[
        str | None,
        typer.Option(
            "--rollback-on",
            metavar="CONDITIONS",
            help="When a canary is rolled back, such as 'error_rate>1%,p99>100ms,fuel>+20%,violations>0'.",
        ),
    ] = None,
    shadow_for: Annotated[
        float | None,
        duration_option("--shadow-for", "How long a shadow runs."),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare", metavar="WHAT", help="What a shadow is compared in: output, errors, fuel, time."
        ),
    ] = None,
    probe: Annotated[
        bool,
        typer.Option("--probe/--no-probe", help="Whether the new revision is probed before any traffic."),
    ] = True,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until a canary, a shadow or a drain has ended.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would change; nothing is done.")
    ] = False,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Deploy a module as an agent.

    An agent that is there moves to the new revision between two turns; its mailbox and its conversations
    stay. With every strategy its memory goes over: carried, where both revisions have the hooks for it; else
    rebuilt, by running what the agent did once more; or fresh, with --fresh-state. Before any message goes to
    it the new revision is checked in four steps: static, sandbox, contract, resources.

    \b
    Strategies:
      direct      the new revision takes over at once
      blue-green  the old one stands by during the first turns, and comes back if one fails; with --drain
                  both live until the conversations under way are over
      canary      both live; stage by stage the new one speaks in more conversations, and is taken back by
                  itself when a condition of --rollback-on is met
      shadow      both live; the new one handles a copy of all messages, what it says is compared and dropped

    \b
    Examples:
      caxton agent deploy echo echo.wat
      caxton agent deploy echo.wat --name echo
      caxton agent deploy counter agent.py
      caxton agent deploy seller-ann seller.wasm --settings '{"price": 40}'
      caxton agent deploy seller-ann seller.wasm --settings @ann.json --limit fuel=1000000 --plan
      caxton agent deploy seller-ann seller.wasm --strategy blue-green --probation 20
      caxton agent deploy seller-ann seller.wasm --strategy canary --canary-stages 5:5m,25:10m,50:10m
      caxton agent deploy seller-ann seller.wasm --strategy shadow --shadow-for 10m
    """
    *before, file = words
    if len(before) + (name is not None) != 1:
        raise ConfigurationError(
            "an agent has one name and one module", hint="caxton agent deploy FILE --name NAME"
        )
    name, code = name or before[0], python_runtime.module_of(Path(file))
    how: dict[str, Any] = {
        "drain": drain or drain_for is not None,
        "drain_s": drain_for,
        "canary_stages": canary_stages,
        "rollback_on": rollback_on,
        "shadow_s": shadow_for,
        "compare": compare,
        "probe": None if probe else False,
    }
    _fits(strategy, {**how, "probation": probation, "warm_up": warm_up})
    with connection.client(project, timeout_s=60.0) as caxton:
        if plan:
            made = caxton.plan(
                name,
                code,
                settings=_settings(settings),
                limits=_limits(limit or []),
                profile=profile,
                strategy=strategy,
                how=how,
            )
            tell_plan(made, output)
            return
        answer = caxton.deploy(
            name,
            code,
            settings=_settings(settings),
            limits=_limits(limit or []),
            profile=profile,
            strategy=strategy,
            fresh_state=fresh_state,
            probation_turns=probation,
            probation_s=warm_up,
            how=how,
        )
        if wait:
            answer = follow(caxton, answer)
    tell(answer, output)


_OF: dict[str, tuple[str, Strategy]] = {
    "probation": ("--probation", Strategy.BLUE_GREEN),
    "warm_up": ("--warm-up", Strategy.BLUE_GREEN),
    "drain": ("--drain", Strategy.BLUE_GREEN),
    "canary_stages": ("--canary-stages", Strategy.CANARY),
    "rollback_on": ("--rollback-on", Strategy.CANARY),
    "shadow_s": ("--shadow-for", Strategy.SHADOW),
    "compare": ("--compare", Strategy.SHADOW),
}


def _fits(strategy: Strategy, given: dict[str, Any]) -> None:
    """Raises ConfigurationError for an option that the strategy would ignore."""
    for key, (option, its) in _OF.items():
        if given[key] not in (None, False) and strategy is not its:
            raise ConfigurationError(
                f"{option} belongs to {its}, and the strategy is {strategy}", hint=f"add --strategy {its}"
            )


def _settings(text: str | None) -> dict[str, Any] | None:
    """The settings written on the command line or in the file that it names."""
    if text is None:
        return None
    value = json_argument(text, "--settings")
    if not isinstance(value, dict):
        raise ConfigurationError("--settings must be a JSON object", hint="""for example '{"price": 40}'""")
    return value  # pyright: ignore[reportUnknownVariableType]


def _limits(pairs: list[str]) -> dict[str, Any] | None:
    """`key=value` pairs as a table; the daemon knows the limits and reads sizes and durations."""
    table: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigurationError(
                f"--limit {pair!r} is not KEY=VALUE", hint="for example --limit fuel=1000000"
            )
        table[key] = int(value.replace("_", "")) if value.replace("_", "").isdigit() else value
    return table or None
