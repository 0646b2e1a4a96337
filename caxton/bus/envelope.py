"""A message on its way through the bus.

In: what the bus has admitted. Out: one value for all its receivers.
"""

from __future__ import annotations

import msgspec

from caxton.acl import Message
from caxton.bus.causes import Tree
from caxton.bus.conversations import ConversationEntry


class Envelope(msgspec.Struct, gc=False):
    """An admitted message on its way; one for all its receivers."""

    seq: int
    message: Message
    body: bytes
    """The message as JSON: what the guest reads and the journal keeps."""
    hops: int
    tree: Tree
    """The causal tree that it belongs to."""
    redelivered: bool = False
    tries: int = 0
    """How often a cell died in its turn."""
    entry: ConversationEntry | None = None
    """Its conversation, where the bus had it at hand."""
    urgent: bool = False
    """Whether it may go ahead of what waits (`priority`)."""
    recallable: bool = False
    """Whether a cell is given it only when it has nothing else of that agent: until then it can be taken back."""
    cause: int = 0
    """The message in whose turn it was said; 0 where it was said outside, or is delivered again after a start."""
    given: bool = False
    """Whether a cell was given it, where it is recallable."""

    def give(self) -> None:
        """A cell is given it."""
        self.given = True

    def again(self, *, tried: bool = False) -> Envelope:
        """The same message, marked as delivered again; `tried`: a cell died in its turn."""
        body = self.body if self.redelivered else self.body[:-1] + b',"redelivered":true}'
        return msgspec.structs.replace(
            self, body=body, redelivered=True, tries=self.tries + tried, entry=None
        )
