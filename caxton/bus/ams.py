"""The agent management service `ams`: the white pages of this platform, and agents' lives by message (FIPA00023, 4.2).

In: `request` to register, deregister, modify, search, and get-description; `subscribe` to agents' lives, `cancel`. Out:
answers, and an `inform` for every change of a life. Guests are registered by their deployment and leave with their
removal; a client may register its own name. `modify` of a state to `suspended` or `active` suspends and resumes;
`deregister` of a guest removes it. Only the agent itself and clients may do so.

It is also the name in which the platform says that something could not be delivered (`Bus.dead_letter`).
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, ClassVar, Final, Protocol

import msgspec

from caxton.acl import Performative
from caxton.bus.bus import Bus
from caxton.bus.content_languages import ContentLanguage
from caxton.bus.directory import Directory, matches
from caxton.bus.endpoint import Envelope
from caxton.bus.life_search import life_search, names_like
from caxton.bus.management_agent import OPEN_NOTHING
from caxton.bus.platform_agents import PLATFORM_NUMBERS
from caxton.bus.subscribing_agent import SubscribingAgent
from caxton.bus.subscriptions import OF as DF_OF
from caxton.bus.vocabulary import (
    Declined,
    Function,
    Json,
    ManagementRequest,
    Reading,
    agent_name,
    failed,
    missing,
    refused,
    unauthorised,
)
from caxton.clock import Clock
from caxton.errors import CaxtonError
from caxton.journal import DirectoryRow, Reader

OF: Final = "ams-agent-description"
CLIENTS_MAX: Final = 1000
_STATES: Final = {
    "unloaded": "initiated",
    "loaded": "initiated",
    "running": "active",
    "draining": "active",
    "suspended": "suspended",
    "failed": "unknown",
}
"""FIPA's word for each state of an agent's life."""
_SERVICES: Final = {"ams": "fipa.ams", "df": "fipa.df", "timer": "caxton.timer"}
_encode = msgspec.json.Encoder().encode


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


class Ams(SubscribingAgent):
    """The one authority on which agents there are."""

    rows = "watch"
    functions: ClassVar[Mapping[str, Function]] = {
        "register": Function(OF),
        "deregister": Function(OF),
        "modify": Function(OF),
        "search": Function(OF, needs=False, constraints=True),
        "get-description": Function(),
    }

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

    async def load(self, reader: Reader) -> None:
        """Read what was registered."""
        for row in await reader.directory("ams"):
            assert row.body is not None
            self._said[row.key] = msgspec.json.decode(row.body)
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
        self._tell({"name": name}, "removed", {})
        if name in self._said:
            self._forget(name)

    def agents(self) -> list[Json]:
        """Every agent of this platform as FIPA describes it: its own, the guests, and clients that registered."""
        states = [(self._bus.full_name(name), "active") for name in PLATFORM_NUMBERS]
        states += [(name, _STATES[state]) for name, state in self._guests.states()]
        known = {name for name, _ in states}
        states += [(name, "active") for name in self._said if name not in known]
        return [self._description(name, state) for name, state in states]

    # ------------------------------------------------------------------ messages

    def attend(self, envelope: Envelope, form: ContentLanguage) -> None:
        """Answer a request."""
        act = envelope.message.performative
        if act is Performative.CANCEL:
            self.cancel(envelope, form)
            return
        if act not in (Performative.REQUEST, Performative.SUBSCRIBE):
            raise self.unsupported(envelope, "request, subscribe and cancel")
        subscribes = act is Performative.SUBSCRIBE
        wish = self.wish(envelope, form, self.search_in if subscribes else None)
        try:
            if subscribes:
                self.subscribe(envelope, form, wish)
                return
            match wish.action:
                case "search":
                    self._search(envelope, form, wish)
                case "get-description":
                    self.inform(envelope, form.result(wish, "ap-description", [self._platform()]))
                case "register":
                    self._register(envelope, form, wish)
                case "modify":
                    self._modify(envelope, form, wish)
                case _:
                    self._deregister(envelope, form, wish)
        except Declined as declined:
            self.decline(envelope, form, wish, declined)

    def oldest(self) -> int:
        """The lowest number among the messages that it has not finished."""
        return min(self._open, default=OPEN_NOTHING)

    def _search(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        found = self.found(wish)
        most = (wish.constraints or {}).get("max-results", -1)
        self.inform_all(envelope, form.result(wish, OF, found if most < 0 else found[:most]))

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
        return "state" not in agent or matches(OF, rest, agent)

    def _tell(self, agent: Json, what: str, more: Mapping[str, object]) -> None:
        """Tell whoever watches that agent, but itself: it is told of its own life otherwise."""
        change: Json = {"what": what, **agent, "reason": more.get("reason")}
        if what == "swapped":
            change |= {"from": more["before"], "to": more["revision"]}
        found = [] if what == "removed" else [agent]
        for watch in self.watches.every():
            if watch.subscription.subscriber != agent["name"] and self._concerns(watch.wish, agent):
                self.notify(watch, found, change, None)

    def _platform(self) -> Json:
        services: list[Json] = [
            {"name": self._bus.full_name(name), "type": kind, "addresses": []}
            for name, kind in _SERVICES.items()
        ]
        return {"name": self._bus.platform, "ap-services": services}

    def _register(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        name, description = self._named(envelope, wish)
        if self._state(name) is not None:
            raise failed("already-registered", reason=f"{name} is registered already")
        if not self._bus.clients.is_client(name):
            raise refused(
                "unrecognised-parameter-value",
                "name",
                name,
                reason=f"there is no agent {name} here",
                hint="a guest is registered by its deployment: caxton agent deploy",
            )
        if description.get("state", "active") != "active":
            raise self._no_state(description["state"])
        if len(self._said) >= CLIENTS_MAX:
            raise failed("internal-error", "full", reason=f"{CLIENTS_MAX:,} are registered already")
        self._keep(name, description)
        self.inform(envelope, form.done(wish, self._described(name)))

    def _modify(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        name, description = self._named(envelope, wish)
        now = self._state(name)
        if now is None:
            raise failed("not-registered", reason=f"there is no agent {name}")
        if name in self._bus.platform_agents:
            raise unauthorised(f"{name} belongs to the platform")
        wanted = description.get("state", now)
        if wanted != now and (wanted not in ("active", "suspended") or name not in self._bus.endpoints):
            raise self._no_state(wanted)
        if "ownership" in description:
            self._keep(name, description)
        if wanted == now:
            self.inform(envelope, form.done(wish, self._described(name)))
        else:
            step = self._guests.suspend if wanted == "suspended" else self._guests.resume
            self._begin(envelope, form, wish, name, step(name))

    def _deregister(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        name, _ = self._named(envelope, wish)
        if name in self._bus.platform_agents:
            raise unauthorised(f"{name} belongs to the platform")
        if name in self._bus.endpoints:
            self._begin(envelope, form, wish, name, self._guests.remove(name))
        elif name in self._said:
            self._forget(name)
            self.inform(envelope, form.done(wish, None))
        elif envelope.redelivered:
            # it was removed, and the daemon ended before that could be said
            self.inform(envelope, form.done(wish, None))
        else:
            raise failed("not-registered", reason=f"there is no agent {name}")

    # ------------------------------------------------------------------ what takes its time

    def _begin(
        self,
        envelope: Envelope,
        form: ContentLanguage,
        wish: ManagementRequest,
        name: str,
        work: Coroutine[Any, Any, object],
    ) -> None:
        self._open.add(envelope.seq)
        self._guests.spawn(self._carry_out(envelope, form, wish, name, work))

    async def _carry_out(
        self,
        envelope: Envelope,
        form: ContentLanguage,
        wish: ManagementRequest,
        name: str,
        work: Coroutine[Any, Any, object],
    ) -> None:
        """Change an agent's life, then say so; a message that is open at the daemon's end is delivered again."""
        try:
            await work
        except CaxtonError as error:
            problem = failed("internal-error", error.message, reason=error.message, hint=error.hint)
            self.decline(envelope, form, wish, problem)
        else:
            if name in self._bus.endpoints:
                self.inform(envelope, form.done(wish, self._described(name)))
            elif envelope.message.sender == name:
                # who has removed itself is not there to be told
                self.finish(envelope)
            else:
                self.inform(envelope, form.done(wish, None))
        finally:
            self._open.discard(envelope.seq)
        self._bus.settle()

    # ------------------------------------------------------------------ rules and rows

    def _named(self, envelope: Envelope, wish: ManagementRequest) -> tuple[str, Json]:
        """The agent that a wish is about, where its sender may speak for it, and what is said of it."""
        description = wish.description or {}
        said = description.get("name")
        if said is None:
            raise missing(OF, "name", wish.action)
        name = agent_name(said)
        if not self.may(envelope, name):
            raise unauthorised(
                f"{envelope.message.sender} may not {wish.action} {name}",
                "only the agent itself and clients may",
            )
        return name, description

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
        return {"name": name, **({} if owner is None else {"ownership": owner}), "state": state}

    def _no_state(self, state: str) -> Declined:
        return refused(
            "unrecognised-parameter-value",
            "state",
            state,
            reason=f"an agent cannot be brought to the state {state[:80]!r} by the ams",
            hint="a guest can be made suspended, and active again; the rest is its life",
        )

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
