"""Messages as they come, one line each, grouped by conversation, in the order of the journal.

    market-1  fipa-contract-net
          +0 µs buyer       cfp             → seller-ann  {"item":"book"}
        +412 µs seller-ann  propose         → buyer       {"item":"book","price":42}

In: stored messages and dead letters as the API gives them. Out: lines of text; nothing in them is obeyed by a
terminal. What a message became is said as in a sequence diagram; the lanes of one are only known at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from caxton.cli.output.printing import paint, safe, span
from caxton.diagram.lines import verdict
from caxton.diagram.timeline import TimelineMessage, TimelineTurn, read_letter, read_message
from caxton.diagram.words import STYLES
from caxton.presentation.json_line import compact
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import DeadLetterBody, MessageBody

_TIME_ROOM: Final = 10
_ACT_ROOM: Final = 15
_COLOURS: Final = {
    "ask": "cyan",
    "offer": "yellow",
    "good": "bold green",
    "warn": "magenta",
    "bad": "bold red",
}
"""By the style of a message's sign."""


class MessageLines:
    """Prints messages as they come; a new heading whenever the conversation changes.

    Times are counted from the first message of the conversation that was printed here. Remembers that for at
    most 10,000 conversations; the oldest are forgotten first. `width` cuts a message's content; None leaves
    it whole.
    """

    def __init__(
        self,
        out: Callable[[str], None],
        *,
        colour: bool,
        width: int | None = None,
        headings: bool = True,
        turns: bool = False,
    ) -> None:
        self._out = out
        self._colour = colour
        self._width = width
        self._headings = headings
        self._turns = turns
        self._began: dict[str, int] = {}
        self._current: str | None = None
        self._sender_room = 11
        self._receiver_room = 11

    def message(self, stored: MessageBody) -> None:
        """Print one stored message, and under it what became of it."""
        spoken = read_message(stored)
        marks = [self._paint("redelivered", "yellow")] if spoken.again else []
        if stored.held:
            edited = ", edited" if spoken.edited else ""
            text = f"held for {span(spoken.held_us / 1e6)} as {stored.held.seq}{edited}"
            marks.append(self._paint(text, "yellow"))
        if self._turns:
            marks += map(self._turn, spoken.turns)
        if stored.message.conversation_id != self._current:
            self._heading(stored)
        self._line(spoken, marks)
        if spoken.judged is not None:
            sign, style = ("✗", "bold red") if spoken.judged.violation else ("!", "yellow")
            self._note(f"{sign} {spoken.judged.rule}: {verdict(spoken.act, spoken.judged)}", style)
        for letter in spoken.letters:
            self._note(f"✗ {letter}", "red")

    def held(self, stored: HeldBody) -> None:
        """Print a message that is held."""
        mark = f"⏸ held as {stored.seq}" + (", edited" if stored.edited else "")
        self._line(read_message(stored), [self._paint(mark, "yellow")])

    def dead_letter(self, dead: DeadLetterBody) -> None:
        """Print that a message could not be handled, and why."""
        self._note(f"✗ {read_letter(dead)}", "red")

    def _heading(self, stored: MessageBody) -> None:
        self._current = stored.message.conversation_id
        if self._headings:
            self._out("")
            protocol = stored.message.protocol
            head = self._paint(safe(self._current), "bold")
            self._out(f"{head}  {self._paint(safe(protocol), 'dim')}" if protocol else head)

    def _line(self, spoken: TimelineMessage, marks: list[str]) -> None:
        message = spoken.body.message
        began_us = self._began.setdefault(message.conversation_id, spoken.at_us)
        if len(self._began) > 10_000:
            del self._began[next(iter(self._began))]
        to = ", ".join(spoken.receivers) or "nobody"
        self._sender_room = max(self._sender_room, min(len(spoken.sender), 24))
        self._receiver_room = max(self._receiver_room, min(len(to), 36))
        before = _TIME_ROOM + self._sender_room + _ACT_ROOM + self._receiver_room + len("   →  ")
        room = None if self._width is None else max(self._width - before, 16)
        parts = [
            self._paint(f"+{span((spoken.at_us - began_us) / 1e6)}".rjust(_TIME_ROOM), "dim"),
            self._paint(spoken.sender.ljust(self._sender_room), "bold"),
            self._paint(spoken.act.ljust(_ACT_ROOM), _COLOURS.get(STYLES.get(spoken.sign, ""))),
            self._paint("→", "dim"),
            to.ljust(self._receiver_room),
            "" if message.content is None else compact(message.content, room),
        ]
        self._out(" ".join(parts).rstrip() + ("  " + "  ".join(marks) if marks else ""))

    def _turn(self, turn: TimelineTurn) -> str:
        ended = "" if turn.ended == "ok" else f", {turn.ended}"
        text = f"[{turn.agent}: {span(turn.turn_us / 1e6)}, {turn.fuel:,} fuel{ended}]"
        return self._paint(text, "red" if turn.failed else "dim")

    def _note(self, text: str, style: str) -> None:
        self._out(" " * (_TIME_ROOM + 1) + self._paint(text, style))

    def _paint(self, text: str, style: str | None) -> str:
        return paint(text, style, self._colour)
