"""The app that a widget lives in, with its type: Textual leaves it open, and strict checkers stumble over that.

In: a widget. Out: its app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import App
from textual.dom import DOMNode

if TYPE_CHECKING:
    from caxton_tui.app import CaxtonApp


def typed_app(node: DOMNode) -> App[int]:
    """The app of that widget or screen."""
    return cast("App[int]", node.app)  # pyright: ignore[reportUnknownMemberType]


def key_for(node: DOMNode, id: str) -> str:
    """The key to press for something, by the id of its binding."""
    return cast("CaxtonApp", typed_app(node)).shortcuts(id)
