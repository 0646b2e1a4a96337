"""The platform's own agents: what one is to the bus, and their numbers in the journal, each of one name for ever."""

from __future__ import annotations

from typing import Final, Protocol

from caxton.bus.envelope import Envelope

AMS_NUMBER: Final = 1
DF_NUMBER: Final = 2
TIMER_NUMBER: Final = 3
TOPICS_NUMBER: Final = 4
TOPICS: Final = "topics"
"""The one whose name an agent may have had before there was one: then it keeps it."""
PLATFORM_NUMBERS: Final = {"ams": AMS_NUMBER, "df": DF_NUMBER, "timer": TIMER_NUMBER, TOPICS: TOPICS_NUMBER}
FIRST_GUEST_NUMBER: Final = 16


class PlatformAgent(Protocol):
    """An agent of the platform's own; it answers at once or later, without a cell."""

    name: str

    @property
    def number(self) -> int:
        """Its number in the journal."""
        ...

    def take(self, envelope: Envelope) -> None:
        """Handle one message; raises InvalidMessage for what it does not understand."""
        ...

    def oldest(self) -> int:
        """The lowest number among the messages that it has not finished."""
        ...
