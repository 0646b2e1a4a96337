"""Values as TOML writes them within a line.

In: JSON values. Out: text; TOML has no null, so `{ null = true }` stands for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from caxton import exact_numbers
from caxton.scenario.contents import is_list

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def inline(value: Any) -> str:
    """One value."""
    if value is None:
        return "{ null = true }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return exact_numbers.text(value, -1)
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        inner = ", ".join(f"{key(name)} = {inline(one)}" for name, one in members.items())
        return f"{{ {inner} }}" if inner else "{}"
    if is_list(value):
        return f"[{', '.join(map(inline, value))}]"
    return quoted(str(value))


def key(name: str) -> str:
    """A key, quoted where it has to be."""
    return name if _BARE.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    """A basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
