"""The lines of the palette: what the keys in force do, by words, and all agents and conversations by their names.

In: the bindings and the context, and what shows an agent or a conversation. Out: commands, a noun first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from textual.binding import ActiveBinding

from caxton_tui.keys import TWINS
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.screens.palette import PaletteCommand
from caxton_tui.widgets.typed_app import typed_app


def by_key(active: Iterable[ActiveBinding], names: Mapping[str, str]) -> Iterator[PaletteCommand]:
    """What these bindings do, where they have words; `names` are filled in for the words in capitals."""

    def filled(text: str) -> str:
        return re.sub(r"\b(ID|NAME)\b", lambda found: names.get(found[0], found[0]), text)

    found = {one.binding.id: one for one in active if one.enabled}
    for id, twin in TWINS.items():
        if twin.words and id in found:
            node, binding = found[id].node, found[id].binding
            run = partial(node.call_later, typed_app(node).run_action, binding.action, node)
            yield PaletteCommand(filled(twin.words), binding.tooltip, filled(twin.command), run)


def by_name(
    context: ViewContext, agent: Callable[[str], None], conversation: Callable[[str], None]
) -> Iterator[PaletteCommand]:
    """Every agent and every conversation of the lists; the callables show one of them."""
    platform = context.store.platform
    for one in context.store.agents:
        name = formatting.short(one.name, platform)
        yield PaletteCommand(
            f"agent show {name}",
            "its state, logs, limits",
            f"caxton agent show {name}",
            partial(agent, one.name),
        )
    for listed in context.store.conversations:
        id = listed.id
        yield PaletteCommand(
            f"conversation open {id}",
            listed.protocol or "",
            f"caxton conv show {id}",
            partial(conversation, id),
        )
