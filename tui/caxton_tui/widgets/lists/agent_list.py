"""The agents: who is there, in which state, and how busy.

In: the store's last look. Out: one line an agent, painted on demand: ten thousand agents cost what forty do. As many
columns as fit, the dearest first.
"""

from __future__ import annotations

from typing import Final

from caxton.finding import Subject
from caxton.presentation.text import memory, safe
from caxton.schemas.daemon import AgentBody
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.widgets.tables.table import Column, FieldSubject, Table
from caxton_tui.widgets.typed_app import key_for

_STYLES: Final = {"running": "listing--good", "failed": "listing--bad"}


def state(agent: AgentBody) -> str:
    """An agent's state as a sign and a word."""
    word = safe(agent.state)
    return f"{formatting.STATE_SIGNS.get(word, '○')} {word}"


class AgentList(Table[AgentBody]):
    """Every agent, by name."""

    NAME = "AGENT"

    def __init__(self, context: ViewContext, *, id: str = "agent-list") -> None:
        self._store = store = context.store
        super().__init__(
            [
                Column("STATE", 12, 0, state, lambda agent: _STYLES.get(agent.state, "listing--warn")),
                Column("REVISION", 8, 6, lambda agent: str(agent.revision or "-")[:8]),
                Column(
                    "WAIT",
                    -4,
                    2,
                    lambda agent: formatting.brief(agent.mailbox),
                    order=lambda agent: agent.mailbox,
                ),
                Column(
                    "MSG/S",
                    -5,
                    1,
                    lambda agent: formatting.brief(store.pace(agent).turns_s),
                    order=lambda agent: store.pace(agent).turns_s,
                ),
                Column(
                    "FUEL/S",
                    -6,
                    4,
                    lambda agent: formatting.brief(store.pace(agent).fuel_s),
                    order=lambda agent: store.pace(agent).fuel_s,
                ),
                Column(
                    "MEMORY",
                    -8,
                    5,
                    lambda agent: memory(agent.memory_kib),
                    order=lambda agent: agent.memory_kib or 0,
                ),
                Column(
                    "ERR",
                    -4,
                    3,
                    lambda agent: formatting.brief(agent.failed_turns),
                    lambda agent: "listing--bad" if agent.failed_turns else "",
                    order=lambda agent: agent.failed_turns,
                ),
                Column(
                    "STARTS",
                    -6,
                    7,
                    lambda agent: formatting.brief(agent.restarts),
                    order=lambda agent: agent.restarts,
                ),
            ],
            context.kept,
            id=id,
        )

    def key(self, thing: AgentBody) -> str:
        """Its name."""
        return str(thing.name)

    def name_of(self, thing: AgentBody) -> str:
        """Its name without this platform."""
        return formatting.short(thing.name, self._store.platform)

    def subject(self, thing: AgentBody) -> Subject:
        """What a filter looks at."""
        name, bad = self.name_of(thing), bool(thing.failed_turns or thing.last_error)
        return FieldSubject(
            (name, thing.state, str(thing.revision), thing.last_error or ""),
            {
                **dict.fromkeys(("agent", "from", "to"), (name,)),
                "state": (thing.state,),
                "is": ("problem",) * bad,
            },
        )

    def troubled(self, thing: AgentBody) -> bool:
        """Failed, or with turns that failed."""
        return bool(thing.state == "failed" or thing.failed_turns or thing.last_error)

    @property
    def empty(self) -> str:
        """What to do next."""
        if self.wanted is not None:
            return f"No agent passes the filter.\n{key_for(self, 'app.back')} drops it."
        deploy = key_for(self, "agents.deploy")
        return f"No agent yet. Press {deploy} to deploy one, or:\n  caxton agent deploy NAME FILE.wasm\n  caxton demo"
