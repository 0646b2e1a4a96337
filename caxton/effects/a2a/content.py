"""Parts of an A2A message as a FIPA message's content, and content as parts.

In: parts. Out: one text as a string, one piece of data as that JSON, anything else as `{"parts": [...]}`. A2A has only
floats; one that is whole is a whole number here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from a2a.types.a2a_pb2 import Part
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Value

from caxton.schemas.shape import plain


def content_of(parts: Sequence[Part]) -> Any:
    """What the parts say."""
    if not parts:
        return None
    if len(parts) == 1 and parts[0].HasField("text"):
        return parts[0].text
    if len(parts) == 1 and parts[0].HasField("data"):
        return _whole(MessageToDict(parts[0].data))
    return {"parts": [_whole(MessageToDict(part)) for part in parts]}


def parts_of(content: Any) -> list[Part]:
    """The content as parts: text as a text, other JSON as data, nothing as none."""
    match content:
        case None:
            return []
        case str():
            return [Part(text=content)]
        case {"parts": [*parts], **rest} if not rest and all(map(_is_part, parts)):
            return [ParseDict(one, Part()) for one in parts]
        case _:
            return [Part(data=ParseDict(plain(content), Value()))]


def plain_text(parts: Iterable[Part]) -> str:
    """The texts, one after the other."""
    return "\n".join(part.text for part in parts if part.HasField("text"))


def _is_part(value: Any) -> bool:
    return isinstance(value, dict) and len({"text", "raw", "url", "data"} & value.keys()) == 1


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer() and abs(value) < 1 << 53:
            return int(value)
        case [*values]:
            return [_whole(one) for one in values]
        case dict():
            return {key: _whole(one) for key, one in cast("dict[str, Any]", value).items()}
        case _:
            return value
