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
            raise ConfigurationError(f"{option}: {where} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{option}: {where} is not UTF-8 text") from error
    else:
        source, where = text, "it"
    try:
        return json.loads(source)
    except json.JSONDecodeError as error:
        hint = f"a text needs its quotes: {option} '{json.dumps(text)}'" if where == "it" else None
        raise ConfigurationError(
            f"{option}: {where} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            hint=hint,
        ) from error
