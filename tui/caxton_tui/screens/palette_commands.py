"""The lines of the palette for all that has a name: agents and conversations.

In: the context, and what shows one of them. Out: commands, a noun first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.screens.palette import PaletteCommand


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
    for talk in context.store.conversations:
        id = talk.id
        yield PaletteCommand(
            f"conversation open {id}",
            talk.protocol or "",
            f"caxton conv show {id}",
            partial(conversation, id),
        )
