"""One message whole: every field, its content, and what each receiver did with it.

In: a row of the tape, and what the daemon says of it when it is asked (turns, dead letters). Out: text that scrolls.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from caxton.api.plain import safe, size, span
from caxton_tui import words
from caxton_tui.store import Entry

Json = Mapping[str, Any]

CONTENT_LINES: Final = 1_000
LINE_ROOM: Final = 2_000
"""Characters of one line of a content: a longer one is cut before it is laid out."""
_LABEL: Final = 16
_FIRST: Final = (
    "performative",
    "sender",
    "receiver",
    "reply_to",
    "conversation_id",
    "protocol",
    "reply_with",
    "in_reply_to",
    "reply_by",
    "language",
    "encoding",
    "ontology",
)
_LAST: Final = ("id", "trace_id", "span_id", "timestamp")


class Detail(VerticalScroll):
    """The message under the cursor of the tape."""

    HELP = "One message: its fields, its content, and the turns that it made."

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(id="detail-text")

    def on_mount(self) -> None:
        """Say what this place is for."""
        self.border_title = "Message"

    def display_entry(self, entry: Entry | None, outcome: Json | None) -> None:
        """Show a row; `outcome` is the message as the daemon has it (`MessageBody`), None when not known yet."""
        text = (
            Text("enter on a message shows it here", style="dim")
            if entry is None
            else described(entry, outcome)
        )
        self.query_one("#detail-text", Static).update(text)


def described(entry: Entry, outcome: Json | None) -> Text:
    """A row in full."""
    text = Text()
    if entry.kind == "message":
        again = bool((outcome or entry.data).get("redelivered"))
        title = f"{words.sign('message', entry.act)} {entry.act}  {entry.sender} → {entry.to}"
        text.append(title + "\n", "bold")
        _field(text, "number", f"{entry.seq:,} at {entry.at}" + ("  ↻ delivered again" if again else ""))
        cause = entry.data.get("cause")
        hops = entry.data.get("hops", 0)
        _field(text, "cause", f"message {cause:,}, {hops} hops" if cause else "from outside")
        for line in _outcome(entry, outcome):
            _field(text, *line)
        _content(text, "content", entry.message.get("content"))
        for name in _FIRST:
            _plain(text, name, entry.message)
        for name in entry.message:
            if name not in _FIRST and name not in _LAST and name != "content":
                _plain(text, name, entry.message)
        for name in _LAST:
            _plain(text, name, entry.message)
    else:
        text.append(f"{words.sign(entry.kind, '')} {entry.kind.replace('_', ' ')}\n", "bold")
        text.append(f"{entry.text}\n")
        if entry.kind != "gap":
            for name, value in entry.data.items():
                _field(text, safe(name), _one_line(value))
    text.rstrip()
    return text


def _outcome(entry: Entry, outcome: Json | None) -> Iterator[tuple[str, str, str]]:
    if outcome is None:
        yield "turn", "asking the daemon…", "dim"
        return
    turns, letters = outcome.get("turns", []), outcome.get("dead_letters", [])
    for turn in turns:
        build = str(turn["revision"] or "")[:7]
        who = words.short(turn["agent"], entry.platform) + (f" {build}" if build else "")
        yield (
            "turn",
            f"{who}: {safe(turn['status'])}, waited {span(turn['queue_us'] / 1e6)}, ran {span(turn['turn_us'] / 1e6)},"
            f" {turn['fuel']:,} fuel, {turn['sent']} sent",
            "green" if turn["status"] == "ok" else "bold red",
        )
    for letter in letters:
        who = words.short(letter["agent"], entry.platform)
        yield (
            "dead letter",
            f"! {who}: {safe(letter['code'])}: {safe(letter['reason'])[:LINE_ROOM]}",
            "bold red",
        )
    if not turns and not letters:
        # a client's mailbox takes no turns, and a guest's turn may still be on its way
        yield "turn", "none so far", "dim"


def _plain(text: Text, name: str, message: Json) -> None:
    value = message.get(name)
    if value is None:
        return
    if name == "receiver":
        value = ", ".join(map(str, value))
    _field(text, safe(name), _one_line(value))


def _one_line(value: object) -> str:
    line = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return safe(line[:LINE_ROOM]) + ("…" if len(line) > LINE_ROOM else "")


def _field(text: Text, name: str, value: str, style: str = "") -> None:
    text.append(f"{name[: _LABEL - 1]:<{_LABEL}}", "dim")
    text.append(f"{value}\n", style)


def _content(text: Text, name: str, value: object) -> None:
    if value is None:
        return
    if isinstance(value, str):
        lines = value.split("\n")
    else:
        lines = json.dumps(value, ensure_ascii=False, indent=2).split("\n")
        if len(lines) == 2 or sum(map(len, lines)) < 60:
            lines = [json.dumps(value, ensure_ascii=False)]
    for number, line in enumerate(lines[:CONTENT_LINES]):
        _field(text, name if number == 0 else "", _one_line(line))
    left = len(lines) - CONTENT_LINES
    if left > 0:
        whole = sum(len(line.encode("utf-8", "surrogatepass")) + 1 for line in lines)
        _field(text, "", f"… {left:,} more lines, {size(whole)} in all", "dim")
