"""Asks for what a deployment needs: the agent's name, the module's file, the strategy.

In: the name that is likely meant. Out: an `Action`, or None.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual.binding import BindingType

from caxton_tui.actions import daemon_actions
from caxton_tui.actions.action import Action
from caxton_tui.forms.form import Form, Line
from caxton_tui.keys import key
from caxton_tui.widgets.typed_app import key_for

STRATEGIES: Final = ("direct", "blue-green", "canary", "shadow")


class DeployForm(Form):
    """Three lines to fill in; `enter` deploys."""

    NAME = "deploy"
    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "close", "deploy.close", "Close")]

    def __init__(self, name: str, file: str | None = None, strategy: str = STRATEGIES[0]) -> None:
        if file is None:
            file = f"{name}.wasm" if name else ""
        lines = {"name": Line(name), "file": Line(file), "strategy": Line(strategy, STRATEGIES)}
        super().__init__("Deploy an agent", lines, begin="file")

    def copy(self) -> DeployForm:
        """Another one, filled as this one is now."""
        return DeployForm(**self.written)

    def make(self) -> Action | None:
        """The deployment; None while its name or file is missing."""
        said = self.written
        if not said["name"] or not said["file"]:
            return None
        return daemon_actions.deploy(said["name"], said["file"], said["strategy"] or "direct")

    def hints(self) -> list[str]:
        """What the lines take, and the keys."""
        return [
            f"file: .wasm or .wat · strategy: {', '.join(STRATEGIES)}",
            f"tab next line · enter deploys · {key_for(self, 'deploy.close')} closes",
        ]
