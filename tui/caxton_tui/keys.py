"""The keys that are the same on every screen, and for every key the command that does or shows the same.

The ids are for people who want other keys (`settings.py`); the commands are for those who cannot use a screen full of
changing text. A screen's own keys stand with it.
"""

from __future__ import annotations

import string
from typing import Final, NamedTuple

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
    hidden_key(
        "ctrl+s",
        "keep_filter",
        "app.keep_filter",
        "Keep filter",
        "Keep the filter under a name: the palette has it",
    ),
    key("c", "compose", "app.compose", "Write", "Write a message and send it"),
    hidden_key(
        "H", "held", "app.held", "Held", "What is held: let it go, change it, drop it; the break points"
    ),
    hidden_key(
        "L", "letters", "app.letters", "Dead letters", "What could not be handled: deliver it again, drop it"
    ),
    hidden_key("W", "links", "app.links", "Who", "Who talks to whom, and how much"),
    hidden_key("at", "range", "app.range", "Range", "From when to when: a range of time for the filter"),
    hidden_key("B", "break", "app.break", "Break", "Hold what passes the filter from now on"),
    hidden_key("T", "task", "app.task", "Task", "Run a whole protocol as its initiator"),
    hidden_key("E", "edit", "app.edit", "Edit", "The source of the agent at the cursor, in $EDITOR"),
    hidden_key(
        "escape", "back", "app.back", "Back", "One step back: a detail, the cursor, the filter, the screen"
    ),
    hidden_key("minus", "last", "app.last", "Last screen", "The screen before this one"),
    hidden_key("y", "copy", "app.copy", "Copy", "Copy the row under the cursor to the clipboard (OSC 52)"),
    hidden_key("v", "select", "app.select", "Select", "The list as plain text, to mark and copy parts of it"),
    hidden_key("z", "zoom", "app.zoom", "Zoom", "This box over the whole screen, and back"),
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
    "at": "@",
    "upper_a": "A",
}

MOVES: Final = ("list.up", "list.down", "list.page_up", "list.page_down", "list.first", "list.last")
"""The keys that move the cursor of a list."""


class Twin(NamedTuple):
    """What a key does, in other words: the palette's line, a noun first (none: it has no line), and the command."""

    words: str
    command: str = ""


TWINS: Final = {
    "conversations.follow": Twin("conversation follow", "caxton msg tail"),
    "conversations.export": Twin("conversation export", "caxton conv export ID"),
    "conversations.pin": Twin("conversation pin", "caxton conv pin ID"),
    "conversations.trace": Twin("conversation trace", "caxton trace show ID"),
    "conversations.reply": Twin("message reply", "caxton msg send"),
    "conversations.repeat": Twin("message repeat", "caxton msg send"),
    "agents.switch": Twin("", "caxton agent stop NAME"),
    "agents.restart": Twin("", "caxton agent restart NAME"),
    "agents.suspend": Twin("", "caxton agent suspend NAME"),
    "agents.deploy": Twin("agent deploy", "caxton agent deploy NAME FILE"),
    "agents.rows": Twin("agent rows NAME", "caxton msg tail --agent NAME"),
    "agents.write": Twin("agent write NAME", "caxton msg send --to NAME"),
    "room.next": Twin("", "caxton agent show, logs"),
    "traces.short": Twin("trace short", "caxton trace show ID"),
    "traces.conversation": Twin("conversation sequence", "caxton conv show ID"),
    "changes.accept": Twin("build accept NAME", "caxton deploy promote ID"),
    "changes.drop": Twin("build drop NAME", "caxton deploy abort ID"),
    "changes.live": Twin("build ask-live NAME", "caxton deploy ask-live ID"),
    "changes.difference": Twin("build difference", "caxton deploy status ID"),
    "changes.promote": Twin("deployment promote ID", "caxton deploy promote ID"),
    "changes.abort": Twin("deployment abort ID", "caxton deploy abort ID"),
    "changes.rollback": Twin("deployment rollback ID", "caxton deploy rollback ID"),
    "changes.agent": Twin("agent open NAME", "caxton agent show NAME"),
    "log.follow": Twin("log follow", "caxton msg tail"),
    "log.conversation": Twin("conversation open", "caxton conv show ID"),
    "log.reply": Twin("message reply", "caxton msg send"),
    "log.repeat": Twin("message repeat", "caxton msg send"),
    "meters.pause": Twin("meters pause", "caxton top"),
    "held.release": Twin("", "caxton break release SEQ"),
    "held.next": Twin("", "caxton break release --next"),
    "held.all": Twin("", "caxton break release --all"),
    "held.drop": Twin("", "caxton break drop SEQ"),
    "held.edit": Twin("", "caxton break edit SEQ"),
    "held.delay": Twin("", "caxton break delay SEQ DURATION"),
    "held.remove": Twin("", "caxton break rm ID"),
    "held.add": Twin("", "caxton break add FILTER"),
    "letters.redeliver": Twin("", "caxton dead-letter redeliver SEQ"),
    "letters.all": Twin("", "caxton dead-letter redeliver --agent NAME"),
    "letters.edit": Twin("", "caxton dead-letter edit SEQ"),
    "letters.drop": Twin("", "caxton dead-letter drop SEQ"),
    "list.choose": Twin("", "caxton msg show SEQ"),
    "list.problem": Twin("problem next", "--filter is:problem"),
    "diagram.on": Twin("", "caxton conv show ID"),
    "app.conversations": Twin("screen conversations", "caxton conv list"),
    "app.agents": Twin("screen agents", "caxton agent list"),
    "app.traces": Twin("screen traces", "caxton trace show ID"),
    "app.changes": Twin("screen changes", "caxton deploy list"),
    "app.log": Twin("screen log", "caxton msg tail"),
    "app.meters": Twin("screen meters", "caxton top"),
    "app.compose": Twin("message send", "caxton msg send"),
    "app.task": Twin("task start", "caxton task run"),
    "app.held": Twin("message held", "caxton break held"),
    "app.letters": Twin("message dead", "caxton dead-letter list"),
    "app.links": Twin("agents topology"),
    "app.range": Twin("filter range", "--since 5m --until 12:30"),
    "app.break": Twin("message hold", "caxton break add FILTER"),
    "app.edit": Twin("source edit", "$EDITOR FILE, beside caxton dev"),
    "app.jump": Twin("place jump"),
    "app.filter": Twin("filter set", "--filter of msg and conv"),
    "app.keep_filter": Twin("filter keep", "--filter of msg and conv"),
    "mark.row": Twin("row mark"),
    "table.columns": Twin("list columns", "--columns, --sort"),
    "detail.wrap": Twin("message wrap"),
    "detail.path": Twin("message path"),
    "conversations.compare": Twin("conversation compare", "caxton conv diff A B"),
    "app.retry": Twin("daemon look", "caxton status"),
    "app.theme": Twin("theme next", "CAXTON_TUI_THEME=NAME"),
    "app.copy": Twin("row copy"),
    "app.select": Twin("text select"),
    "app.zoom": Twin("box zoom"),
    "app.help": Twin("help keys", "caxton --help"),
    "app.quit": Twin("tui quit", "caxton down ends the daemon"),
}
"""By a binding's id. What stands in capitals is filled in with what the cursor stands on."""
