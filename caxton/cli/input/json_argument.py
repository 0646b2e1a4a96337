"""What a person gives as JSON on the command line: the text itself, `@FILE`, or `-` for stdin."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from caxton.acl.json_value import read_value
from caxton.errors import ConfigurationError, InvalidMessage
from caxton.exact_numbers import decimal


def json_argument(text: str, option: str) -> Any:
    """The JSON value that `text` is or points to; ConfigurationError names the option and the place."""
    if text == "-":
        source, where = sys.stdin.read().removeprefix("\ufeff"), "stdin"
    elif text.startswith("@"):
        where = text[1:]
        try:
            source = Path(where).read_text("utf-8-sig")
        except OSError as error:
            raise ConfigurationError(
                f"{option}: {where} cannot be read: {error.strerror}",
                hint=f"{option} @FILE reads a file, {option} - reads stdin",
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{option}: {where} is not UTF-8 text") from error
    else:
        source, where = text, "it"
    hint = f"a text needs its quotes: {option} '{json.dumps(text)}'" if where == "it" else None
    return json_value(source, f"{option}: {where}", hint)


def json_value(text: str, what: str, hint: str | None = None) -> Any:
    """The value of a JSON text by the rules for messages; ConfigurationError names it as `what`.

    `hint`: what to do where it is no JSON at all.
    """
    try:
        # what the shell gave that is no UTF-8 stands as half a surrogate pair
        read_value(text.encode("utf-8", "surrogateescape"), what)
    except InvalidMessage as error:
        raise ConfigurationError(error.message, hint=error.hint or hint) from error
    return json.loads(text, parse_float=decimal)
