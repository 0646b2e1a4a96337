"""The user's own settings of the terminal interface: other keys, another theme.

    theme = "textual-light"
    [keys]
    "app.help" = "f1"
    "list.down" = "down,j,z"

In: `tui.toml` in the user's configuration folder; no file is no settings. Out: `Settings`, or a ConfigurationError
that names the key. A key that two would answer to is refused: one of them could not be reached. No Textual in here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import platformdirs

from caxton.errors import ConfigurationError

FILE: Final = "CAXTON_TUI_CONFIG"
"""The environment's variable that names another file."""
SWALLOWED: Final = frozenset({"ctrl+c", "ctrl+z", "ctrl+q", "ctrl+m", "ctrl+i", "ctrl+h", "ctrl+enter"})
"""Keys that terminals keep for themselves or send as others."""
BOXES: Final = frozenset(
    {
        "ask",
        "columns",
        "compare",
        "compose",
        "confirm",
        "deploy",
        "export",
        "fork",
        "help",
        "held",
        "jump",
        "letters",
        "links",
        "palette",
        "range",
        "select",
        "task",
    }
)
"""What lies over the screens: while it does, its keys alone are in force."""
PLACES: Final = frozenset(
    {
        frozenset({"held", "list"}),
        frozenset({"letters", "list"}),
        frozenset({"columns", "list"}),
        frozenset({"compare", "list"}),
        frozenset({"letters", "mark"}),
        frozenset({"links", "list"}),
        frozenset({"links", "mark"}),
        frozenset({"links", "table"}),
        *(
            frozenset({of, pane})
            for of in ("mark", "table")
            for pane in ("agents", "changes", "conversations", "traces")
        ),
        frozenset({"mark", "table"}),
        frozenset({"conversations", "diagram"}),
        frozenset({"agents", "room"}),
        frozenset({"conversations", "detail"}),
        frozenset({"detail", "log"}),
    }
)
"""Whose keys are in force at the same time, beside `app` and `list` with every screen."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user wants otherwise."""

    theme: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """By a binding's id, the keys with commas between them."""


def place() -> Path:
    """Where the file is, whether there is one or not."""
    named = os.environ.get(FILE)
    return Path(named) if named else platformdirs.user_config_path("caxton") / "tui.toml"


def load_settings(
    bindings: Mapping[str, str], themes: Collection[str], name: Callable[[str], str | None]
) -> Settings:
    """Read the file.

    `bindings` are the keys that there are by their ids, with commas between them, `themes` the themes; `name` gives
    the one name of a key that may be written in several ways, None for what is no key.
    """
    path = place()
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {_why(error)}", hint="mend or remove it") from error
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: {error}", hint="see docs/tui.md") from error
    unknown = sorted(set(said) - {"theme", "keys"})
    if unknown:
        raise ConfigurationError(
            f"{path}: there is no setting {unknown[0]!r}", hint="there are theme and keys"
        )
    theme = said.get("theme")
    if theme is not None and theme not in themes:
        raise ConfigurationError(
            f"{path}: theme: there is no theme {theme!r}", hint=f"themes are {', '.join(sorted(themes))}"
        )
    keys = said.get("keys", {})
    if not isinstance(keys, dict):
        raise ConfigurationError(f"{path}: keys must be a table", hint='[keys]\n"app.help" = "f1"')
    table = cast("dict[str, object]", keys)
    found = {id: _keys(path, id, value, bindings, name) for id, value in table.items()}
    _no_key_twice(path, found, {**bindings, **found}, name)
    return Settings(theme, found)


def _why(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is no UTF-8"


def _keys(path: Path, id: str, value: object, ids: Collection[str], name: Callable[[str], str | None]) -> str:
    if id not in ids:
        near = [one for one in sorted(ids) if one.split(".")[0] == id.split(".")[0]] or sorted(ids)
        raise ConfigurationError(f"{path}: keys: there is nothing called {id!r}", hint=", ".join(near))
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{path}: keys: {id} must be text", hint='for example "f1" or "down,j"')
    named: list[str] = []
    for key in map(str.strip, value.split(",")):
        if key.lower() in SWALLOWED:
            raise ConfigurationError(
                f"{path}: keys: {id}: terminals keep {key} for themselves", hint="choose another key"
            )
        known = name(key)
        if known is None:
            raise ConfigurationError(f"{path}: keys: {id}: there is no key {key!r}", hint=_meant(key, name))
        named.append(known)
    return ",".join(named)


def _meant(key: str, name: Callable[[str], str | None]) -> str:
    if not key:
        return "commas stand between keys; the key itself is called comma"
    *_, last = key.split("+")
    if len(last) == 1 and last.isalpha() and name(last):
        return f"letters are written as they are typed: {last.upper() if 'shift' in key else last}"
    if name(key.lower()):
        return f"it is called {key.lower()}"
    return "such as f1, space, pageup, ctrl+n, or a single character"


def _no_key_twice(
    path: Path, wanted: Mapping[str, str], all: Mapping[str, str], name: Callable[[str], str | None]
) -> None:
    """Raises ConfigurationError for a key of the user's that something else answers to as well."""
    for id, keys in wanted.items():
        for other, others in all.items():
            if other == id or not together(id, other):
                continue
            both = set(keys.split(",")) & {name(key) for key in others.split(",")}
            if both:
                raise ConfigurationError(
                    f"{path}: keys: {id}: {min(map(str, both))} is {other}'s already",
                    hint=f"give {other} another key, too, or choose another one here",
                )


def together(one: str, other: str) -> bool:
    """Whether the keys of both are in force at the same time."""
    places = frozenset(id.split(".")[0] for id in (one, other))
    if len(places) == 1 or places in PLACES:
        return True
    return bool(places & {"app", "list"}) and not places & (BOXES | {"room"} if "list" in places else BOXES)
