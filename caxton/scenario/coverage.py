"""What scenarios have exercised, and what never: transitions of protocols, and acts of agents.

In: a host whose run is over. Out: how often each transition was taken, and how often each agent said and heard each
act. An agent's acts are those that a protocol has for its part in it, so what it never said or heard is known without a
look into its code.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from caxton import exact_numbers
from caxton.config import Project
from caxton.presentation.text import plural
from caxton.protocols import Legality, Referee, Role, library
from caxton.protocols.coverage import Coverage, Transition
from caxton.protocols.record import stored_message
from caxton.scenario.host import Host


class Act(NamedTuple):
    """What an agent says or hears, in its part in a protocol; both are empty outside of any."""

    protocol: str
    role: str
    way: str
    act: str

    def __str__(self) -> str:
        where = f"  in {self.protocol}, as its {self.role}" if self.protocol else ""
        return f"{self.way} {self.act}{where}"


@dataclass(frozen=True, slots=True)
class Exercised:
    """How often, with 0 for never: transitions by protocol, acts by agent."""

    transitions: Mapping[str, Mapping[Transition, int]]
    acts: Mapping[str, Mapping[Act, int]]

    def json(self) -> dict[str, Any]:
        """As `-o json` prints it."""
        return {
            "protocols": {name: _parted(table) for name, table in self.transitions.items()},
            "agents": {name: _parted(table) for name, table in self.acts.items()},
        }

    def lines(self) -> Iterator[str]:
        """What a person reads: for each protocol that was used and each agent, every row with how often."""
        for heading, table in self.tables():
            yield ""
            yield heading
            yield from (f"  {times or 'never':>5}  {what}" for what, times in table)
        unused = [name for name, table in self.transitions.items() if not any(table.values())]
        if unused:
            yield ""
            yield f"protocols that nobody used: {', '.join(unused)}"

    def tables(self) -> Iterator[tuple[str, Sequence[tuple[str, int]]]]:
        """The same as headings and rows."""
        for kind, what, all_of_them in (
            ("protocol", "transition", self.transitions),
            ("agent", "act", self.acts),
        ):
            for name, table in all_of_them.items():
                used = sum(1 for times in table.values() if times)
                if used or kind == "agent":
                    counted = (
                        f"{used} of {plural(len(table), what)} exercised" if table else "never took part"
                    )
                    yield f"{kind} {name}: {counted}", [(str(one), times) for one, times in table.items()]


def _parted(table: Mapping[Any, int]) -> dict[str, list[dict[str, Any]]]:
    return {
        "exercised": [one._asdict() | {"times": times} for one, times in table.items() if times],
        "never": [one._asdict() for one, times in table.items() if not times],
    }


def exercised(host: Host, project: Project) -> Exercised:
    """Judge once more all that was said, and count."""
    known = library(project.protocol_tables())
    referee = Referee(known, kept=sys.maxsize, seen=sys.maxsize, silence_ends=False)
    taken = Coverage(known)
    acts: dict[str, Counter[Act]] = {name: Counter() for name in project.config.agents}
    for one in host.messages():
        recorded = stored_message(one.seq, exact_numbers.encode(one.message.json))
        heard = [turn.agent for turn in one.turns or () if turn.revision is not None]
        assert recorded.message is not None
        if recorded.sender.startswith("timer@") or recorded.receiver[0].startswith(("timer@", "topic:")):
            continue  # belongs to no protocol
        verdict = referee.judge(recorded.message, recorded.at_us, recorded.proxy_of)
        there = referee.conversations.get(recorded.conversation_id)
        taken.note(verdict, there)
        if verdict.legality is Legality.VIOLATION:
            continue
        for way, names in (("says", [recorded.sender]), ("hears", heard)):
            for full in names:
                name, _, platform = full.partition("@")
                if platform == host.platform and (way == "hears" or name in acts):
                    first = there is not None and there.initiator == full
                    role = (Role.INITIATOR if first else Role.PARTICIPANT) if verdict.protocol else ""
                    act = Act(verdict.protocol or "", str(role), way, recorded.act)
                    acts.setdefault(name, Counter())[act] += 1
    now_us = round(host.now_s() * 1e6)
    for conversation in referee.conversations.values():
        taken.note_ends(referee.pass_time(conversation.id, now_us), conversation)
    return together([Exercised(taken.table(), acts)])


def together(parts: Iterable[Exercised]) -> Exercised:
    """A whole suite, with the acts that agents could have said and heard in the parts that they had."""
    transitions: dict[str, Counter[Transition]] = {}
    acts: dict[str, Counter[Act]] = {}
    for part in parts:
        for name, taken in part.transitions.items():
            transitions.setdefault(name, Counter()).update(taken)
        for name, said in part.acts.items():
            acts.setdefault(name, Counter()).update(said)
    return Exercised(transitions, {name: _with_others(acts[name], transitions) for name in sorted(acts)})


def _with_others(
    said: Mapping[Act, int], transitions: Mapping[str, Mapping[Transition, int]]
) -> dict[Act, int]:
    """With those of its parts that it never said or heard."""
    parts = sorted({(one.protocol, one.role) for one in said if one.protocol})
    could = {
        Act(protocol, role, "says" if step.by == role else "hears", step.act)
        for protocol, role in parts
        for step in transitions.get(protocol, ())
        if step.by
    }
    return {one: said.get(one, 0) for one in sorted(could | said.keys())}
