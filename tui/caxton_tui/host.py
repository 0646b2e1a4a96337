"""The app that a widget lives in, with its type: Textual leaves it open, and strict checkers stumble over that.

In: a widget. Out: its app.
"""

from __future__ import annotations

from typing import cast

from textual.app import App
from textual.dom import DOMNode


def host(node: DOMNode) -> App[int]:
    """The app of that widget or screen."""
    return cast("App[int]", node.app)  # pyright: ignore[reportUnknownMemberType]
