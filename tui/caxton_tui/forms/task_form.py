"""Asks for what a task needs: a whole protocol that is run as its initiator by one call.

In: the names of the agents. Out: an `Action`, or None. What else a task may be told stands in `caxton task run --help`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from caxton.errors import CaxtonError, InvalidMessage
from caxton.presentation.text import safe
from caxton.protocols import library
from caxton_tui.actions import daemon_actions
from caxton_tui.forms.form import Form
from caxton_tui.forms.message_form import content_of
from caxton_tui.widgets.typed_app import key_for, typed_app

Json = Mapping[str, Any]

_LINES: Final = {
    "protocol": "contract-net",
    "to": "",
    "content": "",
    "reply_by": "2s",
    "choose": "lowest:price",
}
_CHOICES: Final = ("lowest:price", "highest:price", "first", "all", "none")
_CHOOSES: Final = "contract-net"
"""Protocols in which proposals are chosen end so."""


class TaskForm(Form):
    """Lines to fill in; `enter` starts the task."""

    CLOSE = "task.close"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close", id="task.close")]

    def __init__(self, agents: Sequence[str], lines: Mapping[str, str] = _LINES) -> None:
        """`lines`: what stands in them by their names."""
        super().__init__()
        self._agents = agents
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The lines and the command."""
        suggestions: dict[str, Sequence[str]] = {
            "protocol": sorted(name.removeprefix("fipa-") for name in library().protocols),
            "to": self._agents,
            "choose": _CHOICES,
        }
        with Vertical(classes="box wide-box"):
            for name, value in self._lines.items():
                with Horizontal(classes="line"):
                    yield Static(name.replace("_", " "), classes="label")
                    words = suggestions.get(name)
                    suggester = SuggestFromList(words) if words else None
                    yield Input(value, id=f"task-{name}", compact=True, suggester=suggester)
            yield Static(id="task-note", markup=False)

    def on_mount(self) -> None:
        """Name the box; begin where something is missing."""
        for line in self.query(Input):
            line.cursor_blink = False
        self.query_one(".box").border_title = "Start a task"
        self.set_focus(self.query_one("#task-to"))
        self._note()

    @on(Input.Changed)
    def changed(self) -> None:
        """The command goes with the lines."""
        self._note()

    @on(Input.Submitted)
    def submitted(self) -> None:
        """Start it, or say what is missing."""
        try:
            self.finish(daemon_actions.task(self._body()))
        except CaxtonError as error:
            typed_app(self).notify(f"{error.message}. {error.hint or ''}", severity="error", markup=False)

    def copy(self) -> TaskForm:
        """Another one, filled as this one is now."""
        return TaskForm(self._agents, self._said)

    @property
    def _said(self) -> dict[str, str]:
        return {name: self.query_one(f"#task-{name}", Input).value.strip() for name in _LINES}

    def _body(self) -> Json:
        said = self._said
        to = [name.strip() for name in said["to"].split(",") if name.strip()]
        if not to:
            raise InvalidMessage("nobody is named to take part", hint="names with commas between them")
        body: dict[str, Any] = {"protocol": said["protocol"], "to": to}
        if said["content"]:
            body["content"] = content_of(said["content"])
        if said["reply_by"]:
            body["reply_by"] = said["reply_by"]
        if said["choose"] and said["protocol"].endswith(_CHOOSES):
            body["choose"] = said["choose"]
        return body

    def _note(self) -> None:
        lines = [f"tab next line · → completes · enter starts · {key_for(self, 'task.close')} closes"]
        try:
            lines.append(safe(daemon_actions.task(self._body()).told))
        except CaxtonError as error:
            lines.append(safe(error.message))
        self.query_one("#task-note", Static).update("\n".join(lines))
