"""The names that agents may have."""

from __future__ import annotations

import re
from typing import Final

from caxton.errors import ConfigurationError

RESERVED_NAMES = frozenset({"ams", "df", "timer", "operator"})

AGENT_NAME: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
_AGENT_NAME = re.compile(AGENT_NAME)


def check_agent_name(name: str) -> str:
    """The name itself where an agent may have it; ConfigurationError where not."""
    if not _AGENT_NAME.fullmatch(name) or ".." in name:
        raise ConfigurationError(
            f"{name[:80]!r} cannot be the name of an agent",
            hint="use 1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
        )
    folded = name.casefold()
    if folded in RESERVED_NAMES or folded.startswith("operator."):
        raise ConfigurationError(
            f"the name {name!r} belongs to the platform",
            hint=f"these names are taken: {', '.join(sorted(RESERVED_NAMES))}, and operator.NAME for clients",
        )
    return name


def alike(name: str, other: str) -> ConfigurationError:
    """The refusal of a name that another agent has in other letters: files and topics could not tell them apart."""
    return ConfigurationError(
        f"{name!r} differs from the agent {other!r} by capital letters only", hint="choose another name"
    )
