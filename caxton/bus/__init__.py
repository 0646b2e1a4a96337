"""The bus: admit, journal, conversation, route, mailbox, turn.

In: drafts from clients and from guests' turns. Out: frames for the cells, rows for the journal, and a `failure` from
`ams` for whatever cannot be delivered. It promises: first in, first out for each agent and each conversation; a turn
and what it said are one unit in the journal; nothing leaves the daemon before the rows it follows from are on disk.

Everything here runs in the daemon's one asyncio thread and never waits.
"""

from caxton.bus.bus import Bus
from caxton.bus.clients import Clients, Waiter
from caxton.bus.counts import BusCounts
from caxton.bus.endpoint import DeliveryPort, Endpoint
from caxton.bus.envelope import Envelope
from caxton.bus.submission import Submitted

__all__ = ["Bus", "BusCounts", "Clients", "DeliveryPort", "Endpoint", "Envelope", "Submitted", "Waiter"]
