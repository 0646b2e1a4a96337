"""Messages that were written down, to be judged afterwards.

In: messages as JSON, in lines or in an array, as FIPA strings or as XML, or rows of the journal as `conv show` and `msg
list` print them; names as any platform writes them. Out: one `Recorded` a message, with its time, and one `Unreadable`
for each line that is no message. A line whose only fault is an act that FIPA does not have comes out as a `Recorded`
without a message: that is for the referee to mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final, NoReturn, TypeGuard, cast

import msgspec

from caxton.acl.agent_id import agent_id
from caxton.acl.fipa_string import read_string_messages
from caxton.acl.full_message import FullMessage, write_json
from caxton.acl.identifier import qualified
from caxton.acl.message import NULL, Message, read_message
from caxton.acl.performative import Performative
from caxton.acl.reply_by import reply_by_time, time_text
from caxton.acl.xml import read_xml_messages
from caxton.errors import InvalidMessage
from caxton.protocols.clock_pause import Stop, joined

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_US: Final = 250_000_000_000_000_000
"""Microseconds from 1970 to a time that calendars still have."""
_ACTS = frozenset(act.value for act in Performative)
_TEXTS = ("conversation_id", "protocol", "reply_with", "in_reply_to", "reply_by")


class Recorded(msgspec.Struct, frozen=True):
    """One message of a file."""

    line: int
    at_us: int
    act: str
    id: str
    sender: str
    receiver: list[str]
    conversation_id: str
    message: Message | None
    """None where `act` is no act of FIPA's."""
    proxy_of: str | None = None
    held_us: int = 0
    """How long it was held before."""


class Unreadable(msgspec.Struct, frozen=True):
    """A line that is no message, and why."""

    line: int
    why: str


class Names:
    """Full names, and how the file itself spells them."""

    def __init__(self, platform: str) -> None:
        self.platform = platform
        self._spelled: dict[str, str] = {}

    def full(self, name: str) -> str:
        """The full form of a name."""
        full = qualified(name, self.platform)
        self._spelled.setdefault(full, name)
        return full

    def spelled(self, full: str) -> str:
        """The form in which the file gave a name first."""
        return self._spelled.get(full, full)


def read_record(text: str, names: Names) -> Iterator[Recorded | Unreadable]:
    """The messages of a file: JSON lines, one JSON array, FIPA strings or XML.

    Raises InvalidMessage for a file of which nothing can be read.
    """
    last_us = 0
    for number, value in _values(text):
        try:
            found = _recorded(number, value, names, last_us)
        except InvalidMessage as error:
            yield Unreadable(number, error.message)
        else:
            last_us = found.at_us
            yield found


def stored_message(seq: int, body: bytes) -> Recorded:
    """A message as the journal keeps it; its number stands for the line."""
    message = read_message(body)
    proxy_of: Any = msgspec.json.decode(body).get("x_proxy_of") if b'"x_proxy_of"' in body else None
    return Recorded(
        seq,
        message.timestamp,
        message.performative.value,
        message.id,
        message.sender,
        message.receiver,
        message.conversation_id,
        message,
        proxy_of if isinstance(proxy_of, str) else None,
    )


def _values(text: str) -> Iterator[tuple[int, Any]]:
    """Each message with the number of its line, or its place; an InvalidMessage in place of one that is none."""
    match text.lstrip()[:1]:
        case "(":
            yield from _fipa_strings(text)
        case "<":
            yield from enumerate(map(_as_json, read_xml_messages(text.encode())), 1)
        case "[":
            items = _json(text)
            if isinstance(items, InvalidMessage):
                raise items
            yield from enumerate(items, 1)
        case _:
            whole = _json(text)
            if not isinstance(whole, InvalidMessage):
                yield 1, whole
                return
            for number, line in enumerate(text.split("\n"), 1):
                if line.strip():
                    yield number, _json(line)


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        return InvalidMessage(f"this is not JSON: {error}")


def _finite(text: str) -> float | str:
    number = float(text)
    return number if isfinite(number) else text


def _fipa_strings(text: str) -> Iterator[tuple[int, Any]]:
    try:
        found = read_string_messages(text.encode())
    except InvalidMessage:
        # one of them is wrong: each that begins a line is read alone
        number = 1
        for part in re.split(r"\n(?=\()", text):
            try:
                yield from ((number, _as_json(one)) for one in read_string_messages(part.encode()))
            except InvalidMessage as error:
                yield number, error
            number += part.count("\n") + 1
    else:
        yield from enumerate(map(_as_json, found), 1)


def _as_json(message: FullMessage) -> Any:
    return json.loads(write_json(message))


def _recorded(number: int, value: Any, names: Names, last_us: int) -> Recorded:
    if isinstance(value, InvalidMessage):
        _refuse(number, value.message)
    if not isinstance(value, dict):
        _refuse(number, "a message is a JSON object")
    outer = cast("dict[str, Any]", value)
    inner = outer.get("message")
    stored = isinstance(inner, dict) and "performative" not in outer
    body = _snake(cast("dict[str, Any]", inner) if stored else outer)
    moment = body.get("timestamp")
    if moment is None:
        moment = outer.get("at")
    at_us = last_us if moment is None else _time(number, moment)
    act = body.get("performative")
    if not isinstance(act, str):
        _refuse(number, "the message has no performative")
    senders = _names(number, body, "sender")
    if len(senders) != 1:
        _refuse(
            number, "the message has no sender" if not senders else "the message has more than one sender"
        )
    receivers = _names(number, body, "receiver")
    if not receivers:
        _refuse(number, "the message has no receiver")
    if _is_number(body.get("reply_by")):
        body["reply_by"] = time_text(_time(number, body["reply_by"]))  # as a timestamp may be
    texts: dict[str, Any] = {key: body.get(key) for key in _TEXTS}
    for key, item in texts.items():
        if item is not None and not isinstance(item, str):
            _refuse(number, f"{key} must be a string")
    id = body.get("id")
    id = id if isinstance(id, str) and id else f"line-{number}"
    conversation_id = texts["conversation_id"] or f"of-{id}"
    full = names.full(senders[0])
    to = [names.full(name) for name in receivers]
    proxy_of = body.get("x_proxy_of")
    message = None
    if act.lower() in _ACTS:
        try:
            reply_by = reply_by_time(texts["reply_by"], at_us) if texts["reply_by"] else None
        except InvalidMessage as error:
            _refuse(number, error.message)
        message = Message(
            id,
            Performative(act.lower()),
            full,
            to,
            conversation_id,
            "",
            "",
            at_us,
            msgspec.Raw(json.dumps(body["content"]).encode()) if "content" in body else NULL,
            texts["protocol"] or None,
            texts["reply_with"],
            texts["in_reply_to"],
            reply_by,
            [names.full(name) for name in _names(number, body, "reply_to")] or None,
        )
    return Recorded(
        number,
        at_us,
        act,
        id,
        full,
        to,
        conversation_id,
        message,
        proxy_of if isinstance(proxy_of, str) else None,
        _held_us(outer),
    )


def stops_of(recorded: Sequence[Recorded]) -> dict[str, list[Stop]]:
    """When the clocks of conversations stood still, because messages were held."""
    spans: dict[str, list[Stop]] = {}
    for one in recorded:
        if one.held_us > 0:
            spans.setdefault(one.conversation_id, []).append((one.at_us - one.held_us, one.at_us))
    return {id: joined(found) for id, found in spans.items()}


def _held_us(outer: dict[str, Any]) -> int:
    """How long a row's message was held, as `conv show` and `msg list` print it."""
    held = outer.get("held")
    value = cast("dict[str, Any]", held).get("held_us") if isinstance(held, dict) else None
    return int(value) if _is_number(value) else 0


def _snake(body: dict[str, Any]) -> dict[str, Any]:
    """FIPA writes `conversation-id`, Caxton `conversation_id`; a record may have either."""
    return {key.replace("-", "_").lower(): item for key, item in body.items()}


def _names(number: int, body: dict[str, Any], key: str) -> list[str]:
    """Names as any platform writes them; of agents with addresses the names."""
    value = body.get(key)
    if value is None:
        return []
    items: list[Any] = value if _is_list(value) else [value]
    try:
        return [agent_id(item, key).name for item in items]
    except InvalidMessage as error:
        _refuse(number, error.message)


def _time(number: int, value: Any) -> int:
    """Microseconds since 1970, as a number or as RFC 3339."""
    if _is_number(value):
        if not abs(value) < LAST_US:  # NaN is not, either
            _refuse(number, f"{value} is no time: it is microseconds since 1970, or RFC 3339")
        return int(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        _refuse(number, f"{str(value)[:80]!r} is no time: it is microseconds since 1970, or RFC 3339")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _refuse(number: int, message: str) -> NoReturn:
    raise InvalidMessage(f"line {number}: {message}", line=number)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
