"""The deployments: which agent, from which revision to which, how far, and what the gate found.

In: deployments as the API gives them. Out: one line each, the newest first; those that wait for a decision say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from caxton.finding import Subject
from caxton.presentation.text import safe
from caxton.schemas.deployments import DeploymentBody
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.model.open_views import FINAL
from caxton_tui.widgets.deployment_card import sign, stands
from caxton_tui.widgets.replay_card import found, found_style
from caxton_tui.widgets.table import Column, Table
from caxton_tui.widgets.typed_app import key_for

_STYLES: Final = {"running": "listing--good", "failed": "listing--bad", "rolled_back": "listing--bad"}


class DeploymentList(Table[DeploymentBody]):
    """Deployments, the newest first."""

    NAME = "AGENT"
    LONGEST = 20

    def __init__(self, context: ViewContext, *, id: str = "deployment-list") -> None:
        self.context = context
        super().__init__(
            [
                Column(
                    "STATE",
                    13,
                    0,
                    lambda one: f"{sign(one)} {stands(one)}",
                    lambda one: _STYLES.get(one.state, "listing--warn"),
                ),
                Column("GATE", 10, 1, found, found_style),
                Column("TO", 7, 2, lambda one: str(one.revision or "-")[:7]),
                Column("FROM", 7, 4, lambda one: str(one.previous or "-")[:7], lambda _: "listing--dim"),
                Column("STRATEGY", 10, 5, lambda one: safe(one.strategy)),
                Column("AGE", -4, 3, lambda one: formatting.ago(context.age_s(one.created_at))),
            ],
            id=id,
        )

    def key(self, thing: DeploymentBody) -> str:
        """Its id."""
        return str(thing.id)

    def name_of(self, thing: DeploymentBody) -> str:
        """Its agent."""
        return formatting.short(thing.agent, self.context.store.platform)

    def subject(self, thing: DeploymentBody) -> Subject:
        """What a filter looks at."""
        return DeploymentSubject(thing, self.name_of(thing))

    def troubled(self, thing: DeploymentBody) -> bool:
        """Failed, rolled back, or waiting for a decision."""
        return thing.waits or thing.state in ("failed", "rolled_back")

    @property
    def beside(self) -> object:
        """The second, for the ages."""
        return self.context.now_us // 1_000_000

    @property
    def empty(self) -> str:
        """What to do next."""
        if self.wanted is not None:
            return f"No deployment passes the filter.\n{key_for(self, 'app.back')} drops it."
        deploy, agents = key_for(self, "agents.deploy"), key_for(self, "app.agents")
        return (
            f"Nothing was deployed yet. Press {deploy} on screen {agents}, or:\n"
            "  caxton agent deploy NAME FILE\n  caxton dev"
        )


class DeploymentSubject:
    """A deployment as a filter sees it."""

    __slots__ = ("_agent", "_one")

    def __init__(self, one: DeploymentBody, agent: str) -> None:
        self._one = one
        self._agent = agent

    @property
    def everything(self) -> str:
        """Agent, revisions, strategy, state, reason."""
        one = self._one
        fields = (one.revision, one.previous, one.strategy, one.state, one.reason, one.id)
        return "\n".join((self._agent, *(text or "" for text in fields))).casefold()

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds."""
        match field:
            case "agent":
                return (self._agent,)
            case "state":
                return (str(self._one.state), stands(self._one))
            case "is":
                bad = self._one.waits or self._one.state in ("failed", "rolled_back")
                is_open = self._one.state not in FINAL
                return [word for word, so in (("problem", bad), ("open", is_open)) if so]
            case _:
                return ()
