"""Asks for what a task needs: a whole protocol that is run as its initiator by one call.

In: the names of the agents. Out: an `Action`, or None. What else a task may be told stands in `caxton task run --help`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from textual.binding import BindingType

from caxton.errors import InvalidMessage
from caxton.protocols import library
from caxton_tui.actions import daemon_actions
from caxton_tui.actions.action import Action
from caxton_tui.forms.form import Form, Line
from caxton_tui.forms.message_form import content_of
from caxton_tui.keys import key
from caxton_tui.widgets.typed_app import key_for

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

    NAME = "task"
    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "close", "task.close", "Close")]

    def __init__(self, agents: Sequence[str], lines: Mapping[str, str] = _LINES) -> None:
        """`lines`: what stands in them by their names."""
        suggestions: dict[str, Sequence[str]] = {
            "protocol": sorted(name.removeprefix("fipa-") for name in library().protocols),
            "to": agents,
            "choose": _CHOICES,
        }
        completed = {name: Line(value, suggestions.get(name, ())) for name, value in lines.items()}
        super().__init__("Start a task", completed, begin="to")
        self._agents = agents

    def copy(self) -> TaskForm:
        """Another one, filled as this one is now."""
        return TaskForm(self._agents, self.written)

    def make(self) -> Action:
        """The task; raises InvalidMessage where nobody is named or the content is no JSON."""
        said = self.written
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
        return daemon_actions.task(body)

    def hints(self) -> list[str]:
        """The keys."""
        return [f"tab next line · → completes · enter starts · {key_for(self, 'task.close')} closes"]
