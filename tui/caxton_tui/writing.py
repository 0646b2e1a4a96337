"""From a message on the screen to the draft of another: an answer to it, the same again, or a new one.

In: the message, and the book that it stands in. Out: the screen on which the draft is completed.
"""

from __future__ import annotations

import json

from caxton.diagram import Spoken
from caxton_tui import words
from caxton_tui.compose import ACTS, ComposeScreen, Draft
from caxton_tui.desk import Desk
from caxton_tui.legal import legal_acts
from caxton_tui.store import Json


def writing(desk: Desk, spoken: Spoken | None, *, reply: bool, to: str = "") -> ComposeScreen:
    """The screen for that message."""
    store = desk.store
    agents = tuple(words.short(agent["name"], store.platform) for agent in store.agents)
    if spoken is None:
        return ComposeScreen(Draft(to=to, agents=agents, title="Write a message"))
    message: Json = spoken.body["message"]
    if not reply:
        return ComposeScreen(
            Draft(
                to=", ".join(spoken.receivers),
                act=spoken.act,
                protocol=str(message.get("protocol") or ""),
                content=_text(message),
                agents=agents,
                title=f"{spoken.number} again, in a conversation of its own",
            )
        )
    speaker = _speaker(message, store.platform)
    acts = legal_acts(
        _bodies(desk), str(message["conversation_id"]), speaker, str(message["sender"]), desk.now_us
    )
    name = words.short(speaker, store.platform)
    return ComposeScreen(
        Draft(
            to=spoken.sender,
            act=next(
                (act for act in acts if act in ("inform", "agree", "propose")), acts[0] if acts else "inform"
            ),
            protocol=str(message.get("protocol") or ""),
            conversation=str(message["conversation_id"]),
            in_reply_to=str(message.get("reply_with") or ""),
            sender=None if name == "operator" else name,
            legal=acts or ACTS if acts else (),
            agents=agents,
            title=f"Answer {spoken.act} as {name}",
        )
    )


def _speaker(message: Json, platform: str) -> str:
    """Which client was spoken to; `operator` where none was."""
    for name in message.get("receiver") or ():
        if words.short(name, platform).split(".")[0] == "operator":
            return str(name)
    return f"operator@{platform}"


def _bodies(desk: Desk) -> list[Json]:
    book = desk.store.book
    story = book.story(desk.store.platform) if book else None
    return [spoken.body for spoken in story.spoken] if story else []


def _text(message: Json) -> str:
    """The content as it is written in the form."""
    value = message.get("content")
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
