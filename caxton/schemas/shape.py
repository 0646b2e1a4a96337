"""What every shape of the API's answers has in common, and how a shape becomes JSON again.

In: JSON as the daemon said it. Out: frozen objects with real times, and the same JSON from them: times are ISO 8601
UTC with microseconds and `Z`, what was left out stays out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from caxton.exact_numbers import decimal

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(us: int) -> str:
    """Microseconds since 1970 as `2026-01-31T12:00:00.000000Z`."""
    second, rest = divmod(us, 1_000_000)
    return f"{_second(second)}.{rest:06d}Z"


@lru_cache(maxsize=64)
def _second(since_1970: int) -> str:
    # rows that follow each other mostly share the second, and this is half the cost of rendering one
    return (_EPOCH + timedelta(seconds=since_1970)).isoformat()[:-6]


def text_of(moment: datetime) -> str:
    """A time as the API writes it."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"


def micros(moment: datetime) -> int:
    """A time in microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One object of the API's answers; fields that the daemon left out are UNSET."""


class Message:
    """An ACL message as JSON has it; `json` has every key, those that begin `x_` too."""

    __slots__ = ("json",)

    def __init__(self, json: dict[str, Any]) -> None:
        self.json = json

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.json == other.json

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Message({self.json!r})"

    def _text(self, key: str) -> str | None:
        value = self.json.get(key)
        return None if value is None else str(value)

    @property
    def id(self) -> str:
        """Its number as a UUID."""
        return str(self.json.get("id", ""))

    @property
    def performative(self) -> str:
        """FIPA's name of the act."""
        return str(self.json.get("performative", ""))

    @property
    def sender(self) -> str:
        """Who says it."""
        return str(self.json.get("sender", ""))

    @property
    def receiver(self) -> list[str]:
        """Who is to get it."""
        return [str(name) for name in self.json.get("receiver") or ()]

    @property
    def content(self) -> Any:
        """What it says: any JSON; None where it says nothing."""
        return self.json.get("content")

    @property
    def conversation_id(self) -> str:
        """The conversation that it belongs to."""
        return str(self.json.get("conversation_id", ""))

    @property
    def protocol(self) -> str | None:
        """The protocol that it follows."""
        return self._text("protocol")

    @property
    def language(self) -> str | None:
        """The language of its content."""
        return self._text("language")

    @property
    def ontology(self) -> str | None:
        """The ontology of its content."""
        return self._text("ontology")

    @property
    def encoding(self) -> str | None:
        """The encoding of its content."""
        return self._text("encoding")

    @property
    def reply_with(self) -> str | None:
        """What an answer is to name."""
        return self._text("reply_with")

    @property
    def in_reply_to(self) -> str | None:
        """What it answers."""
        return self._text("in_reply_to")

    @property
    def reply_by(self) -> str | None:
        """Until when an answer is in time, as it was said."""
        return self._text("reply_by")


def _decoded(kind: type, value: Any) -> Any:
    if kind is Message and isinstance(value, dict):
        return Message(cast("dict[str, Any]", value))
    raise NotImplementedError(kind)


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """A decoder of JSON into that shape."""
    found = _decoders.get(kind)
    if found is None:
        found = _decoders[kind] = msgspec.json.Decoder(kind, dec_hook=_decoded, float_hook=decimal)
    return found


_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def shaped(value: Any, kind: type[T]) -> T:
    """Plain JSON values as that shape."""
    return msgspec.convert(value, kind, dec_hook=_decoded)


def plain(value: Any) -> Any:
    """A shape as plain JSON values, as the daemon said it."""
    match value:
        case Shape():
            fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
            return {name: plain(one) for name, one in fields if one is not msgspec.UNSET}
        case Message():
            return value.json
        case datetime():
            return text_of(value)
        case list():
            return [plain(one) for one in cast("Any", value)]
        case dict():
            return {name: plain(one) for name, one in cast("Any", value).items()}
        case _:
            return value
