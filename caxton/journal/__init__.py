"""The journal: every message and every turn as a row, durable before anything leaves the daemon.

In: batches from the bus. Out: acknowledgements after the commit, rows for every view, and what to deliver
again after a crash. SQLite in WAL mode with `synchronous=FULL`, one writer, few statements a batch.
"""

from caxton.journal.journal import Journal
from caxton.journal.read.past import PastTurn
from caxton.journal.read.reader import Reader
from caxton.journal.records.approvals import ApprovalStep
from caxton.journal.records.batch import (
    EDITED,
    HANDLED,
    REDELIVERED,
    RELEASED,
    Batch,
    ClientKey,
    DeadLetter,
    Event,
    Meta,
    Pin,
    Publication,
    TurnPlace,
    TurnRow,
    Unpin,
)
from caxton.journal.records.dead_letters import (
    DROPPED_LETTER,
    REDELIVERED_LETTER,
    DeadLetterEnd,
    StoredDeadLetter,
)
from caxton.journal.records.holds import BreakRow, HeldRow, HeldState, StoredHeld
from caxton.journal.records.put_backs import PutBack, StoredPutBack
from caxton.journal.records.record import MAX_AGENT_NO, Record
from caxton.journal.records.registry_rows import (
    CARRIED,
    FRESH,
    KEPT,
    RESTORED,
    AgentRow,
    DeploymentRow,
    DirectoryRow,
    RevisionRow,
    SnapshotRow,
    TaskRow,
)
from caxton.journal.records.revision_memory import OwnTurn, SnapshotsGone
from caxton.journal.records.rows import (
    Stats,
    StoredConversation,
    StoredEvent,
    StoredMessage,
    StoredTurn,
)
from caxton.journal.records.verdicts import JUDGED_UPTO, ConversationState, Mark, StoredState
from caxton.journal.retention.retention import Kept
from caxton.journal.retention.spared import Needed
from caxton.journal.store import JournalSettings, Store

__all__ = [
    "CARRIED",
    "DROPPED_LETTER",
    "EDITED",
    "FRESH",
    "HANDLED",
    "JUDGED_UPTO",
    "KEPT",
    "MAX_AGENT_NO",
    "REDELIVERED",
    "REDELIVERED_LETTER",
    "RELEASED",
    "RESTORED",
    "AgentRow",
    "ApprovalStep",
    "Batch",
    "BreakRow",
    "ClientKey",
    "ConversationState",
    "DeadLetter",
    "DeadLetterEnd",
    "DeploymentRow",
    "DirectoryRow",
    "Event",
    "HeldRow",
    "HeldState",
    "Journal",
    "JournalSettings",
    "Kept",
    "Mark",
    "Meta",
    "Needed",
    "OwnTurn",
    "PastTurn",
    "Pin",
    "Publication",
    "PutBack",
    "Reader",
    "Record",
    "RevisionRow",
    "SnapshotRow",
    "SnapshotsGone",
    "Stats",
    "Store",
    "StoredConversation",
    "StoredDeadLetter",
    "StoredEvent",
    "StoredHeld",
    "StoredMessage",
    "StoredPutBack",
    "StoredState",
    "StoredTurn",
    "TaskRow",
    "TurnPlace",
    "TurnRow",
    "Unpin",
]
