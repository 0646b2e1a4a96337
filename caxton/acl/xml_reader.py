"""The reading half of FIPA's XML form: expat's events put together to messages.

In: a document's bytes. Out: messages; InvalidMessage, or expat's own error for what is no XML. The reader keeps one
stack of open elements, at most `DEPTH` of them, and knows for each which elements and attributes may stand in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

from caxton.acl.agent_id import RESOLVERS_DEPTH, X_KEY, AgentId
from caxton.acl.date_time import EXPECTED, is_date_time
from caxton.acl.fipa_tokens import SIZE_MAX
from caxton.acl.full_message import FullMessage
from caxton.acl.identifier import is_name
from caxton.acl.json_value import DEPTH as JSON_DEPTH
from caxton.acl.json_value import as_text, compact, with_spelled_numbers
from caxton.acl.parameters import TEXT_NAMES, Parameters, placed, understood
from caxton.errors import InvalidMessage

MESSAGE: Final = "fipa-message"
MESSAGES: Final = "conversation"
AGENT: Final = "agent-identifier"
DEPTH: Final = 2 * RESOLVERS_DEPTH + 8
_AGENTS: Final = ("sender", "receiver", "reply-to")
_LEAVES: Final = (*TEXT_NAMES, "content", "user-defined")
_INSIDE: Final = {
    "": (MESSAGE, MESSAGES),
    MESSAGES: (MESSAGE,),
    MESSAGE: (*_AGENTS, *_LEAVES, "reply-by"),
    **dict.fromkeys(_AGENTS, (AGENT,)),
    AGENT: ("name", "addresses", "resolvers", "user-defined"),
    "addresses": ("url",),
    "resolvers": (AGENT,),
}
_ATTRIBUTES: Final = {
    MESSAGE: ("act", "conversation-id"),
    MESSAGES: ("id",),
    "name": ("id", "refid"),
    "url": ("href",),
    "reply-by": ("time",),
    "user-defined": ("href", "name", "type"),
    **dict.fromkeys((*TEXT_NAMES, "content"), ("type",)),
}


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    line: int
    column: int
    text: list[str] = field(default_factory=list[str])
    seen: set[str] = field(default_factory=set[str])
    agents: list[AgentId] = field(default_factory=list[AgentId])
    """The agent identifiers right inside it."""
    addresses: list[str] = field(default_factory=list[str])
    own: dict[str, str] = field(default_factory=dict[str, str])
    resolvers: list[AgentId] = field(default_factory=list[AgentId])
    agent_name: str | None = None


class Reader:
    """Reads one document; use a new one for each."""

    def __init__(self) -> None:
        self._found: list[FullMessage] = []
        self._open: list[_Element] = [_Element("", {}, 1, 1)]
        self._said = Parameters()
        self._places: dict[str, tuple[int, int]] = {}
        parser = expat.ParserCreate("UTF-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.ExternalEntityRefHandler = self._external
        parser.ProcessingInstructionHandler = self._instruction
        self._parser = parser

    def read(self, data: bytes) -> list[FullMessage]:
        """The messages of a document."""
        if len(data) > SIZE_MAX:
            self._refuse(f"at most {SIZE_MAX:,} bytes", f"{len(data):,}")
        self._parser.Parse(data, True)
        return self._found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        parent = self._open[-1]
        allowed = _INSIDE.get(parent.name, ())
        # JADE writes parameters of one's own as elements of their own name
        own = name[:2].lower() == "x-" and "user-defined" in allowed
        if name not in allowed and not own:
            self._refuse(" or ".join(f"<{one}>" for one in allowed) or f"</{parent.name}>", f"<{name[:40]}>")
        if len(self._open) > DEPTH:
            self._refuse(f"elements nested at most {DEPTH} deep", "more")
        if name in parent.seen and name not in (
            MESSAGE,
            AGENT,
            "url",
            "user-defined",
            "receiver",
            "reply-to",
            "resolvers",
        ):
            self._refuse(f"<{name}> once", "it again")
        parent.seen.add(name)
        if own:
            attributes, name = {"href": name, **attributes}, "user-defined"
        known = _ATTRIBUTES.get(name, ())
        for key in attributes:
            if key not in known and not key.startswith("xml"):
                if key == "href":
                    self._refuse("the value itself", "a reference to another place, which nobody follows")
                self._refuse(" or ".join(known) or "no attribute", f"{key[:40]!r}")
        line, column = self._place()
        self._open.append(_Element(name, attributes, line, column))
        if name == MESSAGE:
            self._said, self._places = Parameters(), {"performative": (line, column)}
            if "act" not in attributes:
                self._refuse("the attribute act", "none")
            self._said.act = attributes["act"]
            if "conversation-id" in attributes:
                self._said.texts["conversation-id"] = attributes["conversation-id"]

    def _text(self, text: str) -> None:
        element = self._open[-1]
        if element.name in _LEAVES:
            element.text.append(text)
        elif not text.isspace():
            allowed = _INSIDE.get(element.name, ())
            self._refuse(
                " or ".join(f"<{one}>" for one in allowed) or f"</{element.name}>", repr(text.strip()[:30])
            )

    def _end(self, name: str) -> None:
        element = self._open.pop()
        parent = self._open[-1]
        self._places[element.name.replace("-", "_")] = (element.line, element.column)
        match element.name:
            case "fipa-message":
                try:
                    self._found.append(understood(self._said))
                except InvalidMessage as error:
                    place = self._places.get(str(error.details.get("field")), (element.line, element.column))
                    raise placed(error, *place) from None
            case "agent-identifier":
                parent.agents.append(self._agent(element))
            case "sender" | "receiver" | "reply-to" | "resolvers":
                self._agents(element, parent)
            case "name":
                parent.agent_name = self._word(
                    element, "id" if "id" in element.attributes else "refid", "a name"
                )
            case "url":
                parent.addresses.append(self._word(element, "href", "an address"))
            case "addresses":
                parent.addresses = element.addresses
            case "reply-by":
                self._said.reply_by = element.attributes.get("time", "")
                if not is_date_time(self._said.reply_by):
                    self._refuse(EXPECTED, repr(self._said.reply_by[:40]))
            case "user-defined":
                self._user_defined(element, parent)
            case "content":
                self._said.content = self._plain(element)
            case text_name if text_name in TEXT_NAMES:
                if text_name in self._said.texts:
                    self._refuse(f"{text_name} once", "it again")
                self._said.texts[text_name] = self._plain(element)
            case _:
                pass

    def _agents(self, element: _Element, parent: _Element) -> None:
        found = element.agents
        if element.name == "sender":
            if len(found) != 1:
                self._refuse("one <agent-identifier>", str(len(found)))
            self._said.sender = found[0]
        elif element.name == "resolvers":
            parent.resolvers += found
        elif element.name == "receiver":
            self._said.receiver += found
        else:
            self._said.reply_to += found

    def _agent(self, element: _Element) -> AgentId:
        if element.agent_name is None:
            self._refuse("<name>, which every agent identifier has", f"</{AGENT}>")
        if sum(one.name == "resolvers" for one in self._open) > RESOLVERS_DEPTH:
            self._refuse(f"resolvers nested at most {RESOLVERS_DEPTH} deep", "more")
        own = {f"x_{name}": text for name, text in element.own.items()}
        for key in own:
            if X_KEY.fullmatch(key) is None:
                self._refuse("X- and 1 to 64 of A-Z a-z 0-9 _ . -", repr(key[2:42]))
        return AgentId(element.agent_name, tuple(element.addresses), tuple(element.resolvers), own)

    def _user_defined(self, element: _Element, parent: _Element) -> None:
        name = element.attributes.get("href") or element.attributes.get("name") or ""
        if name[:2].lower() != "x-" or len(name) < 3:
            self._refuse('an href that begins with X-, such as "X-colour"', repr(name[:40]))
        own = self._said.own if parent.name == MESSAGE else parent.own
        if name[2:] in own:
            self._refuse(f"{name[:40]} once", "it again")
        self._places["x_" + name[2:]] = (element.line, element.column)
        text = "".join(element.text)
        own[name[2:]] = self._json(text) if element.attributes.get("type") == "json" else as_text(text)

    def _plain(self, element: _Element) -> str:
        text = "".join(element.text)
        if element.attributes.get("type") == "json":
            value = with_spelled_numbers(self._json(text))
            if not isinstance(value, str):
                self._refuse('a JSON string, as type="json" says', repr(text[:30]))
            return value
        return text if element.name == "content" else text.strip()

    def _json(self, text: str) -> str:
        try:
            return compact(text.encode(), "it", JSON_DEPTH - 1)
        except InvalidMessage as error:
            self._refuse('JSON, as type="json" says', f"{text[:30]!r}: {error.message}")

    def _word(self, element: _Element, key: str, what: str) -> str:
        text = element.attributes.get(key, "")
        if not is_name(text):
            self._refuse(f"{what} in the attribute {key}", repr(text[:40]))
        return text

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            self._refuse("UTF-8", encoding)

    def _doctype(self, *said: object) -> None:
        self._refuse("a message without a document type", "<!DOCTYPE")

    def _entity(self, *said: object) -> None:
        self._refuse("a message without entities", "<!ENTITY")

    def _external(self, *said: object) -> int:
        self._refuse("a message without external entities", "a reference to one")

    def _instruction(self, target: str, data: str) -> None:
        self._refuse("a message without processing instructions", f"<?{target[:40]}")

    def _place(self) -> tuple[int, int]:
        return self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1

    def _refuse(self, expected: str, found: str) -> NoReturn:
        line, column = self._place()
        raise InvalidMessage(
            f"line {line} column {column}: expected {expected}, found {found}",
            line=line,
            column=column,
            expected=expected,
        )
