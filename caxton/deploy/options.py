"""How a deployment is to go: stages, conditions, times. What people write becomes values that have been checked.

In: text such as "5:5m,25:10m,50:10m,100" and "error_rate>1%,p99>100ms". Out: frozen values, or a ConfigurationError
that names the part that is wrong. They are written down with the deployment, so that it can go on after a restart.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from caxton.config import DeployTable
from caxton.duration import seconds
from caxton.errors import ConfigurationError

COMPARED: Final = ("output", "errors", "fuel", "time")
"""What a shadow can be compared in."""
MEASURES: Final = ("error_rate", "p99", "fuel", "violations")
"""What a canary can be taken back for."""
SECONDS_MAX: Final = 7 * 86_400.0

_CONDITION = re.compile(
    r"(?P<what>[a-z0-9_]+)\s*>\s*(?P<plus>\+?)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>%|us|ms|s|)"
)
_UNITS: Final = {
    ("error_rate", False): ("%",),
    ("error_rate", True): ("%",),
    ("p99", False): ("us", "ms", "s"),
    ("p99", True): ("%",),
    ("fuel", False): ("",),
    ("fuel", True): ("%",),
    ("violations", False): ("",),
}
"""Units of a measure, absolute and above the old revision's."""
_MICROSECONDS: Final = {"us": 1.0, "ms": 1e3, "s": 1e6}


class Probation(msgspec.Struct, frozen=True, kw_only=True):
    """How long a new revision may be taken back: until so many good turns, or so many seconds have passed."""

    turns: int = 5
    warm_up_s: float = 10.0


class Stage(msgspec.Struct, frozen=True):
    """For so long, so many of a hundred new conversations are the new revision's."""

    percent: float
    for_s: float


class Condition(msgspec.Struct, frozen=True):
    """A canary is taken back when this is so. `over` is in percent, microseconds, fuel or times; `above_old` where it
    is how much more than the old revision's."""

    what: str
    over: float
    above_old: bool
    text: str
    """As it was written."""


class DeploymentOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that may be said about how a deployment is to go; each strategy reads its own."""

    probation: Probation = Probation()
    drain: bool = False
    """Blue-green: conversations under way end on the old revision."""
    drain_s: float = 60.0
    """How long the old revision may take for that."""
    quiet_s: float = 5.0
    """How long those of them that have no protocol must have been silent for the old one to go before."""
    stages: tuple[Stage, ...] = (Stage(5, 300), Stage(25, 600), Stage(50, 600))
    rollback_on: tuple[Condition, ...] = (Condition("error_rate", 1.0, False, "error_rate>1%"),)
    min_turns: int = 20
    """Turns of a stage before it is judged; at its end it is judged in any case."""
    shadow_s: float = 300.0
    compare: tuple[str, ...] = COMPARED
    probe: bool = True
    """Whether a side instance is asked something before any traffic."""


def options_of(table: DeployTable) -> DeploymentOptions:
    """What `[deploy]` in caxton.toml says. Raises ConfigurationError that names the setting."""
    try:
        return DeploymentOptions(
            probation=Probation(turns=table.probation_turns, warm_up_s=table.probation_s),
            drain_s=table.drain_s,
            quiet_s=table.quiet_s,
            stages=stages(table.canary_stages),
            rollback_on=conditions(table.rollback_on),
            min_turns=table.canary_turns,
            shadow_s=table.shadow_s,
            compare=compared(table.compare),
            probe=table.probe,
        )
    except ConfigurationError as error:
        raise ConfigurationError(f"[deploy]: {error.message}", hint=error.hint) from None


def with_changes(options: DeploymentOptions, **changes: Any) -> DeploymentOptions:
    """The same options, but for the given fields that are not None."""
    given = {key: value for key, value in changes.items() if value is not None}
    return msgspec.structs.replace(options, **given) if given else options


def stages(text: str) -> tuple[Stage, ...]:
    """`PERCENT:DURATION`, separated by commas, going up; a last `100` without a duration may stand for what comes
    after anyway. Raises ConfigurationError."""
    made: list[Stage] = []
    parts = [part.strip() for part in text.split(",")]
    for place, part in enumerate(parts):
        percent, colon, span = part.partition(":")
        try:
            share = float(percent.strip().removesuffix("%"))
            for_s = seconds(span) if colon else 0.0
        except ValueError:
            raise _stage_error(part, "is not PERCENT:DURATION") from None
        if not 0 < share <= 100:
            raise _stage_error(part, "is not above 0 and at most 100 percent")
        if made and share <= made[-1].percent:
            raise _stage_error(part, "does not go up from the stage before")
        if not colon:
            if share != 100 or place != len(parts) - 1:
                raise _stage_error(part, "has no duration")
            break
        if not 0 < for_s <= SECONDS_MAX:
            raise _stage_error(part, "lasts not more than 0 s and at most 7 days")
        made.append(Stage(share, for_s))
    if not made:
        raise _stage_error(text, "has no stage that lasts")
    return tuple(made)


def conditions(text: str) -> tuple[Condition, ...]:
    """`MEASURE>NUMBER`, separated by commas; `+` before a percentage means above the old revision's; empty for none.
    Raises ConfigurationError."""
    return tuple(_condition(part.strip()) for part in text.split(",") if part.strip())


def compared(text: str) -> tuple[str, ...]:
    """What a shadow is compared in, separated by commas. Raises ConfigurationError."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    wrong = next((name for name in names if name not in COMPARED), None)
    if wrong is not None or not names:
        raise ConfigurationError(
            f"a shadow cannot be compared in {wrong or text!r}", hint=f"there are: {', '.join(COMPARED)}"
        )
    return names


def _condition(part: str) -> Condition:
    found = _CONDITION.fullmatch(part)
    if found is None:
        raise ConfigurationError(
            f"the rollback condition {part!r} is not MEASURE>NUMBER",
            hint="e.g. error_rate>1%,p99>100ms,fuel>+20%,violations>0",
        )
    what, above, unit = found["what"], bool(found["plus"]), found["unit"]
    if what not in MEASURES:
        raise ConfigurationError(
            f"there is no measure {what!r} to take a canary back for",
            hint=f"there are: {', '.join(MEASURES)}",
        )
    units = _UNITS.get((what, above))
    if units is None or unit not in units:
        raise ConfigurationError(
            f"the rollback condition {part!r} has the wrong unit",
            hint="error_rate in %, p99 in us, ms or s, fuel and violations as numbers; p99 and fuel as +N%, too",
        )
    return Condition(what, float(found["number"]) * _MICROSECONDS.get(unit, 1.0), above, part)


def _stage_error(part: str, wrong: str) -> ConfigurationError:
    return ConfigurationError(f"the canary stage {part!r} {wrong}", hint='e.g. "5:5m,25:10m,50:10m,100"')
