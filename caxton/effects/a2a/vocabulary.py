"""What can be asked of an agent `a2a.NAME`, in the ontology `caxton-a2a`, and what its process says that it offers.

In: the content of a request. Out: a checked `Ask`, or InvalidMessage with the field that is wrong.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from caxton.errors import InvalidMessage

ONTOLOGY: Final = "caxton-a2a"
SERVICE: Final = "a2a-skill"
"""The type of a skill's service in the directory of services."""


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """A request: say this to the remote agent, as a new task, or as the answer to what a task asks."""

    content: Any
    task: str = ""
    context: str = ""


class Skill(msgspec.Struct, omit_defaults=True):
    """A skill of the remote agent's card."""

    name: str
    description: str = ""


class Offer(msgspec.Struct):
    """What a remote agent says of itself, and why it cannot be asked where that is so."""

    skills: list[Skill] | None = None
    """None: as before."""
    description: str = ""
    down: str | None = None


_decode = msgspec.json.Decoder(Ask).decode


def read_request(content: bytes) -> Ask:
    """The request that a content is; raises InvalidMessage."""
    try:
        return _decode(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidMessage(
            f"this is nothing to ask a remote agent: {error}",
            hint='for example {"content": "translate this"}',
        ) from error
