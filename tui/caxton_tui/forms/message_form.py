"""Write a message: who gets it, which act, which protocol, what it says.

In: what is known already, the names of the agents, the acts that are legal here. Out: an `Action` that sends it, or
None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import TextArea

from caxton import exact_numbers
from caxton.acl import Performative
from caxton.acl.fipa_string import read_string
from caxton.acl.full_message import write_json
from caxton.acl.json_value import read_value
from caxton.errors import InvalidMessage
from caxton.presentation.text import safe
from caxton.protocols import library
from caxton_tui.actions import daemon_actions
from caxton_tui.actions.action import Action
from caxton_tui.forms.form import Form, Line
from caxton_tui.keys import key
from caxton_tui.widgets.typed_app import key_for

ACTS: Final = tuple(act.value for act in Performative)
LONGEST: Final = 256 * 1024
"""Characters of a content: no agent takes more."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a message before it is written."""

    to: str = ""
    act: str = "request"
    protocol: str = ""
    conversation: str = ""
    in_reply_to: str = ""
    content: str = ""
    sender: str | None = None
    legal: tuple[str, ...] | None = None
    """What may be said here; None where everything may."""
    agents: Sequence[str] = field(default_factory=tuple)
    title: str = "Message"


class Content(TextArea):
    """What the message says; a paste that no agent would take is refused before it is laid out."""

    async def on_paste(self, event: events.Paste) -> None:
        """Refuse what is too long."""
        if len(event.text) + len(self.text) > LONGEST:
            event.prevent_default()
            event.stop()
            self.notify(
                f"{len(event.text):,} characters are too many: a message has at most {LONGEST:,}",
                severity="error",
            )


class MessageForm(Form):
    """Lines to fill in; `f5`, or `enter` in one of the lines, sends."""

    NAME = "compose"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape", "close", "compose.close", "Close"),
        key("f5", "submit", "compose.send", "Send"),
    ]

    def __init__(self, draft: Draft) -> None:
        # the short names too: what is typed goes on with either
        names = {short for name in library().protocols for short in (name, name.removeprefix("fipa-"))}
        lines = {
            "to": Line(draft.to, draft.agents),
            "act": Line(draft.act, draft.legal or ACTS),
            "protocol": Line(draft.protocol, sorted(names)),
            "conversation": Line(draft.conversation),
            "in_reply_to": Line(draft.in_reply_to),
        }
        super().__init__(draft.title, lines, begin="act" if draft.to else "to")
        self._draft = draft

    def below(self) -> Iterable[Widget]:
        """The content."""
        content = Content(self._draft.content, id="compose-content", soft_wrap=False, compact=True)
        content.cursor_blink = False
        content.border_title = "content: JSON or words · or a whole message as a FIPA string"
        return (content,)

    def copy(self) -> MessageForm:
        """Another one, filled as this one is now."""
        return MessageForm(self.filled)

    @property
    def filled(self) -> Draft:
        """The draft as it stands in the lines."""
        said = self.written
        return replace(
            self._draft,
            to=said["to"],
            act=said["act"],
            protocol=said["protocol"],
            conversation=said["conversation"],
            in_reply_to=said["in_reply_to"],
            content=self.query_one(Content).text,
        )

    def make(self) -> Action:
        """What is done with the message; raises InvalidMessage where it is none."""
        return self._action(self._message())

    def _action(self, message: Mapping[str, Any]) -> Action:
        return daemon_actions.send(message)

    def _message(self) -> dict[str, Any]:
        """The message as it stands; raises InvalidMessage where it is none."""
        said = self.written
        text = self.query_one(Content).text.strip()
        if text.startswith("(") and not said["to"]:
            whole: dict[str, Any] = exact_numbers.decode(write_json(read_string(text.encode())))
            return whole
        to = [name.strip() for name in said["to"].split(",") if name.strip()]
        if not to:
            raise InvalidMessage("nobody is named to get it", hint="fill in the first line")
        if said["act"] not in ACTS:
            raise InvalidMessage(f"{said['act']!r} is no act", hint="FIPA's acts are completed with →")
        message: dict[str, Any] = {"performative": said["act"], "receiver": to}
        for name, parameter in (
            ("protocol", "protocol"),
            ("conversation", "conversation_id"),
            ("in_reply_to", "in_reply_to"),
        ):
            if said[name]:
                message[parameter] = said[name]
        if self._draft.sender:
            message["sender"] = self._draft.sender
        if text:
            message["content"] = content_of(text)
        return message

    def hints(self) -> list[str]:
        """The keys, what is legal here, and what no referee will judge."""
        send, close = key_for(self, "compose.send"), key_for(self, "compose.close")
        lines = [f"tab next line · → completes · {send} sends · {close} closes"]
        legal = self._draft.legal
        if legal is not None:
            act = self.written["act"]
            lines.append(("" if act in legal else "! ") + f"legal here: {', '.join(legal) or 'nothing'}")
        protocol = self.written["protocol"]
        if protocol and library().find(protocol) is None:
            why = "is none of FIPA's protocols: judged only if the project has a table of it"
            lines.append(safe(f"! {protocol} {why}"))
        return lines


def content_of(text: str) -> Any:
    """JSON as what it says, anything else as words; what begins like JSON and is none is refused."""
    try:
        return read_value(text.encode(), "the content")
    except InvalidMessage as error:
        if text[0] in '{["':
            raise InvalidMessage(error.message, hint="words need no quotes") from error
        return text
