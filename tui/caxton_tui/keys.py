"""Every key of the app, once: the bindings, the footer and the help are made of these.

The ids are for people who want other keys (`App.set_keymap`); the command does the same from a shell, and for those
who cannot use a screen full of changing text.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from textual.binding import Binding


class Key(NamedTuple):
    """One key: what it does, and the command that does or shows the same."""

    keys: str
    action: str
    id: str
    label: str
    text: str
    command: str
    footer: bool = True

    @property
    def of_app(self) -> bool:
        """Whether it is the app's; the others are the screen's."""
        return self.action in ("quit", "help", "dark")

    @property
    def binding(self) -> Binding:
        """As Textual has it."""
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.footer,
            id=self.id,
            tooltip=f"{self.text} ({self.command})",
        )


KEYS: Final = (
    Key("q", "quit", "app.quit", "Quit", "Leave; the daemon goes on", "caxton down ends the daemon"),
    Key("question_mark", "help", "app.help", "Help", "These lines", "caxton --help"),
    Key(
        "slash",
        "filter",
        "tape.filter",
        "Filter",
        "Show only some rows of the tape",
        "caxton msg tail --agent NAME",
    ),
    Key(
        "a",
        "only_agent",
        "tape.agent",
        "Agent",
        "Only the chosen agent's rows, or all again",
        "caxton msg tail --agent NAME",
    ),
    Key("f", "follow", "tape.follow", "Follow", "Follow the newest row, or stay", "caxton msg tail"),
    Key("escape", "back", "app.back", "Back", "Close the detail, drop the filter, follow again", "", False),
    Key(
        "r",
        "retry",
        "app.retry",
        "Look now",
        "Ask the daemon now, also one that is away",
        "caxton status",
        False,
    ),
    Key(
        "d", "dark", "app.dark", "Dark/light", "Change between dark and light", "CAXTON_TUI_THEME=NAME", False
    ),
)

PLACES: Final = (
    ("tab", "The next place: agents, messages, detail", ""),
    ("↑ ↓ k j", "Row by row; on the tape this ends following", ""),
    ("pgup pgdn g G", "Screen by screen; first and last row", ""),
    ("enter", "On a message: all of it, with its turns", "caxton msg show SEQ"),
    ("enter", "On an agent: the tape shows only its rows", "caxton agent show NAME"),
)
"""Keys that belong to the lists, with what they do and the command for it."""
