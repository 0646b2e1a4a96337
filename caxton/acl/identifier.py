"""Agent identifiers: `local@platform`, where a bare local name means this platform (FIPA00023, 2.1).

In: names as people, guests and other platforms write them. Out: whether it is one, and the full name. Names are
compared exactly, capital letters and all. An agent of this platform has a name that suits a file and a topic; a name
with a platform may be any that FIPA takes, so that whatever a directory hands out can be named as a receiver.
"""

from __future__ import annotations

import re
from typing import Final

LOCAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
TOPIC_PREFIX: Final = "topic:"
TOPIC: Final = re.compile(r"topic:[A-Za-z0-9._/-]{1,128}")
"""A topic, which may be a receiver as an agent may."""
RULE: Final = (
    "a name is 1 to 63 of A-Z a-z 0-9 . _ - and begins with a letter or digit; with @platform it is up to 1,024 "
    "characters without spaces"
)
_WORD: Final = re.compile("[^\x00-\x20\x7f-\xa0\ufffe\uffff]{1,1024}")


def is_name(text: str) -> bool:
    """Whether FIPA would take that as a name or an address: 1 to 1,024 characters, no spaces, no controls."""
    return _WORD.fullmatch(text) is not None


def is_agent_name(text: str) -> bool:
    """Whether `text` is `local` or `local@platform`."""
    local, at, there = text.partition("@")
    if at:
        return bool(local and there) and is_name(text)
    return (TOPIC if local.startswith(TOPIC_PREFIX) else LOCAL).fullmatch(local) is not None


def qualified(text: str, platform: str) -> str:
    """The full form of a name that `is_agent_name` accepts."""
    return text if "@" in text else f"{text}@{platform}"
