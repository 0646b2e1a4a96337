"""What a person gives as JSON on the command line: the text itself, `@FILE`, or `-` for stdin."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from caxton.errors import ConfigurationError


def json_argument(text: str, option: str) -> Any:
    """The JSON value that `text` is or points to; ConfigurationError names the option and the place."""
    if text == "-":
        source, where = sys.stdin.read(), "stdin"
    elif text.startswith("@"):
        where = text[1:]
        try:
            source = Path(where).read_text("utf-8")
        except OSError as error:
            raise ConfigurationError(
                f"{option}: {where} cannot be read: {error.strerror}",
                hint=f"{option} @FILE reads a file, {option} - reads stdin",
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{option}: {where} is not UTF-8 text") from error
    else:
        source, where = text, "it"
    try:
        return whole(json.loads(source, parse_constant=_no_number), option)
    except RecursionError as error:
        raise ConfigurationError(f"{option}: {where} is nested too deep") from error
    except json.JSONDecodeError as error:
        hint = f"a text needs its quotes: {option} '{json.dumps(text)}'" if where == "it" else None
        raise ConfigurationError(
            f"{option}: {where} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            hint=hint,
        ) from error


def whole(value: Any, option: str) -> Any:
    """The same value; ConfigurationError where it has half a character, which no message can carry."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(
            f"{option}: half of a surrogate pair (\\ud800 to \\udfff alone) is no character",
            hint="write whole characters",
        ) from error
    return value


def _no_number(word: str) -> Any:
    """NaN and Infinity are Python's and not JSON's."""
    raise json.JSONDecodeError(f"{word} is no number", word, 0)
