"""Fields of pydantic models in which decimals keep their digits; pydantic itself makes plain floats of them.

In: values that `exact_numbers` read. Out: the same values, checked.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import JsonValue, ValidatorFunctionWrapHandler, WrapValidator


def _as_given(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    check(value)
    return value


ExactJson = Annotated[JsonValue, WrapValidator(_as_given)]
"""Any JSON."""
ExactFigure = Annotated[int | float, WrapValidator(_as_given)]
"""A number."""
