"""Agent identifiers: `local@platform`, where a bare local name means this platform (FIPA00023, 2.1).

In: names as people and guests write them. Out: the full name, or a sentence that says what is wrong with it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from caxton.errors import ConfigurationError

LOCAL = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
PLATFORM = re.compile(r"[a-z0-9][a-z0-9._-]{0,126}")
RULE = "a name is 1 to 63 of a-z 0-9 . _ - and begins with a letter or digit"


class AgentName(NamedTuple):
    """A full agent name; make it with `AgentName.parse`."""

    local: str
    platform: str

    @classmethod
    def parse(cls, text: str, platform: str = "local") -> AgentName:
        """Read `local` or `local@platform`.

        Raises ConfigurationError for what is no name.
        """
        local, at, there = text.partition("@")
        if LOCAL.fullmatch(local) is None or (at and PLATFORM.fullmatch(there) is None):
            raise ConfigurationError(f"{text[:80]!r} is not an agent name", hint=RULE)
        return cls(local, there if at else platform)

    def __str__(self) -> str:
        return f"{self.local}@{self.platform}"


def is_agent_name(text: str) -> bool:
    """Whether `text` is `local` or `local@platform`."""
    local, at, there = text.partition("@")
    return LOCAL.fullmatch(local) is not None and (not at or PLATFORM.fullmatch(there) is not None)


def qualified(text: str, platform: str) -> str:
    """The full form of a name that `is_agent_name` accepts."""
    return text if "@" in text else f"{text}@{platform}"
