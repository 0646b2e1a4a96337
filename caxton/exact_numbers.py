"""JSON whose decimals keep their digits: `1.10` stays `1.10`, and 25 digits stay 25.

In: JSON. Out: values in which a decimal that a float would spell otherwise is an `ExactNumber`: a float that
knows its own spelling. `encode` and `text` write it as it was; integers are exact in Python anyway.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")


class ExactNumber(float):
    """A decimal with its spelling; equal to what has the same value, not to what a float rounds it to."""

    __slots__ = ("spelling",)
    spelling: str

    def __new__(cls, spelling: str) -> ExactNumber:
        """`spelling`: as JSON has it."""
        self = super().__new__(cls, spelling)
        self.spelling = spelling
        return self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, float):
            return value(self) == value(other)
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = float.__hash__

    def __repr__(self) -> str:
        return self.spelling

    def __reduce__(self) -> tuple[type[ExactNumber], tuple[str]]:
        return ExactNumber, (self.spelling,)


def decimal(spelling: str) -> float:
    """The number that JSON spells so; the hook for whoever reads JSON."""
    number = float(spelling)
    return number if repr(number) == spelling and "e" not in spelling else ExactNumber(spelling)


def value(number: int | float) -> Decimal:
    """What it is worth, digit by digit."""
    return Decimal(number if isinstance(number, int) else str(number))


def number(value: Decimal) -> int | float:
    """A value that was counted out."""
    return decimal(f"{value:f}") if int(value.as_tuple().exponent) < 0 else int(value)


def decoder(kind: type[T], *, strict: bool = True) -> msgspec.json.Decoder[T]:
    """Reads that kind; what is of any type in it keeps its digits."""
    return msgspec.json.Decoder(kind, strict=strict, float_hook=decimal)


def _raw(value: Any) -> Any:
    if isinstance(value, ExactNumber):
        return msgspec.Raw(value.spelling.encode())
    raise NotImplementedError(f"{type(value).__name__} is no JSON")


decode: Final = msgspec.json.Decoder(float_hook=decimal).decode
encode: Final = msgspec.json.Encoder(enc_hook=_raw).encode


def text(value: Any, indent: int = 0) -> str:
    """A value as JSON text, on one line or with so many spaces for each level."""
    return msgspec.json.format(encode(value), indent=indent).decode()


def builtins(value: Any, *, str_keys: bool = False) -> Any:
    """A struct as dictionaries and lists, its numbers as they are."""
    return msgspec.to_builtins(value, builtin_types=(ExactNumber,), str_keys=str_keys)
