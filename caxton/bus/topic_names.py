"""Names and patterns of topics.

In: receivers such as `topic:sensors/kitchen`, and what is said in a subscription. Out: topics without their prefix, and
whether a pattern fits one; `*` stands for any characters, also for none.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from caxton.acl.identifier import TOPIC_PREFIX as PREFIX
from caxton.acl.json_value import is_list, is_object
from caxton.errors import InvalidMessage

PATTERNS_MAX: Final = 100
_PATTERN: Final = re.compile(r"[A-Za-z0-9._/*-]{1,128}")


class TopicWish(msgspec.Struct):
    """What somebody subscribes to."""

    topics: list[str]
    retained: bool = True
    """Whether it wants what was retained, too."""


def is_topic(name: str) -> bool:
    """Whether a receiver is a topic."""
    return name.startswith(PREFIX)


def local_topic(full: str) -> str:
    """`sensors/kitchen` of `topic:sensors/kitchen@local`."""
    return full.removeprefix(PREFIX).partition("@")[0]


def read_topics(content: msgspec.Raw, hint: str) -> TopicWish:
    """What a subscription is to: `"sensors/*"`, a list, or `{"topic": …, "retained": false}`. Raises InvalidMessage."""
    said: object = msgspec.json.decode(content)
    retained: object = True
    if is_object(said):
        retained = said.get("retained", True)
        if not isinstance(retained, bool):
            raise InvalidMessage("retained is true or false", hint=hint)
        said = said.get("topic", said.get("topics"))
    names = said if is_list(said) else [said]
    if not 0 < len(names) <= PATTERNS_MAX:
        raise InvalidMessage(f"a subscription has 1 to {PATTERNS_MAX} topics", hint=hint)
    return TopicWish(list(dict.fromkeys(_pattern(name, hint) for name in names)), retained is True)


def _pattern(name: object, hint: str) -> str:
    found = local_topic(name) if isinstance(name, str) else ""
    if _PATTERN.fullmatch(found) is None:
        raise InvalidMessage(
            f"{str(name)[:80]!r} is no topic: 1 to 128 of A-Z a-z 0-9 . _ / - and * for any characters",
            hint=hint,
        )
    return found


def fits(pattern: str, topic: str) -> bool:
    """Whether a pattern means that topic. Takes time in proportion to their lengths, whatever the pattern."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == topic
    *middle, last = others
    if not topic.startswith(first) or not topic.endswith(last) or len(topic) < len(first) + len(last):
        return False
    at, end = len(first), len(topic) - len(last)
    for part in middle:
        found = topic.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
