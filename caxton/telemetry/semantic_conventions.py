"""The names of everything that is exported, in one table.

OpenTelemetry's are those of semantic conventions 1.44; the messaging ones are still "Development" there, so a later
version may rename them: this is the only file that changes then. What they have no word for begins with `caxton.`.
"""

from __future__ import annotations

from typing import Final

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.44.0"
SCOPE: Final = "caxton"

SYSTEM: Final = "messaging.system"
OPERATION_NAME: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
DESTINATION: Final = "messaging.destination.name"
MESSAGE_ID: Final = "messaging.message.id"
CONVERSATION_ID: Final = "messaging.message.conversation_id"
BODY_SIZE: Final = "messaging.message.body.size"
ERROR_TYPE: Final = "error.type"

AGENT: Final = "caxton.agent"
CELL: Final = "caxton.cell"
CELL_RESTARTS: Final = "caxton.cell.restarts"
CODE: Final = "caxton.code"
DEAD_LETTER: Final = "caxton.dead_letter"
DELIVERED: Final = "caxton.delivered"
DEPLOYMENT: Final = "caxton.deployment"
FUEL: Final = "caxton.fuel"
PERFORMATIVE: Final = "caxton.performative"
PROTOCOL: Final = "caxton.protocol"
QUEUE_US: Final = "caxton.queue_us"
REASON: Final = "caxton.reason"
RECEIVERS: Final = "caxton.receivers"
REDELIVERED: Final = "caxton.redelivered"
REVISION: Final = "caxton.revision"
SENDER: Final = "caxton.sender"
SENT: Final = "caxton.sent"
SEQ: Final = "caxton.seq"
STATE: Final = "caxton.state"
STATUS: Final = "caxton.status"
STRATEGY: Final = "caxton.strategy"
VERDICT: Final = "caxton.verdict"
"""The rule that a message broke."""
