"""Decimals of messages, settings and states that keep their digits, as `caxton.exact_numbers` has them in the daemon.

In: JSON. Out: values in which a decimal that a float would spell otherwise is a float that knows its spelling, the same
JSON from them, and their bytes for a turn that may be taken back. Until the first one comes all is as quick as ever.
"""

# pyright: basic

import json
import marshal
from typing import Any

MARK = b"!"
"""Begins the bytes of a value that marshal alone cannot write."""
EXACT = "\0exact"


class ExactNumber(float):
    """A decimal with its spelling; whoever counts with it has a float."""

    seen = False
    """Whether there has been one."""
    spelling: str

    def __new__(cls, spelling: str) -> "ExactNumber":
        cls.seen = True
        self = super().__new__(cls, spelling)
        self.spelling = spelling
        return self

    def __repr__(self) -> str:
        return self.spelling

    def __reduce__(self) -> tuple[type["ExactNumber"], tuple[str]]:
        return ExactNumber, (self.spelling,)


def decimal(spelling: str) -> float:
    """The number that JSON spells so."""
    number = float(spelling)
    return number if float.__repr__(number) == spelling and "e" not in spelling else ExactNumber(spelling)


decode = json.JSONDecoder(parse_float=decimal).decode


_plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def encode(value: Any) -> str:
    """A value as JSON; raises TypeError or ValueError where it is none."""
    return _spelled(value) if ExactNumber.seen else _plain(value)


def _spelled(value: Any) -> str:
    if isinstance(value, ExactNumber):
        return value.spelling
    if isinstance(value, dict):
        # a key as JSON has it, whatever it is
        return "{" + ",".join(f"{_plain({key: 0})[1:-2]}{_spelled(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_spelled, value)) + "]"
    return _plain(value)


def freeze(value: Any, version: int = marshal.version) -> bytes:
    """A state as bytes; raises ValueError where it holds what no state may hold."""
    try:
        return marshal.dumps(value, version)
    except ValueError:
        if not ExactNumber.seen:
            raise
    try:
        return MARK + marshal.dumps(_untied(value), version)
    except RecursionError:
        raise ValueError("object too deeply nested to marshal") from None


def thaw(frozen: bytes) -> Any:
    """The state, in objects of its own."""
    return _tied(marshal.loads(frozen[1:])) if frozen[:1] == MARK else marshal.loads(frozen)


def _untied(value: Any) -> Any:
    if type(value) is ExactNumber:
        return (EXACT, value.spelling)
    if type(value) is dict:
        return {key: _untied(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_untied, value))
    return value


def _tied(value: Any) -> Any:
    if type(value) is tuple and len(value) == 2 and value[0] == EXACT:
        return ExactNumber(value[1])
    if type(value) is dict:
        return {key: _tied(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_tied, value))
    return value
