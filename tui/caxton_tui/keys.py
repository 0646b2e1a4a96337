"""The keys that are the same on every screen, and for every key the command that does or shows the same.

The ids are for people who want other keys (`settings.py`); the commands are for those who cannot use a screen full of
changing text. A screen's own keys stand with it.
"""

from __future__ import annotations

import string
from typing import Final

from textual.binding import Binding
from textual.keys import Keys


def key(keys: str, action: str, id: str, label: str, text: str = "") -> Binding:
    """A binding that people can give other keys: its id, its word in the footer, what the help says of it."""
    return Binding(keys, action, label, id=id, tooltip=text)


def hidden_key(keys: str, action: str, id: str, label: str, text: str = "") -> Binding:
    """The same without a place in the footer."""
    return Binding(keys, action, label, show=False, id=id, tooltip=text)


KEYS: Final = (
    key("q", "app.quit", "app.quit", "Quit", "Leave; the daemon goes on"),
    key("question_mark", "help", "app.help", "Help", "What the keys do here"),
    key("colon,ctrl+p", "palette", "app.palette", "Commands", "Everything that can be done, by words"),
    key("slash", "filter", "app.filter", "Filter", "Show only what passes a filter"),
    hidden_key(
        "semicolon,ctrl+o", "jump", "app.jump", "Jump", "A letter on every row and box: type it to go there"
    ),
    key("c", "compose", "app.compose", "Write", "Write a message and send it"),
    hidden_key(
        "H", "held", "app.held", "Held", "What is held: let it go, change it, drop it; the break points"
    ),
    hidden_key("B", "break", "app.break", "Break", "Hold what passes the filter from now on"),
    hidden_key("T", "task", "app.task", "Task", "Run a whole protocol as its initiator"),
    hidden_key("E", "edit", "app.edit", "Edit", "The source of the agent at the cursor, in $EDITOR"),
    hidden_key(
        "escape", "back", "app.back", "Back", "One step back: a detail, the cursor, the filter, the screen"
    ),
    hidden_key("minus", "last", "app.last", "Last screen", "The screen before this one"),
    hidden_key("y", "copy", "app.copy", "Copy", "Copy the row under the cursor to the clipboard (OSC 52)"),
    hidden_key("v", "select", "app.select", "Select", "The list as plain text, to mark and copy parts of it"),
    hidden_key("r", "retry", "app.retry", "Look now", "Ask the daemon now, also one that is away"),
    hidden_key("ctrl+t", "theme", "app.theme", "Theme", "Dark, light, high contrast"),
    hidden_key("1", "screen('Conversations')", "app.conversations", "Conversations", "Screen 1"),
    hidden_key("2", "screen('Agents')", "app.agents", "Agents", "Screen 2"),
    hidden_key("3", "screen('Traces')", "app.traces", "Traces", "Screen 3"),
    hidden_key("4", "screen('Changes')", "app.changes", "Changes", "Screen 4"),
    hidden_key("5", "screen('Log')", "app.log", "Log", "Screen 5"),
    hidden_key("6", "screen('Meters')", "app.meters", "Meters", "Screen 6"),
)

MODIFIERS: Final = frozenset({"ctrl", "alt", "shift", "super", "hyper", "meta"})


def key_name(key: str) -> str | None:
    """Textual's name of a key, `question_mark` for `?`; None where there is no such key."""
    if len(key) == 1:
        return _single(key)
    *modifiers, last = key.split("+")
    if not MODIFIERS.issuperset(modifiers):
        return None
    if len(last) == 1:
        # with shift, terminals send the letter itself
        return None if ("shift" in modifiers and last.isalpha()) or not _single(last) else key
    return key if last in _NAMED else None


def shown(key: str) -> str:
    """A key as it is written on screen."""
    return _SIGNS.get(key, key)


def _single(character: str) -> str | None:
    """The name of what a single character is typed with."""
    if character == "," or not character.isprintable() or character.isspace():
        return None
    return next(iter(Binding.make_bindings([(character, "", "")]))).key


_NAMED: Final = frozenset(
    {"comma", *(key.value for key in Keys if key.value.isalnum())}
    | {name for name in map(_single, string.punctuation) if name is not None}
)
"""Keys that are no letters or digits."""

_SIGNS: Final = {
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "colon": ":",
    "semicolon": ";",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "comma": ",",
    "full_stop": ".",
    "minus": "-",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "upper_a": "A",
}

MOVES: Final = ("list.up", "list.down", "list.page_up", "list.page_down", "list.first", "list.last")
"""The keys that move the cursor of a list."""

TWINS: Final = {
    "app.quit": "caxton down ends the daemon",
    "app.help": "caxton --help",
    "app.filter": "--filter of msg and conv",
    "app.compose": "caxton msg send",
    "app.task": "caxton task run",
    "app.edit": "$EDITOR FILE, beside caxton dev",
    "app.held": "caxton break held",
    "app.break": "caxton break add FILTER",
    "held.release": "caxton break release SEQ",
    "held.next": "caxton break release --next",
    "held.all": "caxton break release --all",
    "held.drop": "caxton break drop SEQ",
    "held.edit": "caxton break edit SEQ",
    "held.delay": "caxton break delay SEQ DURATION",
    "held.remove": "caxton break rm ID",
    "held.add": "caxton break add FILTER",
    "app.retry": "caxton status",
    "app.theme": "CAXTON_TUI_THEME=NAME",
    "app.conversations": "caxton conv list",
    "app.agents": "caxton agent list",
    "app.traces": "caxton trace show ID",
    "app.changes": "caxton deploy list",
    "app.log": "caxton msg tail",
    "app.meters": "caxton top",
    "list.choose": "caxton msg show SEQ",
    "list.problem": "--filter is:problem",
    "diagram.on": "caxton conv show ID",
    "conversations.follow": "caxton msg tail",
    "conversations.export": "caxton conv export ID",
    "conversations.pin": "caxton conv pin ID",
    "conversations.trace": "caxton trace show ID",
    "conversations.reply": "caxton msg send",
    "conversations.repeat": "caxton msg send",
    "agents.switch": "caxton agent stop NAME",
    "agents.restart": "caxton agent restart NAME",
    "agents.suspend": "caxton agent suspend NAME",
    "agents.deploy": "caxton agent deploy NAME FILE",
    "agents.rows": "caxton msg tail --agent NAME",
    "agents.write": "caxton msg send --to NAME",
    "room.next": "caxton agent show, logs",
    "traces.conversation": "caxton conv show ID",
    "changes.accept": "caxton deploy promote ID",
    "changes.drop": "caxton deploy abort ID",
    "changes.difference": "caxton deploy status ID",
    "changes.promote": "caxton deploy promote ID",
    "changes.abort": "caxton deploy abort ID",
    "changes.rollback": "caxton deploy rollback ID",
    "changes.agent": "caxton agent show NAME",
    "log.follow": "caxton msg tail",
    "log.conversation": "caxton conv show ID",
}
"""By a binding's id: the command that does or shows the same."""
