"""The journal: every message and every turn as a row, durable before anything leaves the daemon.

In: batches from the bus. Out: acknowledgements after the commit, rows for every view, and what to deliver
again after a crash. SQLite in WAL mode with `synchronous=FULL`, one writer, few statements a batch.
"""

from caxton.journal.batch import (
    CARRIED,
    FRESH,
    HANDLED,
    KEPT,
    MAX_AGENT_NO,
    REDELIVERED,
    RESTORED,
    AgentRow,
    Batch,
    ClientKey,
    DeadLetter,
    DeploymentRow,
    DirectoryRow,
    Event,
    Meta,
    Pin,
    Record,
    RevisionRow,
    SnapshotRow,
    TaskRow,
    Unpin,
)
from caxton.journal.journal import Journal, JournalSettings
from caxton.journal.judged import JUDGED_UPTO, ConversationState, Mark, StoredState
from caxton.journal.past import PastTurn, past_turns
from caxton.journal.reader import Reader
from caxton.journal.rows import (
    Stats,
    StoredConversation,
    StoredDeadLetter,
    StoredEvent,
    StoredMessage,
    StoredTurn,
)

__all__ = [
    "CARRIED",
    "FRESH",
    "HANDLED",
    "JUDGED_UPTO",
    "KEPT",
    "MAX_AGENT_NO",
    "REDELIVERED",
    "RESTORED",
    "AgentRow",
    "Batch",
    "ClientKey",
    "ConversationState",
    "DeadLetter",
    "DeploymentRow",
    "DirectoryRow",
    "Event",
    "Journal",
    "JournalSettings",
    "Mark",
    "Meta",
    "PastTurn",
    "Pin",
    "Reader",
    "Record",
    "RevisionRow",
    "SnapshotRow",
    "Stats",
    "StoredConversation",
    "StoredDeadLetter",
    "StoredEvent",
    "StoredMessage",
    "StoredState",
    "StoredTurn",
    "TaskRow",
    "Unpin",
    "past_turns",
]
