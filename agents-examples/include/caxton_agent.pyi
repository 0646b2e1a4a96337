"""What the source of a Python agent may use, for editors and type checkers; an agent finds it in its sandbox.

The same names are there without an import, too.
"""

from typing import Any, Literal

name: str
"""The agent's local name."""
settings: dict[str, Any]
"""The agent's `settings` in `caxton.toml`."""
state: dict[str, Any]
"""Kept as JSON: it goes with the agent to every new build, and over a crash."""

def reply(performative: str, content: object = None, **fields: object) -> None:
    """Answer the message in hand: to who asked, in its conversation, unless `fields` say otherwise."""

def send(performative: str, receiver: str | list[str], content: object = None, **fields: object) -> None:
    """Send a message of its own; `receiver` is a name or a list of names."""

def log(text: object, level: Literal["debug", "info", "warning", "error"] = "info") -> None:
    """Write a line to the agent's log."""
