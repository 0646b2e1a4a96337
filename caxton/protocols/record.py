"""Messages that were written down, to be judged afterwards.

In: lines of JSON in the form of DESIGN.md 5, or rows of the journal as `conv show` and `msg list` print them. Out:
one `Recorded` a message, with its time, or an InvalidMessage that names the line. A line whose only fault is an act
that FIPA does not have comes out as one without a message: that is for the referee to mark.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn, TypeGuard, cast

import msgspec

from caxton.acl.identifier import is_agent_name, qualified
from caxton.acl.message import NULL, Message, read_message
from caxton.acl.performative import Performative
from caxton.acl.reply_by import reply_by_time, time_text
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


def read_record(text: str, names: Names) -> Iterator[Recorded]:
    """The messages of a file: JSON lines, or one JSON array.

    Raises InvalidMessage for what is no message.
    """
    last_us = 0
    for number, value in _values(text):
        found = _recorded(number, value, names, last_us)
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
    if text.lstrip().startswith("["):
        try:
            items: Any = json.loads(text)
        except ValueError as error:
            raise InvalidMessage(f"the file is not JSON: {error}") from None
        yield from enumerate(items, 1)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                _refuse(number, f"this is not JSON: {error}")


def _recorded(number: int, value: Any, names: Names, last_us: int) -> Recorded:
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
    sender = body.get("sender")
    if not isinstance(sender, str) or not is_agent_name(sender):
        _refuse(number, "the message has no sender, or it is no agent name")
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
    full = names.full(sender)
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
    value = body.get(key)
    if value is None:
        return []
    items: list[Any] = value if _is_list(value) else [value]
    for item in items:
        if not isinstance(item, str) or not is_agent_name(item):
            _refuse(number, f"{key} is a name or a list of names, each `local` or `local@platform`")
    return items


def _time(number: int, value: Any) -> int:
    """Microseconds since 1970, as a number or as RFC 3339."""
    if _is_number(value):
        if not abs(value) < LAST_US:  # NaN is not, either
            _refuse(number, f"{value} is no time", "microseconds since 1970, or RFC 3339")
        return int(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        _refuse(number, f"{str(value)[:80]!r} is no time", "microseconds since 1970, or RFC 3339")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _refuse(number: int, message: str, hint: str | None = None) -> NoReturn:
    raise InvalidMessage(f"line {number}: {message}", hint=hint, line=number)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
