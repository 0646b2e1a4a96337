"""What a replay says: plain values, for the API and for people."""

from __future__ import annotations

from typing import Any

import msgspec

from caxton.replay.asked import Asked
from caxton.replay.diff import Difference

SAME, CHANGED, ILLEGAL, TRAPPED, NOT_RUN = "same", "changed", "illegal", "trapped", "not_run"
"""What became of a turn. `illegal`: it says what its protocol does not allow, and did not then. `trapped`: it costs the
instance, and did not then. `not_run`: the time was over, or the instance was lost too often."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """The state that an agent began with: `beginning` or `snapshot` (after message `seq`), then `turns` more."""

    kind: str
    seq: int
    turns: int = 0
    exact: bool = True
    """Whether that is the state which the first turn met."""
    reason: str | None = None
    """Why it is not."""


class Illegal(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the referee would not let pass: which one of the turn, the rule, what would have been legal."""

    message: int
    rule: str
    sentence: str
    legal: list[str]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A turn as one build did it."""

    status: str
    fuel: int
    memory_kib: int | None = None
    """Linear memory after the turn."""
    error: str | None = None
    messages: list[Any] | None = None
    """What it said, where that differs."""


class TurnReport(msgspec.Struct, frozen=True, kw_only=True):
    """One turn, then and now."""

    seq: int
    agent: str
    conversation_id: str
    at_us: int
    performative: str
    sender: str
    revision: str | None
    """The build that did it then."""
    verdict: str
    before: Side
    after: Side | None = None
    differences: list[Difference] = []
    illegal: list[Illegal] = []
    asks: list[Asked] = []
    """What it asks models, tools and other effects now and did not then: no record has the answer."""

    @property
    def only_asks(self) -> bool:
        """Whether it differs in nothing but what it asks, and all of that was answered."""
        answered = bool(self.asks) and all(one.source for one in self.asks)
        ended_so = self.after is not None and self.after.status == self.before.status
        return answered and ended_so and not self.differences and not self.illegal


class AgentReport(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's part."""

    agent: str
    revision: str
    """The build that it was replayed against."""
    start: Start
    stumbled: list[int] = []
    """Messages of other conversations, on the way there, whose turns went well once and cost the instance now."""
    memory_kib: int | None = None
    """Linear memory at the end; None where nobody can see it."""
    changed: list[str] = []
    """Settings and limits that were others at the first of the turns; the replay has those of now."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """How many turns became what, and the fuel of those that were run, then and now."""

    turns: int
    same: int
    changed: int
    illegal: int
    trapped: int
    not_run: int
    fuel_before: int
    fuel_after: int
    asks: int = 0
    """Questions to the world that have no answer in the record; `tokens` and `money` are the most that asking them
    would cost, or have cost where they were asked."""
    tokens: int = 0
    money: float = 0.0
    live: int = 0
    """How many of them were asked for real."""

    @property
    def differs(self) -> bool:
        """Whether any turn that was run did not end as it did."""
        return self.same + self.not_run < self.turns


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole replay. Turns stand in the order of their messages."""

    conversations: list[str]
    agents: list[AgentReport]
    turns: list[TurnReport]
    totals: Totals
    elapsed_ms: float
    timed_out: bool = False


def total(turns: list[TurnReport]) -> Totals:
    """The totals of some turns."""
    count: dict[str, int] = dict.fromkeys((SAME, CHANGED, ILLEGAL, TRAPPED, NOT_RUN), 0)
    before = after = 0
    for turn in turns:
        count[turn.verdict] += 1
        # a turn that did not return is charged its whole budget, which says nothing of what it cost
        if turn.after is not None and turn.after.status == "ok" and turn.before.status == "ok":
            before += turn.before.fuel
            after += turn.after.fuel
    asks = [one for turn in turns for one in turn.asks if one.source != "record"]
    return Totals(
        turns=len(turns),
        **count,
        fuel_before=before,
        fuel_after=after,
        asks=len(asks),
        tokens=sum(one.tokens for one in asks),
        money=round(sum((one.money for one in asks), 0.0), 9),
        live=sum(1 for one in asks if one.source == "live"),
    )
