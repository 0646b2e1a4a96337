"""The lines of the palette that are the same on every screen: screens, messages, filters, and all that has a name.

In: the context, and what the keys do. Out: commands, a noun first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.screens.palette import PaletteCommand


def everywhere(act: Mapping[str, Callable[[], object]]) -> Iterator[PaletteCommand]:
    """What can be done on every screen; `act` says how, by the name of the key's action."""
    for name, text, twin, key in (
        ("message send", "write a message", "caxton msg send", "compose"),
        ("task start", "run a whole protocol", "caxton task run", "task"),
        ("message held", "what is held, and break points", "caxton break held", "held"),
        ("message hold", "hold what passes the filter", "caxton break add FILTER", "break"),
        ("source edit", "the agent at the cursor, in $EDITOR", "$EDITOR FILE", "edit"),
        ("place jump", "a letter on every row and box", "", "jump"),
        ("filter set", "show only what passes", "--filter", "filter"),
        ("filter problems", "only what went wrong", "--filter is:problem", "problems"),
        ("filter drop", "show everything", "", "drop"),
        ("daemon look", "ask it now", "caxton status", "retry"),
        ("theme next", "dark, light, high contrast", "CAXTON_TUI_THEME=NAME", "theme"),
        ("text select", "the list as plain text", "", "select"),
        ("help keys", "what the keys do here", "caxton --help", "help"),
        ("tui quit", "leave; the daemon goes on", "", "quit"),
    ):
        yield PaletteCommand(name, text, twin, act[key])


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
