"""One message whole: every field, its content, and what each receiver did with it.

In: a row of the log, and what the daemon says of it when it is asked (turns, dead letters). Out: text that scrolls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from caxton import exact_numbers
from caxton.presentation.text import safe, span
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import text_of
from caxton_tui.model import formatting
from caxton_tui.model.log_entry import LogEntry
from caxton_tui.widgets.columns import fields
from caxton_tui.widgets.status_bars import titled

CONTENT_LINES: Final = 500
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


class MessageDetail(VerticalScroll):
    """The message under the cursor of the log."""

    HELP = "One message: its fields, its content, and the turns that it made."

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(id="detail-text")

    def on_mount(self) -> None:
        """Say what this place is for."""
        self.border_title = "Message"

    def display_entry(
        self, entry: LogEntry | None, outcome: MessageBody | HeldBody | None, unread: str = ""
    ) -> None:
        """Show a row; `outcome` is the message as the daemon has it, or None: `unread` says why."""
        if entry is not None:
            titled(self, "Message" if entry.kind == "message" else "Event")
            self.query_one("#detail-text", Static).update(described(entry, outcome, unread))


def described(entry: LogEntry, outcome: MessageBody | HeldBody | None, unread: str) -> RenderableType:
    """A row in full."""
    what = (
        f"{entry.act}  {entry.sender} → {entry.to}"
        if entry.kind == "message"
        else entry.kind.replace("_", " ")
    )
    title = Text(f"{formatting.sign(entry.kind, entry.act)} {what}", style="bold")
    rows = _message(entry, outcome, unread) if entry.kind == "message" else _event(entry)
    return Group(title, fields(((name[:_LABEL], value, style) for name, value, style in rows), _LABEL))


def _event(entry: LogEntry) -> Iterator[tuple[str, str, str]]:
    yield "what", entry.text, ""
    if entry.kind != "gap":
        for name, value in entry.data.items():
            yield safe(name), _one_line(value), ""


def _message(
    entry: LogEntry, outcome: MessageBody | HeldBody | None, unread: str
) -> Iterator[tuple[str, str, str]]:
    stored = outcome or entry.stored
    again = isinstance(stored, MessageBody) and stored.redelivered
    number = f"{entry.seq:,} at {text_of(entry.at) if entry.at else ''}" + (
        "  ↻ delivered again" if again else ""
    )
    yield "number", number, ""
    cause = entry.stored.cause if entry.stored else None
    hops = entry.stored.hops if isinstance(entry.stored, MessageBody) else 0
    yield "cause", f"message {cause:,}, {hops} hops" if cause else "from outside", ""
    yield from _outcome(entry, outcome, unread)
    if entry.message.content is not None:
        yield "content", _content(entry.message.content), ""
    others = [name for name in entry.message.json if name not in (*_FIRST, *_LAST, "content")]
    for name in (*_FIRST, *others, *_LAST):
        value = entry.message.json.get(name)
        if value is not None:
            yield safe(name), ", ".join(map(safe, value)) if name == "receiver" else _one_line(value), ""


def _outcome(
    entry: LogEntry, outcome: MessageBody | HeldBody | None, unread: str
) -> Iterator[tuple[str, str, str]]:
    if outcome is None:
        yield "turn", unread, "dim"
        return
    arrived = outcome if isinstance(outcome, MessageBody) else None
    turns = (arrived.turns or []) if arrived else []
    letters = (arrived.dead_letters or []) if arrived else []
    for turn in turns:
        build = str(turn.revision or "")[:8]
        who = formatting.short(turn.agent, entry.platform) + (f" {build}" if build else "")
        yield (
            "turn",
            f"{who}: {safe(turn.ended)}, waited {span(turn.queue_us / 1e6)},"
            f" ran {span(turn.turn_us / 1e6)}, {turn.fuel:,} fuel, {turn.sent} sent",
            "bold red" if turn.failed else "green",
        )
    for letter in letters:
        who = formatting.short(letter.agent, entry.platform)
        reason = safe(letter.reason)[:LINE_ROOM]
        yield "dead letter", f"! {who}: {safe(letter.code)}: {reason}", "bold red"
    if not turns and not letters:
        # a client's mailbox takes no turns, and a guest's turn may still be on its way
        yield "turn", "none so far", "dim"


def _one_line(value: object) -> str:
    line = value if isinstance(value, str) else exact_numbers.text(value)
    return safe(line[:LINE_ROOM]) + ("…" if len(line) > LINE_ROOM else "")


def _content(value: object) -> str:
    """A content as it is, an object over several lines where it is longer than one."""
    if isinstance(value, str):
        lines = value.split("\n")
    else:
        lines = [exact_numbers.text(value)]
        if len(lines[0]) > 60:
            lines = exact_numbers.text(value, 2).split("\n")
    shown = [_one_line(line) for line in lines[:CONTENT_LINES]]
    left = len(lines) - CONTENT_LINES
    if left > 0:
        shown.append(f"… {left:,} more lines; all of it: caxton msg show")
    return "\n".join(shown)
