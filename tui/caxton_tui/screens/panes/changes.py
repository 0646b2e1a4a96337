"""Screen 4: how agents came from one revision to the next.

In: deployments and, of the agent at the cursor, its newest turns. Out: the deployments, the newest first; beside
them the one at the cursor with what the gate found, its steps, and the figures of both revisions side by side. A build
that waits is accepted or dropped, others are promoted, aborted, rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from caxton.presentation.text import plural
from caxton.schemas.deployments import DeploymentBody
from caxton_tui.actions import daemon_actions
from caxton_tui.actions.action import Action, several
from caxton_tui.keys import hidden_key, key
from caxton_tui.model.open_views import FINAL, Needs
from caxton_tui.screens.panes.pane import Pane
from caxton_tui.widgets.deployment_card import described
from caxton_tui.widgets.lists.deployment_list import DeploymentList
from caxton_tui.widgets.replay_card import difference
from caxton_tui.widgets.status_bars import titled
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.typed_app import key_for


class ChangesPane(Pane):
    """Screen 4."""

    NUMBER = "4"
    LABEL = "Changes"
    ABOUT = "Builds and deployments: what the gate found, from which revision to which, how far, and why not."

    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "accept", "changes.accept", "Accept", "Let a build that waits go in"),
        key("x", "drop", "changes.drop", "Drop", "Drop a build that waits"),
        key("d", "difference", "changes.difference", "Difference", "What differs, turn by turn"),
        key(
            "l",
            "ask_live",
            "changes.live",
            "Ask live",
            "Ask models and tools what a build that waits asks anew",
        ),
        hidden_key("P", "promote", "changes.promote", "Promote", "Let the new revision take over now"),
        hidden_key("X", "abort", "changes.abort", "Abort", "Take the new revision back"),
        key("b", "rollback", "changes.rollback", "Roll back", "Undo the deployment"),
        hidden_key("o", "agent", "changes.agent", "Agent", "Show its agent"),
    ]

    _difference = False
    """Whether the card shows what differs and nothing else."""

    def compose(self) -> ComposeResult:
        """List and card."""
        with Vertical(classes="left"):
            yield DeploymentList(self.context)
        with Vertical(classes="right"), VerticalScroll(id="change"):
            yield Static(id="change-text")

    @property
    def main(self) -> DeploymentList:
        """The deployments."""
        return self.query_one(DeploymentList)

    @property
    def chosen(self) -> DeploymentBody | None:
        """The deployment at the cursor, else the newest."""
        return self.main.chosen

    @property
    def needs(self) -> Needs:
        """Deployments, the one at the cursor whole, and the turns of its agent."""
        chosen = self.chosen
        if chosen is None:
            return Needs(deployments=True)
        return Needs(deployments=True, deployment=str(chosen.id), turns_of=str(chosen.agent))

    @property
    def names(self) -> Mapping[str, str]:
        """The deployment at the cursor, and its agent."""
        one = self.chosen
        return {} if one is None else {"ID": one.id, "NAME": self.main.name_of(one)}

    @property
    def crumbs(self) -> Sequence[str]:
        """Agent and deployment."""
        one = self.chosen
        return () if one is None else (self.main.name_of(one), str(one.id))

    @property
    def agent(self) -> str | None:
        """Whose deployment is at the cursor."""
        one = self.chosen
        return None if one is None else self.main.name_of(one)

    def flush(self) -> None:
        """Bring the newest state on screen."""
        self.main.take(self.context.store.deployments)
        waiting = len(self.context.store.waiting)
        titled(
            self.main,
            f"Deployments {self.main.total:,}"
            + (f" · {waiting} waiting: {key_for(self, 'list.problem')}" if waiting else ""),
        )
        self._card()

    def back(self) -> bool:
        """From what differs to the card, from the card to the list."""
        if self._difference:
            self._difference = False
            return True
        if not self.query_one("#change").has_focus:
            return False
        self.screen.set_focus(self.main)
        return True

    @on(Listing.Moved, "#deployment-list")
    def moved(self) -> None:
        """The card goes with the cursor."""
        self._card()

    @on(Listing.Chosen, "#deployment-list")
    def entered(self) -> None:
        """Into the card."""
        self.screen.set_focus(self.query_one("#change"))

    @property
    def whole(self) -> DeploymentBody | None:
        """The deployment at the cursor with what its gate found turn by turn, as far as that was read."""
        one, whole = self.chosen, self.context.store.deployment
        if one is None or whole is None or whole.id != one.id:
            return one
        # what the list says of it is as new
        return msgspec.structs.replace(one, gate=whole.gate)

    def _card(self) -> None:
        one = self.whole
        card = self.query_one("#change")
        text = self.query_one("#change-text", Static)
        if one is None:
            titled(card, "Deployment")
            text.update(Text(""))
        elif self._difference and one.gate is not None:
            titled(card, f"What differs in {one.id} · {key_for(self, 'app.back')} goes back")
            text.update(difference(one.gate))
        else:
            titled(card, f"Deployment {one.id}")
            text.update(described(one, self.context))

    # what the keys do

    def _do(self, what: str) -> None:
        """Do that with all that are marked, else with the one at the cursor."""
        steps: list[Action] = []
        for one in self.main.meant:
            if what == "rollback":
                steps.append(daemon_actions.rollback(one))
            elif one.state in FINAL:
                self.notify(f"{one.id} is {one.state} already: there is nothing to {what}", markup=False)
            else:
                steps.append(daemon_actions.decide(one, what))
        if steps:
            self.post_message(self.Do(several(f"{what} {len(steps)} deployments", steps)))

    def _decide(self, what: str) -> None:
        """Accept (`promote`) or drop (`abort`) the build at the cursor, or have it ask (`ask-live`), if it waits."""
        one = self.chosen
        ask = what == "ask-live"
        steps = [daemon_actions.decide(one, what, ask=ask) for one in self.main.meant if one.waits]
        if steps:
            self.post_message(self.Do(several(f"{what} {len(steps)} builds", steps)))
            return
        waiting = len(self.context.store.waiting)
        said = f"{plural(waiting, 'build')} elsewhere: n goes there" if waiting else "no build waits"
        self.notify(said if one is None else f"{one.id} does not wait; {said}", markup=False, timeout=3)

    def action_accept(self) -> None:
        """Let a build that waits go in."""
        self._decide("promote")

    def action_drop(self) -> None:
        """Drop a build that waits."""
        self._decide("abort")

    def action_ask_live(self) -> None:
        """Ask for real what a build that waits asks anew."""
        self._decide("ask-live")

    def action_difference(self) -> None:
        """What differs turn by turn, or the whole card again."""
        one = self.chosen
        if one is None or one.gate is None:
            self.notify("it was not tried on any conversation", timeout=3)
            return
        self._difference = not self._difference
        self._card()
        card = self.query_one("#change")
        card.scroll_home(animate=False)
        self.screen.set_focus(card if self._difference else self.main)

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
            self.post_message(self.Go("Agents", agent=str(one.agent)))
