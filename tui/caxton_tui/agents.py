"""The agents: who is there, in which state, and how busy.

In: the store's last look. Out: one line an agent, painted on demand: ten thousand agents cost what forty do. As many
columns as fit, the dearest first; the card below the list has the rest for the agent under the cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.text import Text

from caxton.api.plain import safe, size
from caxton_tui import words
from caxton_tui.bars import Line
from caxton_tui.listing import Listing, Part
from caxton_tui.store import Pace, Store

Json = Mapping[str, Any]

_STATES: Final = {"running": "listing--good", "failed": "listing--bad"}
NAME_ROOM: Final = 12
LONGEST_NAME: Final = 32


@dataclass(frozen=True, slots=True)
class Column:
    """A column beside the name."""

    heading: str
    width: int
    """In cells; negative: to the right."""
    rank: int
    """The higher, the sooner it is left out where there is no room."""
    text: Callable[[Json, Pace], str]


COLUMNS: Final[tuple[Column, ...]] = (
    Column("STATE", 12, 0, lambda agent, pace: state(agent)),
    Column("REVISION", 8, 6, lambda agent, pace: str(agent["revision"] or "-")[:8]),
    Column("WAIT", -5, 2, lambda agent, pace: words.brief(agent["mailbox"])),
    Column("MSG/S", -5, 1, lambda agent, pace: words.brief(pace.turns_s)),
    Column("FUEL/S", -6, 4, lambda agent, pace: words.brief(pace.fuel_s)),
    Column("MEMORY", -8, 5, lambda agent, pace: size(agent["memory_kib"] * 1024)),
    Column("ERR", -4, 3, lambda agent, pace: words.brief(agent["failed_turns"])),
)


def state(agent: Json) -> str:
    """An agent's state as a sign and a word."""
    word = safe(agent["state"])
    return f"{words.STATE_SIGNS.get(word, '○')} {word}"


class AgentTable(Listing):
    """Every agent, by name."""

    def __init__(self, store: Store, *, id: str = "agents") -> None:
        super().__init__(id=id)
        self._store = store
        self._seen: Sequence[Json] = ()

    @property
    def total(self) -> int:
        """How many agents there are."""
        return len(self._store.agents)

    @property
    def chosen(self) -> Json | None:
        """The agent under the cursor, or else the first."""
        agents = self._store.agents
        if self.cursor is None:
            return agents[0] if agents else None
        return agents[self.cursor] if self.cursor < len(agents) else None

    def flush(self) -> None:
        """Bring the last look on screen."""
        if self._store.agents is self._seen and self.virtual_size.width == self.width:
            return
        # agents come and go, and the cursor stays with the one that it stood on
        name = self._seen[self.cursor]["name"] if self.cursor is not None else None
        self._seen = self._store.agents
        self.fit()
        if name is not None:
            self.cursor = next((n for n, agent in enumerate(self._seen) if agent["name"] == name), None)
        self.refresh()

    def heading(self, width: int) -> list[Part]:
        """The columns of the headings."""
        name, columns = fitting(width)
        return [("AGENT", name, ""), *((column.heading, column.width, "") for column in columns)]

    def row(self, number: int, width: int) -> list[Part]:
        """One agent."""
        agent = self._store.agents[number]
        pace = self._store.pace(agent)
        name, columns = fitting(width)
        parts: list[Part] = [(words.short(agent["name"], self._store.platform), name, "listing--name")]
        for column in columns:
            style = ""
            if column.heading == "STATE":
                style = _STATES.get(agent["state"], "listing--warn")
            elif column.heading == "ERR" and agent["failed_turns"]:
                style = "listing--bad"
            parts.append((column.text(agent, pace), column.width, style))
        return parts


def fitting(width: int) -> tuple[int, list[Column]]:
    """The room for the name, and the columns that fit beside it, in their order."""
    columns = list(COLUMNS)
    while columns:
        taken = sum(abs(column.width) + 1 for column in columns) + 1
        if width - taken >= NAME_ROOM:
            return min(width - taken, LONGEST_NAME), columns
        columns.remove(max(columns, key=lambda column: column.rank))
    return max(width - 1, 1), columns


class AgentCard(Line):
    """One agent in a few lines: what the list has no room for."""

    def __init__(self, store: Store, *, id: str = "card") -> None:
        super().__init__(id=id)
        self._store = store

    def flush(self, agent: Json | None) -> None:
        """Show that agent as it is now."""
        self.put(self._of(agent) if agent is not None else Text("no agent yet", style="dim"))

    def _of(self, agent: Json) -> Text:
        pace = self._store.pace(agent)
        lines: list[tuple[str, str]] = [
            (words.short(agent["name"], self._store.platform), state(agent)),
            ("revision", str(agent["revision"] or "none")[:12]),
            ("cell", f"{'none' if agent['cell'] is None else agent['cell']}, {agent['restarts']} restarts"),
            ("memory", f"{size(agent['memory_kib'] * 1024)} of {size(agent['limits'].get('memory_bytes'))}"),
            ("mailbox", f"{agent['mailbox']:,} waiting, {agent['in_flight']:,} in its cell"),
            ("turns", f"{agent['turns']:,}, {agent['failed_turns']:,} failed, {agent['sent']:,} sent"),
            ("fuel", f"{words.brief(agent['fuel'])}, {words.brief(pace.fuel_s)}/s"),
            ("hooks", ", ".join(safe(hook) for hook in agent["hooks"]) or "none"),
        ]
        if agent["last_error"]:
            lines.append(("error", safe(str(agent["last_error"])[:300])))
        text = Text()
        for number, (name, value) in enumerate(lines):
            text.append(f"{name:<9}", "bold" if number == 0 else "dim")
            text.append(f" {value}\n", "bold red" if name == "error" else "")
        text.rstrip()
        return text
