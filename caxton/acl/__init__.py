"""The message: FIPA's 22 acts, agent identifiers, and JSON in and out (FIPA00061, FIPA00037).

In: bytes that a guest or a client wrote. Out: a `Draft` that has kept every rule, or one `InvalidMessage` that
names the field, the rule and the remedy. A `Message` is a draft that the host has completed.
"""

from caxton.acl.draft import Draft, read_draft
from caxton.acl.identifier import is_agent_name, qualified
from caxton.acl.message import Message, write_message
from caxton.acl.performative import Performative

__all__ = [
    "Draft",
    "Message",
    "Performative",
    "is_agent_name",
    "qualified",
    "read_draft",
    "write_message",
]
