"""Messages as a person reads them: one line each, grouped by conversation, in the order of the journal.

    market-1  fipa-contract-net
          +0 µs buyer       cfp             → seller-ann  {"item":"book"}
        +412 µs seller-ann  propose         → buyer       {"item":"book","price":42}

In: stored messages and dead letters as the API gives them. Out: lines of text; nothing in them is obeyed by a
terminal.
"""

from __future__ import annotations

from collections.abc import Callable

from caxton.cli.output.printing import paint, safe, span
from caxton.presentation.json_line import compact
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import DeadLetterBody, DeadLetterOfMessage, MessageBody, TurnBody, VerdictBody
from caxton.schemas.shape import Message

_TIME_ROOM = 10
_ACT_ROOM = 15

_ACTS = {
    "accept-proposal": "bold green",
    "agree": "green",
    "confirm": "green",
    "inform": "bold green",
    "propose": "yellow",
    "cfp": "cyan",
    "request": "cyan",
    "query-if": "cyan",
    "query-ref": "cyan",
    "subscribe": "cyan",
    "cancel": "magenta",
    "reject-proposal": "magenta",
    "disconfirm": "red",
    "failure": "bold red",
    "not-understood": "bold red",
    "refuse": "red",
}


def short(name: object) -> str:
    """An agent's name without the platform where that is the usual one."""
    return safe(str(name).removesuffix("@local"))


def receivers(message: Message) -> str:
    """The receivers of a message, comma-separated."""
    return ", ".join(short(name) for name in message.receiver) or "nobody"


def moment(stored: MessageBody | HeldBody) -> float:
    """When a message was admitted, in seconds since 1970."""
    return stored.at.timestamp()


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
        self._began: dict[str, float] = {}
        self._current: str | None = None
        self._sender_room = 11
        self._receiver_room = 11

    def message(self, stored: MessageBody) -> None:
        """Print one stored message."""
        message = stored.message
        conversation = message.conversation_id
        at = moment(stored)
        began = self._began.setdefault(conversation, at)
        if len(self._began) > 10_000:
            del self._began[next(iter(self._began))]
        if conversation != self._current:
            self._heading(conversation, message)
        self._out(self._line(stored, message, at - began))
        if stored.verdict:
            self.verdict(stored.verdict)
        for dead in stored.dead_letters or ():
            self.dead_letter(dead)

    def held(self, stored: HeldBody) -> None:
        """Print a message that is held."""
        message = stored.message
        at = moment(stored)
        began = self._began.setdefault(message.conversation_id, at)
        mark = f"⏸ held as {stored.seq}" + (", edited" if stored.edited else "")
        self._out(f"{self._line(stored, message, at - began)}  {paint(mark, 'yellow', self._colour)}")

    def verdict(self, verdict: VerdictBody) -> None:
        """Print what the referee said of a message that was no plain step."""
        stopped = "" if verdict.delivered else ", not delivered"
        text = f"{safe(verdict.rule)}{stopped}: {safe(verdict.sentence)}"
        if verdict.legality == "violation":
            here = ", ".join(safe(act) for act in verdict.legal) or "nothing"
            text = f"✗ violation in {safe(verdict.state)}: {text}; legal here: {here}"
            colour = "bold red"
        else:
            text, colour = f"! {text}", "yellow"
        self._out(" " * (_TIME_ROOM + 1) + paint(text, colour, self._colour))

    def dead_letter(self, dead: DeadLetterOfMessage | DeadLetterBody) -> None:
        """Print that a message could not be handled, and why."""
        text = f"✗ {short(dead.agent)}: {safe(dead.code)}: {safe(dead.reason)}"
        self._out(" " * (_TIME_ROOM + 1) + paint(text, "red", self._colour))

    def _heading(self, conversation: str, message: Message) -> None:
        if self._headings:
            protocol = message.protocol
            head = paint(safe(conversation), "bold", self._colour)
            self._out("")
            self._out(f"{head}  {paint(safe(protocol), 'dim', self._colour)}" if protocol else head)
        self._current = conversation

    def _line(self, stored: MessageBody | HeldBody, message: Message, after_s: float) -> str:
        act = message.performative or "?"
        sender, to = short(message.sender), receivers(message)
        self._sender_room = max(self._sender_room, min(len(sender), 24))
        self._receiver_room = max(self._receiver_room, min(len(to), 36))
        content = message.content
        before = _TIME_ROOM + self._sender_room + _ACT_ROOM + self._receiver_room + len("   →  ")
        room = None if self._width is None else max(self._width - before, 16)
        parts = [
            paint(f"+{span(after_s)}".rjust(_TIME_ROOM), "dim", self._colour),
            paint(sender.ljust(self._sender_room), "bold", self._colour),
            paint(safe(act).ljust(_ACT_ROOM), _ACTS.get(act), self._colour),
            paint("→", "dim", self._colour),
            to.ljust(self._receiver_room),
            "" if content is None else compact(content, room),
        ]
        again = isinstance(stored, MessageBody) and stored.redelivered
        marks = [paint("redelivered", "yellow", self._colour)] if again else []
        was_held = stored.held if isinstance(stored, MessageBody) else None
        if was_held:
            changed = ", edited" if was_held.edited else ""
            text = f"held for {span(was_held.held_us / 1e6)} as {was_held.seq}{changed}"
            marks.append(paint(text, "yellow", self._colour))
        if self._turns and isinstance(stored, MessageBody):
            marks += [self._turn(turn) for turn in stored.turns or ()]
        return " ".join(parts).rstrip() + ("  " + "  ".join(marks) if marks else "")

    def _turn(self, turn: TurnBody) -> str:
        text = f"[{short(turn.agent)}: {span(turn.turn_us / 1e6)}, {turn.fuel:,} fuel]"
        if turn.status != "ok":
            return paint(f"{text[:-1]}, {safe(turn.status)}]", "red", self._colour)
        return paint(text, "dim", self._colour)
