"""The agent management service `ams`: the white pages of this platform, and agents' lives by message (FIPA00023, 4.2).

In: `request` to register, deregister, modify, search, and get-description, to create, destroy, suspend and resume;
`subscribe` to agents' lives, `cancel`. Out: answers, and an `inform` for every change of a life. Guests are registered
by their deployment and leave with their removal; a client may register its own name. `modify` of a state to `suspended`
or `active` suspends and resumes; `deregister` of a guest removes it. Only the agent itself, who made it, and clients
may do so, and who has the right in `caxton.toml`.

It is also the name in which the platform says that something could not be delivered (`Bus.dead_letter`).
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from caxton.acl import Performative
from caxton.bus.envelope import Envelope
from caxton.errors import CaxtonError
from caxton.platform_agents.content_languages import ContentLanguage
from caxton.platform_agents.management_agent import OPEN_NOTHING
from caxton.platform_agents.new_agent import OF as NEW
from caxton.platform_agents.new_agent import new_agent
from caxton.platform_agents.vocabulary import (
    Declined,
    Function,
    Json,
    ManagementRequest,
    agent_name,
    failed,
    missing,
    refused,
    unauthorised,
)
from caxton.platform_agents.white_pages import OF, WhitePages

CLIENTS_MAX: Final = 1000
_SERVICES: Final = {"ams": "fipa.ams", "df": "fipa.df", "timer": "caxton.timer", "topics": "caxton.topics"}
_RIGHTS: Final = {"modify": "suspend", "deregister": "destroy"} | {
    right: right for right in ("destroy", "suspend", "resume")
}
"""What an agent needs to do that to another one which it did not make."""


class Ams(WhitePages):
    """The one authority on which agents there are."""

    functions: ClassVar[Mapping[str, Function]] = {
        "register": Function(OF),
        "deregister": Function(OF),
        "modify": Function(OF),
        "search": Function(OF, needs=False, constraints=True),
        "get-description": Function(),
        "create": Function(NEW, flat=True),
        "destroy": Function(OF, needs=False, flat=True),
        "suspend": Function(OF, needs=False, flat=True),
        "resume": Function(OF, needs=False, flat=True),
    }

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
                case "create":
                    self._create(envelope, form, wish)
                case "suspend" | "resume":
                    self._change(envelope, form, wish)
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

    def _platform(self) -> Json:
        services: list[Json] = [
            {"name": self._bus.full_name(name), "type": kind, "addresses": []}
            for name, kind in _SERVICES.items()
            if self._bus.full_name(name) in self._bus.platform_agents
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

    def _create(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        by, maker = self._agent_maker, envelope.message.sender
        assert by is not None
        known = by.lineage.made(maker, envelope.seq) if envelope.redelivered else None
        if known is not None:
            # it was made, and the daemon ended before that could be said
            self.inform(envelope, self._made(form, wish, known))
            return
        wanted = new_agent(wish.description or {}, maker, envelope.seq)
        by.check(wanted)
        self._open.add(envelope.seq)
        self._guests.spawn(self._make(envelope, form, wish, by.create(wanted)))

    async def _make(
        self,
        envelope: Envelope,
        form: ContentLanguage,
        wish: ManagementRequest,
        work: Coroutine[Any, Any, str],
    ) -> None:
        """Make an agent, and say its name to who asked."""
        try:
            name = await work
        except Declined as declined:
            self.decline(envelope, form, wish, declined)
        except CaxtonError as error:
            self.decline(envelope, form, wish, _broken(error))
        else:
            self.inform(envelope, self._made(form, wish, name))
        finally:
            self._open.discard(envelope.seq)
        self._bus.settle()

    def _made(self, form: ContentLanguage, wish: ManagementRequest, name: str) -> object:
        # SL0 has no other place for a name that was found than the action itself
        said = replace(wish, description={**(wish.description or {}), "name": name})
        return form.done(said, self._described(name))

    def _change(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        name, _ = self._named(envelope, wish)
        if name not in self._bus.endpoints:
            raise failed("not-registered", reason=f"there is no agent {name} that has a life")
        step = self._guests.suspend if wish.action == "suspend" else self._guests.resume
        self._begin(envelope, form, wish, name, step(name))

    def _deregister(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        name, _ = self._named(envelope, wish)
        if name in self._bus.platform_agents:
            raise unauthorised(f"{name} belongs to the platform")
        if name in self._bus.endpoints:
            sender = envelope.message.sender
            self._ends[name] = "it ended itself" if sender == name else f"{sender} ended it"
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
            self.decline(envelope, form, wish, _broken(error))
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
        said, sender = description.get("name"), envelope.message.sender
        if said is None:
            if wish.action not in ("destroy", "suspend", "resume"):
                raise missing(OF, "name", wish.action)
            said = sender
        name = agent_name(said)
        if not self.may(envelope, name):
            right = _RIGHTS.get(wish.action)
            if right is None or self._agent_maker is None:
                raise unauthorised(
                    f"{sender} may not {wish.action} {name}", "only the agent itself and clients may"
                )
            lineage = self._agent_maker.lineage
            if not (lineage.rules(sender, name) or lineage.may(sender, right)):
                raise unauthorised(
                    f"{sender} may not {wish.action} {name}: it did not make it",
                    f'in caxton.toml: [agents.{sender.partition("@")[0]}] may = ["{right}"]',
                )
        return name, description

    def _no_state(self, state: str) -> Declined:
        return refused(
            "unrecognised-parameter-value",
            "state",
            state,
            reason=f"an agent cannot be brought to the state {state[:80]!r} by the ams",
            hint="a guest can be made suspended, and active again; the rest is its life",
        )


def _broken(error: CaxtonError) -> Declined:
    return failed("internal-error", error.message, reason=error.message, hint=error.hint)
