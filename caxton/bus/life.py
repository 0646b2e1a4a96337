"""Which messages tell an agent of its own life (`caxton.agents.life_messages` says them)."""

from __future__ import annotations

from typing import Final

from caxton.acl import Message

LIFE_ONTOLOGY: Final = "caxton-life"
MARK: Final = b'"ontology":"caxton-life"'
"""Stands in the bytes of each, and may stand in others."""


def is_life(message: Message, ams: str) -> bool:
    """Whether it is one: by its ontology, and from the ams."""
    return message.ontology == LIFE_ONTOLOGY and message.sender == ams
