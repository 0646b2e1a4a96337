"""Between JSON as the API speaks it and messages of `caxton.v1`, field by field of the same name.

In: either. Out: the other. Digits stay: what may be any JSON is text in a message, and is not read here.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from caxton import exact_numbers
from caxton.errors import InvalidMessage

JSON = "caxton.v1.Json"
EXTENSIONS = "extensions"
"""Parameters of a message whose names begin with `x_`: beside the others in JSON, a map here."""


def json_of(message: Message) -> dict[str, Any]:
    """What is set in the message; InvalidMessage where a text is not JSON."""
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.name == EXTENSIONS:
            found |= {name: _plain(field, one) for name, one in value.items()}
        elif field.is_repeated:
            found[field.name] = [_plain(field, one) for one in value]
        else:
            found[field.name] = _plain(field, value)
    # a text that must be there may be empty, and is not set then
    for field in message.DESCRIPTOR.fields:
        if field.name not in found and not (field.has_presence or field.is_repeated):
            found[field.name] = _plain(field, field.default_value)
    return found


def fill(message: Message, body: dict[str, Any]) -> None:
    """Set the message's fields to what the body has under their names."""
    for field in message.DESCRIPTOR.fields:
        value = body.get(field.name)
        if value is None:
            continue
        if field.is_repeated:
            for one in value:
                if field.message_type is not None:
                    _fill(getattr(message, field.name).add(), one)
                else:
                    getattr(message, field.name).append(_scalar(field, one))
        elif field.message_type is not None:
            _fill(getattr(message, field.name), value)
        else:
            setattr(message, field.name, _scalar(field, value))


def _fill(message: Message, value: Any) -> None:
    message.SetInParent()
    if message.DESCRIPTOR.full_name == JSON:
        message.text = exact_numbers.encode(value).decode()
    else:
        fill(message, value)


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    match field.type:
        case FieldDescriptor.TYPE_BYTES:
            return base64.b64decode(value)
        case FieldDescriptor.TYPE_DOUBLE:
            return float(value)
        case _:
            return value


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if not isinstance(value, Message):
        return value
    if value.DESCRIPTOR.full_name != JSON:
        return json_of(value)
    text: str = value.text
    try:
        exact_numbers.decode(text.encode())
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidMessage(f"{field.name}: its text is no JSON: {error}") from error
    return msgspec.Raw(text.encode())
