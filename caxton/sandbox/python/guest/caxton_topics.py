"""Handlers of topics: `@on("sensors/*")` before a function, which then gets what is said to such a topic.

In: the source's handlers, and messages. Out: one subscription for all of them, when the agent is born and when a new
build takes over; it outlives everything else.
"""

# mypy: ignore-errors
# pyright: basic

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, ClassVar, TypeVar

from caxton_turn import say
from caxton_waits import Calls

TOPIC = "topic:"

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Topics:
    """The source's handlers."""

    handlers: ClassVar[list[tuple[str, Callable[..., Any]]]] = []

    @classmethod
    def handler(cls, message: dict[str, Any]) -> Callable[..., Any] | None:
        """Who handles a message: the first handler whose topic it was said to; None where it was said to no such."""
        said_to = message.get("receiver") or [""]
        name = (said_to if isinstance(said_to, str) else said_to[0]).rpartition("@")[0]
        if not name.startswith(TOPIC):
            return None
        found = (handle for topic, handle in cls.handlers if fnmatchcase(name.removeprefix(TOPIC), topic))
        return next(found, None)

    @classmethod
    def subscribe(cls, why: str) -> None:
        """The agent lives: subscribe to what this build handles. An earlier build may have handled something else."""
        place = f"{Calls.prefix}topics"
        fields: dict[str, object] = {"receiver": "topics", "conversation_id": place, "reply_with": place}
        if why == "swapped":
            say("cancel", None, fields)
        if why in ("born", "swapped") and cls.handlers:
            say("subscribe", {"topic": sorted({topic for topic, _ in cls.handlers})}, fields)


def on(topic: str) -> Callable[[Handler], Handler]:
    """Let a function handle what is said to a topic, or with `*` to all topics of that kind; it may be async."""
    if not isinstance(topic, str):
        raise TypeError('on takes the name of a topic: @on("sensors/*")')

    def handled_by(handle: Handler) -> Handler:
        Topics.handlers.append((topic.removeprefix(TOPIC), handle))
        return handle

    return handled_by
