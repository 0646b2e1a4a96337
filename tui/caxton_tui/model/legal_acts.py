"""What may be said here: the acts that the protocol allows somebody in a conversation as it stands. No Textual here.

In: the conversation's messages as the API gives them, who speaks and to whom, and the time. Out: acts, or None where
the conversation follows no protocol that is known, and everything may be said.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from caxton import exact_numbers
from caxton.acl.message import read_message
from caxton.protocols import Library, Referee, Role, library
from caxton.protocols.machine import legal_here
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import micros


def legal_acts(
    bodies: Iterable[MessageBody | HeldBody], conversation: str, sender: str, receiver: str, now_us: int
) -> tuple[str, ...] | None:
    """What `sender` may say to `receiver` now; names are whole, with their platform. None: anything."""
    referee = Referee(_library(), seen=0, silence_ends=False)
    for body in bodies:
        try:
            message = read_message(exact_numbers.encode(body.message.json))
        except msgspec.MsgspecError:
            continue
        referee.judge(message, micros(body.at))
    found = referee.conversations.get(conversation)
    if found is None:
        return None
    protocol = referee.library.tables[found.table]
    if sender == found.initiator:
        role, name = Role.INITIATOR, receiver
    else:
        role, name = Role.PARTICIPANT, sender
    branch = found.branches.get(name)
    return None if branch is None else legal_here(protocol, branch, found.rounds, name, role, now_us)


@lru_cache(maxsize=1)
def _library() -> Library:
    return library()
