"""The user's own settings of the terminal interface: other keys, another theme.

    theme = "textual-light"
    [keys]
    "app.help" = "f1"
    "list.down" = "down,j,n"

In: `tui.toml` in the user's configuration folder; no file is no settings. Out: `Settings`, or a ConfigurationError
that names the key. No Textual in here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import platformdirs

from caxton.errors import ConfigurationError

FILE: Final = "CAXTON_TUI_CONFIG"
"""The environment's variable that names another file."""
SWALLOWED: Final = frozenset(
    {"ctrl+c", "ctrl+z", "ctrl+s", "ctrl+q", "ctrl+m", "ctrl+i", "ctrl+h", "ctrl+enter"}
)
"""Keys that terminals keep for themselves or send as others."""


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


def load_settings(ids: Collection[str], themes: Collection[str]) -> Settings:
    """Read the file; `ids` are the bindings that there are, `themes` the themes."""
    path = place()
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}", hint="mend or remove it") from error
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
    return Settings(theme, {id: _keys(path, id, value, ids) for id, value in table.items()})


def _keys(path: Path, id: str, value: object, ids: Collection[str]) -> str:
    if id not in ids:
        near = [one for one in sorted(ids) if one.split(".")[0] == id.split(".")[0]] or sorted(ids)
        raise ConfigurationError(f"{path}: keys: there is nothing called {id!r}", hint=", ".join(near))
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{path}: keys: {id} must be text", hint='for example "f1" or "down,j"')
    for key in value.split(","):
        if key.strip() in SWALLOWED:
            raise ConfigurationError(
                f"{path}: keys: {id}: terminals keep {key.strip()} for themselves", hint="choose another key"
            )
    return value
