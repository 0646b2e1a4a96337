"""An agent that another one wants made, read from the description in a `create` to the `ams`.

    {"action": "create", "description": {"prefix": "w", "like": "worker", "settings": {"order": 7}, "linked": true}}

In: a description that has been read, of a `caxton-agent-description`. Out: a `NewAgent`, or Declined with FIPA's name
for what is wrong. What the maker may do and has left is said by whoever makes the agents (`AgentMaker`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol, cast

import msgspec

from caxton import exact_numbers
from caxton.platform_agents.vocabulary import Declined, Json, agent_name, missing, refused

OF: Final = "caxton-agent-description"


class OnFailure(StrEnum):
    """What is done when a child breaks down, or does not come up."""

    RESTART = "restart"
    """It goes on, as any agent does, but not for ever."""
    TELL = "tell"
    """It is suspended, and its maker decides."""
    END_ALL = "end-all"
    """All children of its maker that are linked to it are ended."""


@dataclass(frozen=True, slots=True)
class NewAgent:
    """What is wanted, by whom, and by which message."""

    maker: str
    asked: int
    like: str
    name: str | None
    """Its full name, or None where `prefix` says how it begins."""
    prefix: str
    settings: dict[str, Any] | None
    limits: dict[str, Any]
    linked: bool
    may: tuple[str, ...]
    on_failure: OnFailure | None
    """None: as caxton.toml says for its maker."""
    restarts: int
    within_s: int


class Lineage(Protocol):
    """Who made whom, and what each may do."""

    def made(self, maker: str, asked: int) -> str | None:
        """The agent that was made for that message, whose answer was lost."""
        ...

    def maker(self, name: str) -> str | None:
        """Who made that agent; None for one that nobody made, or that is not there."""
        ...

    def rules(self, agent: str, name: str) -> bool:
        """Whether an agent made the other one, or made its maker, and so on."""
        ...

    def may(self, agent: str, right: str) -> bool:
        """Whether an agent has that right over all others."""
        ...


class AgentMaker(Protocol):
    """Makes agents for others."""

    @property
    def lineage(self) -> Lineage:
        """Who made whom."""
        ...

    def check(self, wanted: NewAgent) -> None:
        """Whether its maker may have that agent made now; raises Declined."""
        ...

    async def create(self, wanted: NewAgent) -> str:
        """Make it; its full name. Raises Declined, CaxtonError."""
        ...


def new_agent(description: Json, maker: str, asked: int) -> NewAgent:
    """Read what is wanted; raises Declined."""
    like = description.get("like")
    if like is None:
        raise missing(OF, "like", "create")
    name, prefix = description.get("name"), description.get("prefix", "")
    if (name is None) is (not prefix):
        raise (
            missing(OF, "name or prefix", "create")
            if not prefix
            else _wrong("prefix", prefix, "name or prefix")
        )
    on_failure = description.get("on-failure")
    if on_failure is not None and on_failure not in list(OnFailure):
        raise _wrong("on-failure", on_failure, f"one of {', '.join(OnFailure)}")
    return NewAgent(
        maker=maker,
        asked=asked,
        like=like,
        name=None if name is None else agent_name(name),
        prefix=prefix,
        settings=_table(description, "settings"),
        limits=_table(description, "limits") or {},
        linked=_flag(description, "linked"),
        may=tuple(description.get("may", ())),
        on_failure=None if on_failure is None else OnFailure(on_failure),
        restarts=_number(description, "restarts", 5),
        within_s=_number(description, "within-s", 30),
    )


def _table(description: Json, key: str) -> dict[str, Any] | None:
    """An object; in SL0, which has none, its JSON as text."""
    said = description.get(key)
    if isinstance(said, str):
        try:
            said = exact_numbers.decode(said)
        except msgspec.MsgspecError:
            raise _wrong(key, said, "an object") from None
    if said is not None and not isinstance(said, Mapping):
        raise _wrong(key, said, "an object")
    return None if said is None else dict(cast("Mapping[str, Any]", said))


def _flag(description: Json, key: str) -> bool:
    said = description.get(key, False)
    if said not in (True, False, "true", "false"):
        raise _wrong(key, said, "true or false")
    return said in (True, "true")


def _number(description: Json, key: str, otherwise: int) -> int:
    said: int = description.get(key, otherwise)
    if not 1 <= said <= 1_000_000:
        raise _wrong(key, said, "a whole number from 1 to 1,000,000")
    return said


def _wrong(key: str, said: object, wanted: str) -> Declined:
    return refused(
        "unrecognised-parameter-value",
        key,
        str(said)[:80],
        reason=f"{key} of a {OF} must be {wanted}",
        hint='{"action": "create", "description": {"prefix": "worker", "like": "worker", "settings": {}}}',
    )
