"""Bodies of requests that are read whole: the decimals in them keep their digits, as FastAPI's do not.

In: bytes. Out: a model, or one refusal that names the field.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from caxton import exact_numbers
from caxton.acl.message import NULL
from caxton.errors import CaxtonError

Model = TypeVar("Model", bound=BaseModel)


def read_body(kind: type[Model], raw: bytes, refusal: type[CaxtonError]) -> Model:
    """The body as that model; raises the refusal."""
    try:
        return kind.model_validate(exact_numbers.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(f"the body is no JSON: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise refusal(f"{place or 'the body'}: {first['msg']}", field=place or None) from error


class _Content(msgspec.Struct):
    content: msgspec.Raw = NULL


def content_of(raw: bytes) -> msgspec.Raw:
    """The content in a body that was read, as its bytes were, so that no number of it changes."""
    return msgspec.json.decode(raw, type=_Content).content
