"""Messages in FIPA's XML form (FIPA00071, `fipa.acl.rep.xml.std`).

    <fipa-message act="request" conversation-id="market-1">
      <receiver><agent-identifier><name id="echo@local"/></agent-identifier></receiver>
      <content>hello</content>
    </fipa-message>

In: bytes from anybody, one message or several inside `<conversation>`. Out: `FullMessage`s, or `InvalidMessage` with
line, column and what was expected; and back, so that reading what was written gives the same message. Document
types, entities, instructions and references to other places are refused, nothing is ever fetched. What XML cannot
hold is JSON inside its element, which says so by `type="json"`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape

from caxton.acl.agent_id import AgentId
from caxton.acl.full_message import FullMessage
from caxton.acl.json_value import with_spelled_numbers
from caxton.acl.parameters import TEXT_NAMES, Parameters, spelled
from caxton.acl.xml_reader import MESSAGE, MESSAGES, Reader
from caxton.errors import InvalidMessage

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_IN_TEXT: Final = {"\r": "&#13;"}
_IN_ATTRIBUTE: Final = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;", '"': "&quot;"}
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'


def read_xml(data: bytes) -> FullMessage:
    """Read one message.

    Raises InvalidMessage with line, column and what was expected.
    """
    found = read_xml_messages(data)
    if len(found) != 1:
        raise InvalidMessage(
            f"line 1 column 1: expected one message, found {len(found)}",
            line=1,
            column=1,
            expected="one message",
        )
    return found[0]


def read_xml_messages(data: bytes) -> list[FullMessage]:
    """Read one `<fipa-message>`, or all inside `<conversation>`."""
    reader = Reader()
    try:
        return reader.read(data)
    except expat.ExpatError as error:
        line, column = error.lineno, error.offset + 1
        said = expat.ErrorString(error.code) or "no XML"
        raise InvalidMessage(
            f"line {line} column {column}: expected well-formed XML: {said}",
            line=line,
            column=column,
            expected="well-formed XML",
        ) from None


def write_xml(message: FullMessage) -> str:
    """The message as one element, without a declaration before it or a newline at the end."""
    said = spelled(message)
    conversation = said.texts.get("conversation-id")
    attributes = {"act": said.act}
    if conversation is not None and not _NOT_IN_XML.search(conversation):
        attributes["conversation-id"] = conversation
        del said.texts["conversation-id"]
    lines = [_tag(MESSAGE, attributes), *_parameters(said)]
    return "\n  ".join(lines) + f"\n</{MESSAGE}>"


def write_xml_document(messages: Sequence[FullMessage]) -> str:
    """One message as a document, or several inside `<conversation>`."""
    if len(messages) == 1:
        return f"{_DECLARATION}\n{write_xml(messages[0])}"
    inside = "".join(f"{write_xml(message)}\n" for message in messages)
    return f"{_DECLARATION}\n<{MESSAGES}>\n{inside}</{MESSAGES}>"


def _parameters(said: Parameters) -> list[str]:
    lines: list[str] = []
    if said.sender is not None:
        lines.append(f"<sender>{_agent(said.sender)}</sender>")
    for name, agents in (("receiver", said.receiver), ("reply-to", said.reply_to)):
        if agents:
            lines.append(f"<{name}>{''.join(map(_agent, agents))}</{name}>")
    if said.content is not None:
        lines.append(_leaf("content", {}, said.content, _NOT_IN_XML.search(said.content) is not None))
    for name in TEXT_NAMES:
        text = said.texts.get(name)
        if text is not None:
            lines.append(_leaf(name, {}, text, text != text.strip() or _NOT_IN_XML.search(text) is not None))
    if said.reply_by is not None:
        lines.append(_tag("reply-by", {"time": said.reply_by}, empty=True))
    return lines + [_own(name, text) for name, text in said.own.items()]


def _agent(agent: AgentId) -> str:
    parts = [_tag("name", {"id": agent.name}, empty=True)]
    if agent.addresses:
        urls = "".join(_tag("url", {"href": address}, empty=True) for address in agent.addresses)
        parts.append(f"<addresses>{urls}</addresses>")
    if agent.resolvers:
        parts.append(f"<resolvers>{''.join(map(_agent, agent.resolvers))}</resolvers>")
    parts += [_own(key.removeprefix("x_"), text) for key, text in agent.extensions.items()]
    return f"<agent-identifier>{''.join(parts)}</agent-identifier>"


def _own(name: str, text: str) -> str:
    attributes = {"href": f"X-{name}"}
    if text.startswith('"'):
        plain = str(with_spelled_numbers(text))
        return _leaf("user-defined", attributes, plain, _NOT_IN_XML.search(plain) is not None)
    return _leaf("user-defined", {**attributes, "type": "json"}, text, False)


def _leaf(name: str, attributes: dict[str, str], text: str, as_json: bool) -> str:
    """An element with text; where XML cannot hold the text, it is a JSON string of ASCII."""
    if as_json:
        attributes, text = {**attributes, "type": "json"}, json.dumps(text)
    # only JSON still has characters that XML has not, and only inside its strings
    text = _NOT_IN_XML.sub(_escaped, text)
    return f"{_tag(name, attributes)}{escape(text, _IN_TEXT)}</{name}>"


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _tag(name: str, attributes: dict[str, str], empty: bool = False) -> str:
    said = "".join(f' {key}="{escape(text, _IN_ATTRIBUTE)}"' for key, text in attributes.items())
    return f"<{name}{said}{'/' if empty else ''}>"
