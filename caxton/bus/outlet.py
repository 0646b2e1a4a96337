"""Where the bus hands over deliveries: the port that a cell's link fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from caxton.bus.endpoint import Endpoint, Envelope


class Outlet(Protocol):
    """One cell, as far as the bus knows it."""

    room: int
    """How many more messages it takes before it must give results back."""

    def push(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """Take one message for one of its agents; takes one from `room`."""
        ...

    def wait(self, endpoint: Endpoint) -> None:
        """Remember that this agent has waiting messages; they are asked for when there is room."""
        ...

    def settle(self) -> None:
        """Send what was pushed."""
        ...
