"""What a filter looks at: messages and conversations as the API gives them, field by field.

In: `MessageBody` and `ConversationBody`. Out: texts to search in. Contents are cut to `ROOM` characters first, so that
a message of a quarter of a MiB costs no more than another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

Json = Mapping[str, Any]

ROOM: Final = 4096
"""Characters of a content that are searched."""

PROBLEM_ACTS: Final = frozenset({"failure", "not-understood", "refuse"})
"""Acts that say that something was not done."""


class Subject(Protocol):
    """Something that a filter may mean."""

    @property
    def everything(self) -> str:
        """All that a bare word is looked for in, in lower case."""
        ...

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds; empty where it has none."""
        ...


class MessageSubject:
    """A message with what became of it."""

    __slots__ = ("_body", "_everything", "_message", "_platform")

    def __init__(self, body: Json, platform: str = "local") -> None:
        self._body = body
        self._message: Json = body["message"]
        self._platform = platform
        self._everything: str | None = None

    @property
    def everything(self) -> str:
        """Act, names, conversation, content."""
        if self._everything is None:
            message = self._message
            value = message.get("content")
            content = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            names = (*self.texts("act"), *self.texts("from"), *self.texts("to"), *self.texts("conv"))
            self._everything = "\n".join((*names, content[:ROOM] if value is not None else "")).casefold()
        return self._everything

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds."""
        message = self._message
        match field:
            case "from":
                return (self._short(message.get("sender")),)
            case "to":
                return [self._short(name) for name in message.get("receiver") or ()]
            case "agent":
                return [*self.texts("from"), *self.texts("to")]
            case "act":
                return (str(message.get("performative") or ""),)
            case "conv":
                return (str(message.get("conversation_id") or ""),)
            case "protocol":
                return (str(message.get("protocol") or ""),)
            case "is":
                return ("problem",) if is_problem(self._body) else ()
            case _:
                return ()

    def _short(self, name: object) -> str:
        return str(name or "").removesuffix(f"@{self._platform}")


class ConversationSubject:
    """A conversation at a glance."""

    __slots__ = ("_body", "_everything", "_suffix")

    def __init__(self, body: Json, platform: str = "local") -> None:
        self._body = body
        self._suffix = f"@{platform}"
        self._everything: str | None = None

    @property
    def everything(self) -> str:
        """Its id, protocol, state and participants."""
        if self._everything is None:
            parts = [text for field in ("conv", "protocol", "state", "agent") for text in self.texts(field)]
            self._everything = "\n".join(parts).casefold()
        return self._everything

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds."""
        body = self._body
        match field:
            case "from":
                return (str(body["initiator"]).removesuffix(self._suffix),)
            case "to" | "agent":
                return [str(name).removesuffix(self._suffix) for name in body["participants"]]
            case "conv":
                return (str(body["id"]),)
            case "protocol":
                return (str(body.get("protocol") or ""),)
            case "state":
                return [str(body[key]) for key in ("state", "phase", "outcome") if body.get(key)]
            case "is":
                words = (
                    ("problem", troubled(body)),
                    ("open", is_open(body)),
                    ("pinned", body.get("pinned")),
                )
                return [word for word, so in words if so is True]
            case _:
                return ()


def is_problem(body: Json) -> bool:
    """Whether a message (`MessageBody`) went wrong, or says that something did."""
    if body["message"].get("performative") in PROBLEM_ACTS or body.get("dead_letters"):
        return True
    return violates(body) or any(turn["status"] != "ok" for turn in body.get("turns") or ())


def violates(body: Json) -> bool:
    """Whether the referee found that a message broke its protocol."""
    verdict: Json | None = body.get("verdict")
    return verdict is not None and verdict["legality"] == "violation"


def troubled(body: Json) -> bool:
    """Whether a conversation (`ConversationBody`) failed, ran out of time, or broke its protocol."""
    return body.get("state") in ("Failed", "Expired") or bool(body.get("violations"))


def is_open(body: Json) -> bool | None:
    """Whether a conversation goes on; None where nobody knows (it follows no protocol)."""
    state = body.get("state")
    return None if not state else state in ("Initiated", "InProgress")
