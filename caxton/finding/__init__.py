"""One language for finding things: the same words narrow a list on the command line and on a screen.

In: what a person types, `from:buyer act:refuse conv:7f !timer ~"price.*9"`. Out: a `Filter` that says of a message or
a conversation whether it is meant, or one InvalidFilter that names the word and the rule. It does no I/O.
"""

from caxton.finding.bounds import BOUNDED
from caxton.finding.filter import FIELDS, Filter, Term
from caxton.finding.subjects import ConversationSubject, MessageSubject, Subject, WithoutContent

__all__ = [
    "BOUNDED",
    "FIELDS",
    "ConversationSubject",
    "Filter",
    "MessageSubject",
    "Subject",
    "Term",
    "WithoutContent",
]
