"""Asks for what a deployment needs: the agent's name, the module's file, the strategy.

In: the name that is likely meant. Out: a `Deed`, or None.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from caxton_tui import deeds
from caxton_tui.desk import Deed

STRATEGIES: Final = ("direct", "blue-green", "canary", "shadow")


class DeployScreen(ModalScreen[Deed | None]):
    """Three lines to fill in; `enter` deploys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close", id="deploy.close")]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def compose(self) -> ComposeResult:
        """The lines and the command."""
        with Vertical(classes="box"):
            yield Static("agent", classes="label")
            yield Input(self._name, id="deploy-name", compact=True)
            yield Static("file, .wasm or .wat", classes="label")
            yield Input(f"{self._name}.wasm" if self._name else "", id="deploy-file", compact=True)
            yield Static(f"strategy: {', '.join(STRATEGIES)}", classes="label")
            yield Input("direct", id="deploy-strategy", compact=True, suggester=SuggestFromList(STRATEGIES))
            yield Static(id="deploy-note", markup=False)

    def on_mount(self) -> None:
        """Name the box."""
        for line in self.query(Input):
            line.cursor_blink = False
        self.query_one(".box").border_title = "Deploy an agent"
        self.query_one("#deploy-file").focus()
        self._note()

    def on_input_changed(self) -> None:
        """The command goes with the lines."""
        self._note()

    def on_input_submitted(self) -> None:
        """Deploy."""
        deed = self._deed()
        if deed is not None:
            self.dismiss(deed)

    def _deed(self) -> Deed | None:
        name, file, strategy = (line.value.strip() for line in self.query(Input))
        return deeds.deploy(name, file, strategy or "direct") if name and file else None

    def _note(self) -> None:
        deed = self._deed()
        self.query_one("#deploy-note", Static).update(
            "tab next line · enter deploys · esc closes\n" + (deed.command if deed else "")
        )
