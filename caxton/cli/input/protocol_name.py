"""A protocol's name from an option: one that is nearly FIPA's is a slip, for nobody would judge its conversation.

In: what was typed. Out: the same, or a usage error that says which was meant. Own protocols may have any other name.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import typer

import caxton


def fipa_names() -> list[str]:
    """The names of FIPA's protocols."""
    tables = Path(caxton.__file__).parent / "protocols" / "tables"
    return sorted(f"fipa-{table.stem}" for table in tables.glob("*.toml"))


def protocol_name(text: str) -> str:
    """The name, where it is not nearly one of FIPA's."""
    names = fipa_names()
    if text in names or text in {name.removeprefix("fipa-") for name in names}:
        return text
    bare = {_bare(name): name for name in names}
    close = get_close_matches(_bare(text), bare, 1, 0.9 if text.startswith("fipa") else 1.0)
    if close:
        raise typer.BadParameter(
            f"there is no protocol {text!r}; did you mean {bare[close[0]]}? FIPA's are {', '.join(names)}"
        )
    return text


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold().removeprefix("fipa-").removeprefix("fipa")))
