"""How a turn ended, as the cell says it, as the turn's row carries it, and as people read it.

Everybody from the cell to the API imports this; it imports nothing of ours.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """How a turn, or another request to a cell, ended; REFUSED and PUT_BACK are the bus's own, the others the cell's.

    From a cell all but OK, a turn's GUEST_ERROR (also aside) and UNHANDLED carry a `Fault` as JSON.
    """

    OK = 0
    GUEST_ERROR = 1
    """The guest returned an error; the payload of a turn is its own words on one line, then log records, one a line.
    The instance stays."""
    TRAP = 2
    LIMIT = 3
    BROKEN = 4
    """The guest broke the ABI."""
    UNHANDLED = 5
    """Nothing was run: no live instance is in that slot, or the payload (a `Fault`) says why."""
    REFUSED = 6
    """The turn ended well in the cell and said what may not be said. The instance stays."""
    PUT_BACK = 7
    """The turn ended well and put its message back, which waits for another one. The bus's own, too."""


SURVIVED: Final = (Status.OK, Status.GUEST_ERROR, Status.REFUSED, Status.PUT_BACK)
"""How a turn ended that left its instance alive. After any other one the memory was as before it."""

DISCARDED: Final = frozenset({Status.TRAP, Status.LIMIT, Status.BROKEN})
"""After a turn with one of these the instance is gone."""

REDELIVERED: Final = 256
"""Added to the status in a turn's row when its message was delivered again."""

STATUS_NAMES: Final = tuple(status.name.lower() for status in Status)
"""By the number in a turn's row, without REDELIVERED."""
