"""A message with everything that FIPA lets it say: what the codecs read and write.

In: a line of JSON, as a client wrote it or the journal keeps it. Out: a `FullMessage`, and JSON again. Unlike a
draft it has agent identifiers in full, may name agents as other platforms do, and keeps what the host set.
`read_json(write_json(m)) == m` for every message that a codec made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from caxton.acl import strict
from caxton.acl.agent_id import AGENTS, AgentId, agent_id, spread
from caxton.acl.identifier import is_name
from caxton.acl.json_value import (
    DEPTH,
    as_text,
    check_depth,
    compact,
    is_list,
    read_value,
    with_spelled_numbers,
)
from caxton.acl.performative import Performative
from caxton.acl.reply_by import reply_by_time
from caxton.errors import InvalidMessage

TEXTS: Final = (
    "protocol", "conversation_id", "reply_with", "in_reply_to", "language", "encoding", "ontology",
)  # fmt: skip
"""Parameters that are one text each, in the order in which they are written."""
_HOSTS_OWN: Final = ("id", "trace_id", "span_id", "timestamp", "redelivered")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class FullMessage:
    """One message; make it with a codec, which checks it. JSON inside it is compact text, numbers as spelled."""

    performative: Performative
    sender: AgentId | None = None
    receiver: tuple[AgentId, ...] = ()
    reply_to: tuple[AgentId, ...] = ()
    content: str | None = None
    """JSON. `null` says the same as leaving out."""
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """The parameters of `TEXTS` that are there."""
    reply_by: str | None = None
    """RFC 3339, or a duration from now."""
    extensions: dict[str, str] = field(default_factory=dict[str, str])
    """JSON by name, `x_…`."""
    host: dict[str, str] = field(default_factory=dict[str, str])
    """What the host has set, JSON by name; whoever sends the message has no say in it."""

    def text(self, name: str) -> str | None:
        """A parameter of `TEXTS`."""
        return self.texts.get(name)


def checked(
    performative: Performative,
    *,
    sender: AgentId | None,
    receiver: tuple[AgentId, ...],
    reply_to: tuple[AgentId, ...],
    content: str | None,
    texts: dict[str, str],
    reply_by: str | None,
    extensions: dict[str, str],
    host: dict[str, str],
) -> FullMessage:
    """The message of these parts, what `x_agents` knows put where it belongs.

    Raises InvalidMessage, `details["field"]` names the parameter.
    """
    for name, text in texts.items():
        strict.check_text(name, text)
    if reply_by is not None:
        strict.check_text("reply_by", reply_by)
        reply_by_time(reply_by, 0)
    known = _agents(extensions.get(AGENTS))
    if known:
        everybody = ([sender] if sender else []) + [*receiver, *reply_to]
        everybody, left = spread(everybody, known)
        if sender:
            sender = everybody.pop(0)
        receiver, reply_to = tuple(everybody[: len(receiver)]), tuple(everybody[len(receiver) :])
        extensions = {key: text for key, text in extensions.items() if key != AGENTS}
        if left:
            extensions[AGENTS] = as_text([agent.value() for agent in left])
    message = FullMessage(
        performative,
        sender,
        receiver,
        reply_to,
        None if content == "null" else content,
        texts,
        reply_by,
        extensions,
        host,
    )
    check_depth(write_json(message))
    return message


def read_json(line: bytes) -> FullMessage:
    """Read one message as JSON; names may be any that FIPA takes.

    Raises InvalidMessage with the field, the rule and a hint; where it is not JSON, with line and column.
    """
    value, raw = strict.read_object(line, is_name)

    def known(name: str) -> list[AgentId]:
        if value.get(name) is None:
            return []
        item = with_spelled_numbers(bytes(raw[name]))
        return [agent_id(one, name) for one in (item if is_list(item) else [item])]

    def texts(names: list[str]) -> dict[str, str]:
        return {name: compact(bytes(raw[name]), name) for name in names}

    sender = known("sender")
    return checked(
        Performative(value["performative"]),
        sender=sender[0] if sender else None,
        receiver=tuple(known("receiver")),
        reply_to=tuple(known("reply_to")),
        content=compact(bytes(raw["content"]), "content") if "content" in raw else None,
        texts={name: value[name] for name in TEXTS if value.get(name) is not None},
        reply_by=value.get("reply_by"),
        extensions=texts([name for name in value if name.startswith("x_")]),
        host=texts([name for name in _HOSTS_OWN if name in raw]),
    )


def read_json_messages(data: bytes) -> list[FullMessage]:
    """Read JSON lines, one object, or an array of objects.

    Raises InvalidMessage; `details["line"]` counts from the beginning of the data.
    """
    text = data.strip()
    if text.startswith(b"["):
        read_value(text, depth=DEPTH + 1)
        return [read_json(bytes(raw)) for raw in msgspec.json.decode(text, type=list[msgspec.Raw])]
    try:
        return [read_json(text)]
    except InvalidMessage:
        if re.search(rb"\}[^\S\n]*+\n\s*+\{", text) is None:
            raise
    found: list[FullMessage] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            try:
                found.append(read_json(line))
            except InvalidMessage as error:
                details = {**error.details, "line": number}
                raise InvalidMessage(f"line {number}: {error.message}", hint=error.hint, **details) from None
    return found


def write_json(message: FullMessage) -> bytes:
    """The message as one line of JSON; agents of which more than the name is known are objects."""
    found: dict[str, Any] = {name: _raw(message.host[name]) for name in ("id",) if name in message.host}
    found["performative"] = message.performative.value
    if message.sender:
        found["sender"] = message.sender.value()
    if message.receiver:
        found["receiver"] = [agent.value() for agent in message.receiver]
    if message.reply_to:
        found["reply_to"] = [agent.value() for agent in message.reply_to]
    if message.content is not None:
        found["content"] = _raw(message.content)
    found.update(message.texts)
    if message.reply_by is not None:
        found["reply_by"] = message.reply_by
    for rest in (message.host, message.extensions):
        found.update({name: _raw(text) for name, text in rest.items()})
    return _encode(found)


def host_names() -> tuple[str, ...]:
    """The parameters that only the host sets."""
    return _HOSTS_OWN


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def _agents(text: str | None) -> list[AgentId]:
    """What `x_agents` says; nothing where it is something else of that name."""
    value = with_spelled_numbers(text) if text is not None else None
    if not is_list(value):
        return []
    try:
        return [agent_id(item, AGENTS) for item in value]
    except InvalidMessage:
        return []
