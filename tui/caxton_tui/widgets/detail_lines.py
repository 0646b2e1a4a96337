"""What a row of the log says in full, line by line: its fields, what each receiver did with it, its content as JSON.

In: the row, and what the daemon says of it when it is asked (turns, dead letters). Out: lines, each with the value that
stands in it and the path to that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from caxton import exact_numbers
from caxton.presentation.text import safe, span
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import text_of
from caxton_tui.model import formatting
from caxton_tui.model.json_lines import json_lines
from caxton_tui.model.log_entry import LogEntry
from caxton_tui.widgets.tables.columns import Piece

CONTENT_LINES: Final = 5_000
LINE_ROOM: Final = 2_000
"""Characters of one line of a content: a longer one is cut before it is laid out."""
LABEL_ROOM: Final = 16
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
_STYLES: Final = {
    "name": "listing--name",
    "text": "listing--good",
    "number": "listing--offer",
    "word": "listing--ask",
}
"""Of the parts of JSON."""


@dataclass(frozen=True, slots=True)
class DetailLine:
    """One line before it is wrapped."""

    name: str
    pieces: tuple[Piece, ...]
    value: Any = None
    path: str = ""
    """To what stands in it, where it is of the content."""
    folds: bool = False

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(text for text, _ in self.pieces)


def detail_lines(
    entry: LogEntry, outcome: MessageBody | HeldBody | None, unread: str, folded: Collection[str] = ()
) -> Iterator[DetailLine]:
    """A row in full; `unread` says why there is no outcome, what stands under a folded path is left out."""
    return _message(entry, outcome, unread, folded) if entry.kind == "message" else _event(entry)


def _said(name: str, text: str, style: str = "") -> DetailLine:
    return DetailLine(name[:LABEL_ROOM], ((text, style),), text)


def _event(entry: LogEntry) -> Iterator[DetailLine]:
    yield _said("what", entry.text)
    if entry.kind != "gap":
        for name, value in entry.data.items():
            yield _said(safe(name), _one_line(value))


def _message(
    entry: LogEntry, outcome: MessageBody | HeldBody | None, unread: str, folded: Collection[str]
) -> Iterator[DetailLine]:
    stored = outcome or entry.stored
    again = isinstance(stored, MessageBody) and stored.redelivered
    number = f"{entry.seq:,} at {text_of(entry.at) if entry.at else ''}" + (
        "  ↻ delivered again" if again else ""
    )
    yield _said("number", number)
    cause = entry.stored.cause if entry.stored else None
    hops = entry.stored.hops if isinstance(entry.stored, MessageBody) else 0
    yield _said("cause", f"message {cause:,}, {hops} hops" if cause else "from outside")
    yield from _outcome(entry, outcome, unread)
    if entry.message.content is not None:
        yield from _content(entry.message.content, folded)
    others = [name for name in entry.message.json if name not in (*_FIRST, *_LAST, "content")]
    for name in (*_FIRST, *others, *_LAST):
        value = entry.message.json.get(name)
        if value is not None:
            yield _said(safe(name), ", ".join(map(safe, value)) if name == "receiver" else _one_line(value))


def _outcome(entry: LogEntry, outcome: MessageBody | HeldBody | None, unread: str) -> Iterator[DetailLine]:
    if outcome is None:
        yield _said("turn", unread, "listing--dim")
        return
    arrived = outcome if isinstance(outcome, MessageBody) else None
    turns = (arrived.turns or []) if arrived else []
    letters = (arrived.dead_letters or []) if arrived else []
    for turn in turns:
        build = str(turn.revision or "")[:8]
        who = formatting.short(turn.agent, entry.platform) + (f" {build}" if build else "")
        yield _said(
            "turn",
            f"{who}: {safe(turn.ended)}, waited {span(turn.queue_us / 1e6)},"
            f" ran {span(turn.turn_us / 1e6)}, {turn.fuel:,} fuel, {turn.sent} sent",
            "listing--bad" if turn.failed else "listing--good",
        )
    for letter in letters:
        who = formatting.short(letter.agent, entry.platform)
        reason = safe(letter.reason)[:LINE_ROOM]
        yield _said("dead letter", f"! {who}: {safe(letter.code)}: {reason}", "listing--bad")
    if not turns and not letters:
        # a client's mailbox takes no turns, and a guest's turn may still be on its way
        yield _said("turn", "none so far", "listing--dim")


def _one_line(value: object) -> str:
    line = value if isinstance(value, str) else exact_numbers.text(value)
    return safe(line[:LINE_ROOM]) + ("…" if len(line) > LINE_ROOM else "")


def _content(value: Any, folded: Collection[str]) -> Iterator[DetailLine]:
    """A content, text as it is and everything else as JSON."""
    if isinstance(value, str):
        lines = (DetailLine("", ((_one_line(line), ""),), line, ".") for line in value.split("\n"))
    else:
        lines = (
            DetailLine("", tuple(_cut(line.parts)), line.value, line.path, line.folds)
            for line in json_lines(value, folded)
        )
    name = "content"
    for line in islice(lines, CONTENT_LINES):
        yield DetailLine(name, line.pieces, line.value, line.path, line.folds)
        name = ""
    left = sum(1 for _ in lines)
    if left:
        yield _said("", f"… {left:,} more lines; all of it: caxton msg show", "listing--dim")


def _cut(parts: tuple[tuple[str, str], ...]) -> Iterator[Piece]:
    for text, kind in parts:
        yield text[:LINE_ROOM] + ("…" if len(text) > LINE_ROOM else ""), _STYLES.get(kind, "")
