"""Screen 4: how agents came from one revision to the next.

In: deployments and, of the agent at the cursor, its newest turns. Out: the deployments, the newest first; beside
them the one at the cursor with its steps and the figures of both revisions side by side; promote, abort, roll back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from caxton.api.plain import safe
from caxton.finding import Subject
from caxton_tui import deeds, words
from caxton_tui.bars import titled
from caxton_tui.book import Wants
from caxton_tui.change_card import described, sign
from caxton_tui.columns import Column, Table
from caxton_tui.desk import Command, Desk
from caxton_tui.listing import Listing
from caxton_tui.pane import Pane
from caxton_tui.store import Json

_STYLES: Final = {"running": "listing--good", "failed": "listing--bad", "rolled_back": "listing--bad"}
FINAL: Final = frozenset({"running", "failed", "rolled_back"})


class DeploymentList(Table[Json]):
    """Deployments, the newest first."""

    NAME = "AGENT"
    LONGEST = 20

    def __init__(self, desk: Desk, *, id: str = "deployment-list") -> None:
        self._desk = desk
        super().__init__(
            [
                Column(
                    "STATE",
                    12,
                    0,
                    lambda one: f"{sign(one)} {safe(one['state'])}",
                    lambda one: _STYLES.get(one["state"], "listing--warn"),
                ),
                Column("TO", 7, 1, lambda one: str(one["revision"] or "-")[:7]),
                Column("FROM", 7, 3, lambda one: str(one["previous"] or "-")[:7], lambda _: "listing--dim"),
                Column("STRATEGY", 10, 4, lambda one: safe(one["strategy"])),
                Column("AGE", -4, 2, lambda one: words.ago(desk.age_s(one["created_at"]))),
            ],
            id=id,
        )

    def key(self, thing: Json) -> str:
        """Its id."""
        return str(thing["id"])

    def name_of(self, thing: Json) -> str:
        """Its agent."""
        return words.short(thing["agent"], self._desk.store.platform)

    def subject(self, thing: Json) -> Subject:
        """What a filter looks at."""
        return DeploymentSubject(thing, self.name_of(thing))

    def troubled(self, thing: Json) -> bool:
        """Failed or rolled back."""
        return thing["state"] in ("failed", "rolled_back")

    @property
    def empty(self) -> str:
        """What to do next."""
        if self.wanted is not None:
            return "No deployment passes the filter.\nesc drops it."
        return "Nothing was deployed yet. Press D on screen 2, or:\n  caxton agent deploy NAME FILE\n  caxton dev"


class DeploymentSubject:
    """A deployment as a filter sees it."""

    __slots__ = ("_agent", "_one")

    def __init__(self, one: Json, agent: str) -> None:
        self._one = one
        self._agent = agent

    @property
    def everything(self) -> str:
        """Agent, revisions, strategy, state, reason."""
        fields = ("revision", "previous", "strategy", "state", "reason", "id")
        return "\n".join((self._agent, *(str(self._one[name] or "") for name in fields))).casefold()

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds."""
        match field:
            case "agent":
                return (self._agent,)
            case "state":
                return (str(self._one["state"]),)
            case "is":
                bad = self._one["state"] in ("failed", "rolled_back")
                return ("problem",) if bad else () if self._one["state"] in FINAL else ("open",)
            case _:
                return ()


class ChangesPane(Pane):
    """Screen 4."""

    NUMBER = "4"
    LABEL = "Changes"
    ABOUT = "Deployments: from which revision to which, how far, why not, and how both revisions do."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "P", "promote", "Promote", id="changes.promote", tooltip="Let the new revision take over now"
        ),
        Binding("X", "abort", "Abort", id="changes.abort", tooltip="Take the new revision back"),
        Binding("b", "rollback", "Roll back", id="changes.rollback", tooltip="Undo the deployment"),
        Binding("o", "agent", "Agent", id="changes.agent", tooltip="Show its agent"),
    ]

    def compose(self) -> ComposeResult:
        """List and card."""
        with Vertical(classes="left"):
            yield DeploymentList(self.desk)
        with Vertical(classes="right"), VerticalScroll(id="change"):
            yield Static(id="change-text")

    @property
    def list(self) -> DeploymentList:
        """The deployments."""
        return self.query_one(DeploymentList)

    @property
    def main(self) -> Listing:
        """The deployments."""
        return self.list

    @property
    def chosen(self) -> Json | None:
        """The deployment at the cursor, else the newest."""
        return self.list.chosen

    @property
    def wants(self) -> Wants:
        """Deployments, and the turns of the agent at the cursor."""
        chosen = self.chosen
        return Wants(deployments=True, turns_of=None if chosen is None else str(chosen["agent"]))

    @property
    def crumbs(self) -> Sequence[str]:
        """Agent and deployment."""
        one = self.chosen
        return () if one is None else (self.list.name_of(one), str(one["id"]))

    def flush(self) -> None:
        """Bring the newest state on screen."""
        self.list.take(self.desk.store.deployments)
        titled(self.list, f"Deployments {self.list.total:,}")
        self._card()

    def back(self) -> bool:
        """From the card to the list."""
        if not self.query_one("#change").has_focus:
            return False
        self.screen.set_focus(self.list)
        return True

    @on(Listing.Moved, "#deployment-list")
    def moved(self) -> None:
        """The card goes with the cursor."""
        self._card()

    @on(Listing.Chosen, "#deployment-list")
    def entered(self) -> None:
        """Into the card."""
        self.screen.set_focus(self.query_one("#change"))

    def _card(self) -> None:
        one = self.chosen
        card = self.query_one("#change")
        titled(card, "Deployment" if one is None else f"Deployment {one['id']}")
        text = self.query_one("#change-text", Static)
        text.update(Text("") if one is None else described(one, self.desk))

    # what the keys do

    def _do(self, what: str) -> None:
        one = self.chosen
        if one is None:
            return
        if what == "rollback":
            self.post_message(self.Do(deeds.rollback(one)))
        elif one["state"] in FINAL:
            self.notify(f"{one['id']} is {one['state']} already: there is nothing to {what}", markup=False)
        else:
            self.post_message(self.Do(deeds.decide(one, what)))

    def action_promote(self) -> None:
        """Let the new revision take over now."""
        self._do("promote")

    def action_abort(self) -> None:
        """Take the new revision back."""
        self._do("abort")

    def action_rollback(self) -> None:
        """Undo the deployment."""
        self._do("rollback")

    def action_agent(self) -> None:
        """Show its agent."""
        one = self.chosen
        if one is not None:
            self.post_message(self.Go("Agents", agent=str(one["agent"])))

    @property
    def commands(self) -> Sequence[Command]:
        """What can be done with the deployment at the cursor."""
        one = self.chosen
        if one is None:
            return ()
        steps = {
            "promote": "let the new revision take over now",
            "abort": "take the new revision back",
            "rollback": "undo it",
        }
        return [
            Command(
                f"deployment {step} {one['id']}",
                text,
                f"caxton deploy {step} {one['id']}",
                partial(self._do, step),
            )
            for step, text in steps.items()
        ]
