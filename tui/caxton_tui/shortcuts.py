"""Which keys there are, by the ids under which they can be given other keys.

In: the widgets that were imported, and what the user wants otherwise. Out: ids with keys, and the
key that a text names.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding
from textual.dom import DOMNode

from caxton_tui.keys import shown


def bindings() -> dict[str, str]:
    """The ids of all keys that can be given other keys, each with its keys, commas between them."""
    kinds: list[type[DOMNode]] = [DOMNode]
    found: dict[str, str] = {}
    while kinds:
        kind = kinds.pop()
        kinds.extend(kind.__subclasses__())
        if kind.__module__.startswith("caxton_tui."):
            for one in kind.BINDINGS:
                if isinstance(one, Binding) and one.id is not None:
                    found[one.id] = one.key
    return found


class Shortcuts:
    """The key to press for something, as texts on screen name it: the first, where there are several."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        """`wanted`: the user's own keys by ids."""
        self._keys = {**bindings(), **wanted}

    def __call__(self, id: str) -> str:
        """The key of that binding."""
        return shown(self._keys[id].split(",")[0])
