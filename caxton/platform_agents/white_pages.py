"""The white pages of this platform (FIPA00023, 4.2): which agents there are, who made them, who watches their lives.

In: the guests, clients that registered, and every change of a life. Out: descriptions in FIPA's words, and an `inform`
to everybody who watches an agent that has changed.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Final, Protocol

from caxton import exact_numbers
from caxton.bus.bus import Bus
from caxton.clock import Clock
from caxton.journal import DirectoryRow, Reader
from caxton.platform_agents.content_languages import ContentLanguage
from caxton.platform_agents.directory import Directory, matches
from caxton.platform_agents.life_search import life_search, names_like
from caxton.platform_agents.new_agent import AgentMaker
from caxton.platform_agents.subscribing_agent import SubscribingAgent
from caxton.platform_agents.subscriptions import OF as DF_OF
from caxton.platform_agents.vocabulary import Json, ManagementRequest, Reading, agent_name

OF: Final = "ams-agent-description"
_STATES: Final = {
    "unloaded": "initiated",
    "loaded": "initiated",
    "running": "active",
    "draining": "active",
    "suspended": "suspended",
    "failed": "unknown",
}
"""FIPA's word for each state of an agent's life."""
_encode = exact_numbers.encode


class Guests(Protocol):
    """What the ams needs of whoever keeps the agents."""

    def states(self) -> Iterable[tuple[str, str]]:
        """Full name and state of every agent."""
        ...

    def state(self, name: str) -> str | None:
        """The state of the agent of that full name, None where there is none."""
        ...

    async def suspend(self, name: str) -> object:
        """Let it take no turn."""
        ...

    async def resume(self, name: str) -> object:
        """Let it go on."""
        ...

    async def remove(self, name: str) -> None:
        """Stop it and forget it."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside everything else."""
        ...


class WhitePages(SubscribingAgent):
    """Who is there. What can be asked for is said by `Ams`."""

    rows = "watch"

    def __init__(
        self, bus: Bus, clock: Clock, message_bytes: int, guests: Guests, services: Directory
    ) -> None:
        super().__init__("ams", bus, clock, message_bytes)
        self._guests = guests
        self._services = services
        """What agents say in the df that they offer."""
        self._said: dict[str, Json] = {}
        """What was said of agents beyond their state: clients that registered, and who owns whom."""
        self._open: set[int] = set()
        self._ends: dict[str, str] = {}
        """Why agents are removed that somebody has removed by message."""
        self._agent_maker: AgentMaker | None = None

    def has_made(self, by: AgentMaker) -> None:
        """Agents are made for others by this from now on."""
        self._agent_maker = by

    async def load(self, reader: Reader) -> None:
        """Read what was registered."""
        for row in await reader.directory("ams"):
            assert row.body is not None
            self._said[row.key] = exact_numbers.decode(row.body)
        await self.load_subscriptions(reader)

    def changed(self, name: str, what: str, more: Mapping[str, object]) -> None:
        """A guest's life has changed; who watches it is told, in the batch that says so."""
        if what == "deployed":
            what = "started" if more.get("before") in (None, more.get("revision")) else "swapped"
        elif what == "restarted":
            what = "started"
        if what == "failed" or (what == "stopped" and more.get("reason") != "restarted"):
            self.unsubscribe_all(name)
        self._tell(self._described(name), what, more)

    def removed(self, name: str) -> None:
        """An agent is gone for good: who watches it is told, and nothing is known of it any more."""
        self.unsubscribe_all(name)
        gone = {key: one for key, one in self._description(name, "").items() if key != "state"}
        self._tell(gone, "removed", {"reason": self._ends.pop(name, None)})
        if name in self._said:
            self._forget(name)

    def owner(self, name: str) -> str | None:
        """Whose that agent is, as it or somebody else has said."""
        return self._said.get(name, {}).get("ownership")

    def take_up(self, name: str, owner: str) -> None:
        """An agent comes from elsewhere, and it was said there whose it is."""
        self._keep(name, {"ownership": owner})

    def agents(self) -> list[Json]:
        """Every agent of this platform as FIPA describes it: its own, the guests, and clients that registered."""
        states = [(name, "active") for name in self._bus.platform_agents]
        states += [(name, _STATES[state]) for name, state in self._guests.states()]
        known = {name for name, _ in states}
        states += [(name, "active") for name in self._said if name not in known]
        return [self._description(name, state) for name, state in states]

    # ------------------------------------------------------------------ who watches whom

    def search_in(self, form: ContentLanguage, content: Any, reading: Reading) -> ManagementRequest:
        """Agents by name, by a pattern of names, or by what they offer in the df."""
        return life_search(form, content, reading)

    def found(self, wish: ManagementRequest) -> list[Json]:
        """The agents that a search finds."""
        return [one for one in self.agents() if self._concerns(wish, one)]

    def _concerns(self, wish: ManagementRequest, agent: Json) -> bool:
        """Whether an agent is one of those that a search is for; one that is removed has no state any more."""
        template = wish.description or {}
        if wish.of == DF_OF:
            entry = self._services.entries.get(agent["name"])
            return entry is not None and matches(DF_OF, template, entry.description)
        rest = {key: value for key, value in template.items() if key != "name"}
        if "name" in template and not names_like(agent_name(template["name"]), agent["name"]):
            return False
        if "state" not in agent:
            rest.pop("state", None)
        return matches(OF, rest, agent)

    def _tell(self, agent: Json, what: str, more: Mapping[str, object]) -> None:
        """Tell whoever watches that agent, but itself: it is told of its own life otherwise."""
        change: Json = {"what": what, **agent, "reason": more.get("reason")}
        if what == "swapped":
            change |= {"from": more["before"], "to": more["revision"]}
        found = [] if what == "removed" else [agent]
        for watch in self.watches.every():
            if watch.subscription.subscriber != agent["name"] and self._concerns(watch.wish, agent):
                self.notify(watch, found, change, None)

    # ------------------------------------------------------------------ what is known of an agent

    def _state(self, name: str) -> str | None:
        """FIPA's word for an agent's state, None where there is no such agent."""
        state = self._guests.state(name)
        if state is None and (name in self._said or name in self._bus.platform_agents):
            state = "running"
        return None if state is None else _STATES[state]

    def _described(self, name: str) -> Json:
        state = self._state(name)
        assert state is not None
        return self._description(name, state)

    def _description(self, name: str, state: str) -> Json:
        owner = self._said.get(name, {}).get("ownership")
        maker = None if self._agent_maker is None else self._agent_maker.lineage.maker(name)
        more = {"ownership": owner, "maker": maker}
        return {"name": name, **{key: one for key, one in more.items() if one is not None}, "state": state}

    def _keep(self, name: str, description: Json) -> None:
        kept = {"ownership": description["ownership"]} if "ownership" in description else {}
        self._said[name] = kept
        self._write(name, _encode(kept).decode())

    def _forget(self, name: str) -> None:
        del self._said[name]
        self._write(name, None)

    def _write(self, name: str, body: str | None) -> None:
        row = DirectoryRow("ams", name, self._clock.now_us(), None, body)
        self._bus.journal.batch.records.append(row)
