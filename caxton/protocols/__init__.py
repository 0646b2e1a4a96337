"""Protocols as data: FIPA's eleven, the machine that runs them, conversations, and the referee.

In: each message with its time. Out: a verdict that names the rule and what would have been legal, the state of the
conversation after it, and what the platform is to say. It promises: no I/O, no clock, no code for one protocol
alone; what is legal stands in `tables/*.toml`.
"""

from caxton.protocols.conversation import Conversation
from caxton.protocols.library import Library, library
from caxton.protocols.protocol import Answer, Effect, Ended, Legality, Protocol, Role, Step, Verdict
from caxton.protocols.referee import Referee
from caxton.protocols.table import read_table

__all__ = [
    "Answer",
    "Conversation",
    "Effect",
    "Ended",
    "Legality",
    "Library",
    "Protocol",
    "Referee",
    "Role",
    "Step",
    "Verdict",
    "library",
    "read_table",
]
