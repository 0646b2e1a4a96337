"""The app that a widget lives in, with its type: Textual leaves it open, and strict checkers stumble over that.

In: a widget. Out: its app.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

from textual.app import App
from textual.dom import DOMNode


class _WithShortcuts(Protocol):
    """What a text on screen needs of the app: the key to press for the binding of an id."""

    @property
    def shortcuts(self) -> Callable[[str], str]: ...


def typed_app(node: DOMNode) -> App[int]:
    """The app of that widget or screen."""
    return cast("App[int]", node.app)  # pyright: ignore[reportUnknownMemberType]


def key_for(node: DOMNode, id: str) -> str:
    """The key to press for something, by the id of its binding."""
    return cast("_WithShortcuts", typed_app(node)).shortcuts(id)
