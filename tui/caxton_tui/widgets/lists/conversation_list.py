"""The conversations: which protocol, how far, who takes part, how old, until when, what went wrong.

In: conversations as the API gives them. Out: one line each, the newest first, those that serve another under it.
"""

from __future__ import annotations

from collections.abc import Sequence

from caxton.finding import ConversationSubject, Subject
from caxton.finding.subjects import is_open, troubled
from caxton.presentation.text import safe
from caxton.schemas.messages import ConversationBody
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.model.reader import LISTED
from caxton_tui.widgets.status_bars import titled
from caxton_tui.widgets.tables.table import Column, Table
from caxton_tui.widgets.typed_app import key_for

_SIGNS = {"Initiated": "○", "InProgress": "◌", "Completed": "●", "Failed": "✗", "Expired": "◷"}
_STYLES = {
    "Completed": "listing--good",
    "Failed": "listing--bad",
    "Expired": "listing--bad",
    "InProgress": "listing--warn",
}
NEVER = float("inf")
DEEPEST = 4
"""So far to the right the name of one that serves another stands."""
NEWEST = 20
"""Among so many the one that is followed is chosen."""


class ConversationList(Table[ConversationBody]):
    """The newest conversations."""

    NAME = "CONVERSATION"
    LONGEST = 28

    def __init__(self, context: ViewContext, *, id: str) -> None:
        self.context = context
        self._depths: dict[str, int] = {}
        """How many conversations it serves one over the other, where it stands under another."""
        super().__init__(
            [
                Column("PROTOCOL", 12, 5, protocol, lambda _: "listing--dim"),
                Column("STATE", 12, 0, state, lambda body: _STYLES.get(body.state or "", "")),
                Column(
                    "WHO",
                    -3,
                    6,
                    lambda body: str(len(body.participants)),
                    order=lambda body: len(body.participants),
                ),
                Column(
                    "MSGS",
                    -4,
                    1,
                    lambda body: formatting.brief(body.messages),
                    order=lambda body: body.messages,
                ),
                Column(
                    "AGE",
                    -4,
                    3,
                    lambda body: formatting.ago(context.age_s(body.started_at)),
                    order=lambda body: -body.started_at.timestamp(),
                ),
                Column("DUE", -4, 4, self._due, order=lambda body: -(due(body) or NEVER)),
                Column(
                    "BAD",
                    -3,
                    2,
                    violations,
                    lambda _: "listing--bad",
                    sparse=True,
                    order=lambda body: body.violations,
                ),
            ],
            context.kept,
            id=id,
        )

    def key(self, thing: ConversationBody) -> str:
        """Its id."""
        return str(thing.id)

    def name_of(self, thing: ConversationBody) -> str:
        """Its id as a terminal may show it, under the one that it serves; `⚑`: pinned, `⏸`: something of it is held."""
        depth = 0 if self.view.sort else self._depths.get(thing.id, 0)
        held = "⏸ " if thing.id in self.context.store.held_in else ""
        pinned = "⚑ " if thing.pinned else ""
        return f"{'  ' * (depth - 1)}{'└ ' if depth else ''}{held}{pinned}{safe(thing.id)}"

    def arranged(self, things: Sequence[ConversationBody]) -> Sequence[ConversationBody]:
        """Each one that serves another under it, the newest first; the whole stands where its newest stood."""
        above = _above(things)
        if not above:
            self._depths = {}
            return things
        there = {one.id: one for one in things}
        below: dict[str, list[str]] = {}
        for one in reversed(things):
            if one.id in above:
                below.setdefault(above[one.id], []).append(one.id)
        found: dict[str, int] = {}
        for one in things:
            top = one.id
            while top in above:
                top = above[top]
            waiting = [(top, 0)] if top not in found else []
            while waiting:
                id, depth = waiting.pop()
                found[id] = depth
                waiting += [(each, min(depth + 1, DEEPEST)) for each in below.get(id, [])]
        self._depths = found
        return [there[id] for id in found]

    def subject(self, thing: ConversationBody) -> Subject:
        """What a filter looks at."""
        return ConversationSubject(thing, self.context.store.platform)

    def troubled(self, thing: ConversationBody) -> bool:
        """Failed, ran out of time, or broke its protocol."""
        return troubled(thing)

    @property
    def beside(self) -> object:
        """What is held, and the second, for ages and deadlines."""
        return self.context.store.held_in, self.context.now_us // 1_000_000

    @property
    def foremost(self) -> int:
        """Of the newest the one with the most members, for that is where something happens."""
        newest = self.things[:NEWEST]
        return max(range(len(newest)), key=lambda place: len(newest[place].participants), default=0)

    @property
    def empty(self) -> str:
        """What to do next."""
        if self.wanted is not None:
            none = "No conversation passes the filter."
            if any(term.field == "act" for term in self.wanted.terms):
                none = f"act: is of messages, {key_for(self, 'app.log')} shows them."
            return f"{none}\n{key_for(self, 'app.back')} drops it."
        if not self.context.store.listed:
            return self.context.store.not_listed(self.context.clock.monotonic())
        return (
            "No conversation yet.\n"
            f"{key_for(self, 'app.compose')} sends a message, {key_for(self, 'app.task')} starts a task.\n"
            "In a shell:\n  caxton msg send --to AGENT …\n  caxton demo"
        )

    @property
    def shown(self) -> str:
        """How many are shown, and of how many, where all were looked through."""
        search = self.context.store.search_for(self.wanted)
        if search is None or not search.searched:
            return f"{self.total:,}" + (" newest" if self.total >= LISTED else "")
        newest = " newest" if search.enough else ""
        return f"{self.total:,}{newest} of {search.searched:,} searched{'' if search.done else '…'}"

    def flush(self) -> None:
        """Bring the newest state on screen."""
        self.take(self.context.store.conversations_for(self.wanted))
        titled(self, f"Conversations {self.shown}")

    def _due(self, body: ConversationBody) -> str:
        if body.id in self.context.store.held_in:
            # its clock stands still
            return "⏸"
        moment = due(body)
        return "" if moment is None else f"{max(moment - self.context.now_us / 1e6, 0):.0f}s"[:4]


def _above(things: Sequence[ConversationBody]) -> dict[str, str]:
    """Which conversation each one serves, of those in the list; those that serve none are not in it.

    It is the one that it was begun in, unless that had ended by then: what follows one serves what that one served.
    """
    there = {one.id: one for one in things}
    above: dict[str, str] = {}
    for one in reversed(things):
        parent = there.get(one.parent or "")
        while parent is not None and is_open(parent) is False and parent.last_at <= one.started_at:
            parent = there.get(above.get(parent.id, ""))
        if parent is not None:
            above[one.id] = parent.id
    return above


def state(body: ConversationBody) -> str:
    """Its state as a sign and a word; a conversation that follows no protocol has none."""
    word = safe(body.state or "")
    return f"{_SIGNS.get(word, '·')} {word}" if word else "·"


def protocol(body: ConversationBody) -> str:
    """Its protocol without FIPA's prefix."""
    return safe(body.protocol or "-").removeprefix("fipa-")


def violations(body: ConversationBody) -> str:
    """How many messages broke the protocol; nothing where none did."""
    count = body.violations
    return f"✗{count}" if count else ""


def due(body: ConversationBody) -> float | None:
    """The earliest deadline of its branches, in seconds since 1970; None where there is none."""
    moment = body.deadline_at
    if moment is None or is_open(body) is False:
        return None
    return moment.timestamp()
