"""The shapes of answers as the OpenAPI document describes them.

In: a shape of `caxton.schemas`. Out: a typed dictionary with the same name, sentence and fields, which FastAPI reads
for the document only: an answer is encoded from the shape itself.
"""

from __future__ import annotations

import types
from datetime import datetime
from functools import cache
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints

import msgspec
from typing_extensions import TypedDict

from caxton.schemas.shape import Message, Shape


@cache
def described(shape: type[Shape]) -> Any:
    """The typed dictionary that says in the document what this shape says here."""
    fields: dict[str, Any] = {}
    for name, kind in get_type_hints(shape).items():
        if name in shape.__struct_fields__:
            left_out = msgspec.UnsetType in get_args(kind)
            fields[name] = NotRequired[_json_of(kind)] if left_out else _json_of(kind)
    make: Any = TypedDict
    found = make(shape.__name__, fields)
    found.__doc__ = shape.__doc__
    return found


def _json_of(kind: Any) -> Any:
    """What a field of that type is in JSON."""
    if kind is datetime:
        return str
    if kind is Message:
        return dict[str, Any]
    found: Any = kind
    if isinstance(found, type) and issubclass(found, Shape):
        return described(found)
    origin, parts = (
        get_origin(kind),
        [_json_of(one) for one in get_args(kind) if one is not msgspec.UnsetType],
    )
    if origin in (Union, types.UnionType):
        return Union[tuple(parts)]  # noqa: UP007 (made of a tuple)
    generic: Any = origin
    return generic[tuple(parts)] if parts and origin is not None else kind
