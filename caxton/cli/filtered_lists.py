"""Lists narrowed by a filter: page after page is looked through until enough was found.

In: a filter as it was typed. Out: bodies of the API that pass, the newest first. How far it looked is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from caxton.cli.output.printing import safe, talk
from caxton.errors import ConversationNotFound
from caxton.finding import ConversationSubject, Filter, MessageSubject
from caxton.finding.subjects import Subject
from caxton.schemas.messages import ConversationBody, MessageBody
from caxton.schemas.shape import iso

if TYPE_CHECKING:
    from caxton.client import Client

T = TypeVar("T")

MOST: Final = 100_000
"""How many messages are looked at before it gives up."""
MOST_CONVERSATIONS: Final = 10_000
_PAGE: Final = 1000


def wanted(filter: str, since: str | None = None, until: str | None = None) -> Filter:
    """The filter of a list with its range of time."""
    terms = (("since", since), ("before", until))
    return Filter(" ".join([filter, *(f'{field}:"{word}"' for field, word in terms if word is not None)]))


def newest(
    ask: Callable[[int], Sequence[T]], subject: Callable[[T], Subject], wanted: Filter, limit: int
) -> list[T]:
    """The newest that pass, of what `ask` answers: at most so many, newest first."""
    if not wanted:
        return list(ask(limit))
    found = ask(MOST_CONVERSATIONS)
    _said(len(found), len(found) >= MOST_CONVERSATIONS)
    return [one for one in found if wanted.passes(subject(one))][:limit]


def messages(
    caxton: Client,
    wanted: Filter,
    limit: int,
    *,
    conversation: str | None,
    agent: str | None,
    performative: str | None,
) -> list[MessageBody]:
    """The newest messages that pass, newest first; the named fields are exact, and the daemon's work."""

    since, until = (None if at is None else iso(round(at * 1e6)) for at in wanted.times())

    def page(before: int | None, most: int) -> list[MessageBody]:
        return caxton.messages(
            conversation=conversation,
            agent=agent,
            performative=performative,
            before=before,
            since=since,
            until=until,
            limit=most,
            newest=True,
        )

    if not wanted:
        return page(None, limit)
    platform = str(caxton.status().platform)
    found: list[MessageBody] = []
    seen, before = 0, None
    while len(found) < limit and seen < MOST:
        bodies = page(before, _PAGE)
        seen += len(bodies)
        found += [body for body in bodies if wanted.passes(MessageSubject(body.message, platform, body))]
        if len(bodies) < _PAGE:
            break
        before = int(bodies[-1].seq)
    _said(seen, seen >= MOST)
    return found[:limit]


def conversations(caxton: Client, wanted: Filter, limit: int, agent: str | None) -> list[ConversationBody]:
    """The newest conversations that pass, newest first."""
    if not wanted:
        return caxton.conversations(agent=agent, limit=limit)
    platform = str(caxton.status().platform)
    return newest(
        lambda most: caxton.conversations(agent=agent, limit=most),
        lambda body: ConversationSubject(body, platform),
        wanted,
        limit,
    )


def pinned(caxton: Client, wanted: Filter, limit: int, agent: str | None) -> list[ConversationBody]:
    """Pinned conversations (of an agent) that pass, the newest pin first."""
    platform = str(caxton.status().platform)
    name = None if agent is None else agent if "@" in agent else f"{agent}@{platform}"
    bodies: list[ConversationBody] = []
    for one in caxton.pins():
        try:
            bodies.append(caxton.conversation(one.conversation_id, limit=1))
        except ConversationNotFound:
            talk(f"{safe(one.conversation_id)} is pinned, and the journal has removed it")
    return [
        body
        for body in bodies
        if (name is None or name in body.participants) and wanted.passes(ConversationSubject(body, platform))
    ][:limit]


def _said(seen: int, more: bool) -> None:
    if more:
        talk(f"looked at the newest {seen:,}; there may be more before them")
