"""The deployments: which agent, from which revision to which, how far, and what the gate found.

In: deployments as the API gives them. Out: one line each, the newest first; those that wait for a decision say so.
"""

from __future__ import annotations

from typing import Final

from caxton.finding import Subject
from caxton.presentation.text import safe
from caxton.schemas.deployments import DeploymentBody
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.model.open_views import FINAL
from caxton_tui.widgets.deployment_card import sign, stands
from caxton_tui.widgets.replay_card import found, found_style
from caxton_tui.widgets.tables.table import Column, FieldSubject, Table
from caxton_tui.widgets.typed_app import key_for

_STYLES: Final = {"running": "listing--good", "failed": "listing--bad", "rolled_back": "listing--bad"}


def _found(one: DeploymentBody) -> str:
    """What its gate found; nothing where it has none."""
    return found(one).removeprefix("-")


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
                Column("GATE", 10, 1, _found, found_style, sparse=True),
                Column("TO", 7, 2, lambda one: str(one.revision or "-")[:7]),
                Column("FROM", 7, 4, lambda one: str(one.previous or "-")[:7], lambda _: "listing--dim"),
                Column("STRATEGY", 10, 5, lambda one: safe(one.strategy)),
                Column(
                    "AGE",
                    -4,
                    3,
                    lambda one: formatting.ago(context.age_s(one.created_at)),
                    order=lambda one: -one.created_at.timestamp(),
                ),
            ],
            context.kept,
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
        name = self.name_of(thing)
        parts = (thing.revision, thing.previous, thing.strategy, thing.state, thing.reason, thing.id)
        marks = (("problem", self.troubled(thing)), ("open", thing.state not in FINAL))
        return FieldSubject(
            (name, *(part or "" for part in parts)),
            {
                "agent": (name,),
                "state": (thing.state, stands(thing)),
                "is": [word for word, so in marks if so],
            },
            thing.created_at,
        )

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
