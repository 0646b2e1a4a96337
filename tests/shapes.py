"""Shapes of the API made by hand: a test says only what it is about, everything else is empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from caxton.schemas.shape import Message, Shape, shaped

T = TypeVar("T")

_EMPTY: dict[Any, Any] = {str: "", int: 0, float: 0.0, bool: False, datetime: "2026-01-31T12:00:00.000000Z"}


def made(kind: type[T], fields: Mapping[str, Any]) -> T:
    """That shape from JSON that leaves fields out."""
    return shaped(_whole(kind, fields), kind)


def _whole(kind: Any, given: Any) -> Any:
    """The JSON with everything that is missing."""
    if isinstance(kind, type) and issubclass(kind, Shape):
        found = dict(given)
        for name, each, required in _fields(kind):
            if name in found:
                found[name] = _whole(each, found[name])
            elif required:
                found[name] = _nothing(each)
        return found
    if get_origin(kind) is list:
        return [_whole(get_args(kind)[0], one) for one in given]
    if given is not None:
        for part in get_args(kind):
            if (isinstance(part, type) and issubclass(part, Shape)) or get_origin(part) is list:
                return _whole(part, given)
    return given


@cache
def _fields(kind: type[Shape]) -> list[tuple[str, Any, bool]]:
    """Name, type and whether it must be there."""
    required = {field.name for field in msgspec.structs.fields(kind) if field.required}
    return [(name, each, name in required) for name, each in get_type_hints(kind).items()]


def _nothing(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Shape):
        return _whole(kind, {})
    if type(None) in get_args(kind):
        return None
    if get_origin(kind) is list:
        return []
    return _EMPTY.get(kind, {}) if kind is not Message else {}
