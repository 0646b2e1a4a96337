"""Screen 2: the agents, and the one at the cursor in full.

In: the store. Out: the list on the left, the agent's pages beside it, and the steps of its life as actions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from caxton.schemas.daemon import AgentBody
from caxton_tui.actions import daemon_actions
from caxton_tui.actions.action import several
from caxton_tui.forms.deploy_form import DeployForm
from caxton_tui.forms.drafts import message_form
from caxton_tui.keys import hidden_key, key
from caxton_tui.model import formatting
from caxton_tui.model.open_views import Needs
from caxton_tui.screens.palette import PaletteCommand
from caxton_tui.screens.panes.pane import Pane
from caxton_tui.widgets.agent_detail import AgentDetail
from caxton_tui.widgets.lists.agent_list import AgentList
from caxton_tui.widgets.status_bars import titled
from caxton_tui.widgets.tables.listing import Listing


class AgentsPane(Pane):
    """Screen 2."""

    NUMBER = "2"
    LABEL = "Agents"
    ABOUT = (
        "Who is there, in which state, how busy; and of one agent its logs, limits, conversations, mailbox."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        key("s", "switch", "agents.switch", "Start/stop", "Stop the agent, or start it"),
        key("e", "restart", "agents.restart", "Restart", "Handle what waits, stop, start again"),
        key("p", "suspend", "agents.suspend", "Suspend", "Suspend the agent, or resume it"),
        key("D", "deploy", "agents.deploy", "Deploy", "Bring a module to an agent"),
        hidden_key("a", "rows", "agents.rows", "Rows", "Its rows of the log"),
        hidden_key("w", "write", "agents.write", "Write", "Write a message to it"),
    ]

    def compose(self) -> ComposeResult:
        """List and detail."""
        with Vertical(classes="left"):
            yield AgentList(self.context)
        with Vertical(classes="right"):
            yield AgentDetail(self.context)

    @property
    def detail(self) -> AgentDetail:
        """The agent at the cursor."""
        return self.query_one(AgentDetail)

    @property
    def main(self) -> AgentList:
        """The list of agents."""
        return self.query_one(AgentList)

    @property
    def chosen(self) -> AgentBody | None:
        """The agent at the cursor, or else the first."""
        return self.main.chosen

    @property
    def needs(self) -> Needs:
        """All agents, and what there is about the chosen one."""
        agent = self.chosen
        return Needs(agents=True, agent=None if agent is None else str(agent.name))

    @property
    def crumbs(self) -> Sequence[str]:
        """The agent, the page."""
        agent = self.chosen
        if agent is None:
            return ()
        name = formatting.short(agent.name, self.context.store.platform)
        return (name, self.detail.page) if self.detail.has_focus else (name,)

    @property
    def agent(self) -> str | None:
        """The agent at the cursor."""
        chosen = self.chosen
        return None if chosen is None else formatting.short(chosen.name, self.context.store.platform)

    def flush(self) -> None:
        """Bring the newest state on screen."""
        self.main.take(self.context.store.agents)
        titled(self.main, f"Agents {self.main.total:,}")
        self.detail.flush(self.chosen)

    def open(self, *, conversation: str | None = None, agent: str | None = None) -> None:
        """Show that agent."""
        place = next((n for n, one in enumerate(self.main.things) if one.name == agent), None)
        if place is not None:
            self.main.put(place)

    def back(self) -> bool:
        """From the detail to the list."""
        if not self.detail.has_focus:
            return False
        self.screen.set_focus(self.main)
        return True

    @on(Listing.Moved, "#agent-list")
    def moved(self) -> None:
        """The detail goes with the cursor."""
        self.detail.flush(self.chosen)

    @on(Listing.Chosen, "#agent-list")
    def entered(self) -> None:
        """Into the detail."""
        self.screen.set_focus(self.detail)

    # what the keys do

    def _do(self, step: str) -> None:
        """That step with all agents that are marked, else with the one at the cursor."""
        steps = [daemon_actions.change(str(agent.name), step) for agent in self.main.meant]
        if steps:
            self.post_message(self.Do(several(f"{step} {len(steps)} agents", steps)))

    def action_switch(self) -> None:
        """Stop an agent that runs, start one that does not; of several, stop all where one runs."""
        runs = any(agent.state in ("running", "draining", "suspended") for agent in self.main.meant)
        self._do("stop" if runs else "start")

    def action_restart(self) -> None:
        """Handle what waits, stop, start again."""
        self._do("restart")

    def action_suspend(self) -> None:
        """Keep the mail and take no turn, or go on."""
        suspended = all(agent.state == "suspended" for agent in self.main.meant)
        self._do("resume" if suspended else "suspend")

    def action_deploy(self) -> None:
        """Bring a module to this agent, or to a new one."""
        if self.context.read_only:
            self.post_message(
                self.Do(daemon_actions.refused("deploy an agent", "caxton agent deploy NAME FILE"))
            )
            return
        agent = self.chosen
        self.post_message(self.Fill(DeployForm(str(agent.name) if agent else "")))

    def action_rows(self) -> None:
        """Its rows of the log."""
        agent = self.chosen
        if agent is not None:
            self.post_message(self.Go("Log", agent=formatting.short(agent.name, self.context.store.platform)))

    def action_write(self) -> None:
        """Write a message to it."""
        agent = self.chosen
        if agent is not None:
            name = formatting.short(agent.name, self.context.store.platform)
            self.post_message(self.Fill(message_form(self.context, to=name)))

    @property
    def names(self) -> Mapping[str, str]:
        """The agent at the cursor."""
        return {"NAME": self.agent} if self.agent else {}

    @property
    def commands(self) -> Sequence[PaletteCommand]:
        """All steps of the agent at the cursor: some have no key."""
        return [
            PaletteCommand(
                f"agent {step} {self.agent}",
                text,
                f"caxton agent {step} {self.agent}",
                partial(self._do, step),
            )
            for step, text in (daemon_actions.STEPS.items() if self.agent else ())
        ]
