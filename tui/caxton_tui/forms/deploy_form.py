"""Asks for what a deployment needs: the agent's name, the module's file, the strategy.

In: the name that is likely meant. Out: an `Action`, or None.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from caxton_tui.actions import daemon_actions
from caxton_tui.actions.action import Action
from caxton_tui.forms.form import Form
from caxton_tui.keys import key
from caxton_tui.widgets.typed_app import key_for

STRATEGIES: Final = ("direct", "blue-green", "canary", "shadow")


class DeployForm(Form):
    """Three lines to fill in; `enter` deploys."""

    CLOSE = "deploy.close"
    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "close", "deploy.close", "Close")]

    def __init__(self, name: str, file: str | None = None, strategy: str = STRATEGIES[0]) -> None:
        super().__init__("Deploy an agent")
        self._name = name
        self._file = file if file is not None else f"{name}.wasm" if name else ""
        self._strategy = strategy

    def compose(self) -> ComposeResult:
        """The lines and the command."""
        with Vertical(classes="box"):
            yield Static("agent", classes="label")
            yield Input(self._name, id="deploy-name", compact=True)
            yield Static("file, .wasm or .wat", classes="label")
            yield Input(self._file, id="deploy-file", compact=True)
            yield Static(f"strategy: {', '.join(STRATEGIES)}", classes="label")
            yield Input(
                self._strategy, id="deploy-strategy", compact=True, suggester=SuggestFromList(STRATEGIES)
            )
            yield Static(classes="note", markup=False)

    def on_mount(self) -> None:
        """Begin where something is missing."""
        self.query_one("#deploy-file").focus()

    def copy(self) -> DeployForm:
        """Another one, filled as this one is now."""
        return DeployForm(*(line.value for line in self.query(Input)))

    def make(self) -> Action | None:
        """The deployment; None while its name or file is missing."""
        name, file, strategy = (line.value.strip() for line in self.query(Input))
        return daemon_actions.deploy(name, file, strategy or "direct") if name and file else None

    def hints(self) -> list[str]:
        """The keys."""
        return [f"tab next line · enter deploys · {key_for(self, 'deploy.close')} closes"]
