"""Agents' names as plain text: without the platform where that is this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caxton.presentation.text import safe

if TYPE_CHECKING:
    from caxton.schemas.shape import Message


def short(name: object, platform: str = "local") -> str:
    """An agent's name without this platform."""
    return safe(str(name).removesuffix(f"@{platform}"))


def receivers(message: Message, platform: str = "local") -> str:
    """The receivers of a message, comma-separated."""
    return ", ".join([short(name, platform) for name in message.receiver]) or "nobody"
