"""Who talks to whom: a line for each sender and receiver, with how much, how fast, and what was said last.

In: the topology. Out: lines by sender, each with a bar for its share of the busiest.
"""

from __future__ import annotations

from caxton.finding import Subject
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.model.topology import AgentLink, Topology
from caxton_tui.widgets.tables.table import Column, FieldSubject, Table

BAR = 12


class LinkList(Table[AgentLink]):
    """The links of a topology."""

    NAME = "FROM"
    LONGEST = 24

    def __init__(self, context: ViewContext, topology: Topology, *, id: str = "link-list") -> None:
        self.context = context
        self._topology = topology
        super().__init__(
            [
                Column("TO", 20, 0, lambda link: link.receiver, lambda _: "listing--name"),
                Column(
                    "MSGS",
                    -6,
                    1,
                    lambda link: formatting.brief(link.messages),
                    order=lambda link: link.messages,
                ),
                Column("SHARE", BAR, 5, self._bar, lambda _: "listing--good"),
                Column("MSG/S", -5, 2, lambda link: formatting.brief(self._per_s(link)), order=self._per_s),
                Column(
                    "BAD",
                    -4,
                    3,
                    lambda link: f"✗{formatting.brief(link.problems)}" if link.problems else "",
                    lambda _: "listing--bad",
                    sparse=True,
                    order=lambda link: link.problems,
                ),
                Column("LAST", 17, 4, lambda link: f"{formatting.sign('message', link.act)} {link.act}"),
                Column(
                    "AGE", -4, 6, self._age, order=lambda link: 0 if link.at is None else -link.at.timestamp()
                ),
            ],
            context.kept,
            id=id,
        )

    def key(self, thing: AgentLink) -> str:
        """Both names."""
        return f"{thing.sender} → {thing.receiver}"

    def name_of(self, thing: AgentLink) -> str:
        """Who speaks."""
        return thing.sender

    def subject(self, thing: AgentLink) -> Subject:
        """What a filter looks at."""
        names = (thing.sender, thing.receiver)
        fields = {"from": names[:1], "to": names[1:], "agent": names, "act": (thing.act,)}
        return FieldSubject(names, {**fields, "is": ("problem",) * bool(thing.problems)}, thing.at)

    def troubled(self, thing: AgentLink) -> bool:
        """Something went wrong between the two."""
        return bool(thing.problems)

    @property
    def beside(self) -> object:
        """What was counted, and the second."""
        links = self._topology.links
        return sum(link.messages for link in links), self.context.now_us // 1_000_000

    @property
    def empty(self) -> str:
        """Nobody spoke."""
        return "Nobody has said anything since this app was started, nor shortly before."

    def _per_s(self, link: AgentLink) -> float:
        return link.per_s(self.context.now_us / 1e6)

    def _bar(self, link: AgentLink) -> str:
        most = self._topology.busiest
        return "▇" * max(round(link.messages / most * BAR), 1) if most else ""

    def _age(self, link: AgentLink) -> str:
        return "" if link.at is None else formatting.ago(self.context.age_s(link.at))
