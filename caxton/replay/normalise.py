"""What a turn said, in a form that can be compared with what it said another time.

In: a turn's output as the guest wrote it, and the message that it was about. Out: the messages that the bus would make
of it (caxton.bus), or why it would make none. Ids, times, traces and conversation ids that the host gives
are masked; everything that the guest decides stays.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from caxton import exact_numbers
from caxton.acl import Draft, Message, read_draft
from caxton.acl.identifier import qualified
from caxton.acl.message import NULL, write_message
from caxton.acl.reply_by import reply_by_time
from caxton.bus.turn_output import TurnRefused, parse_output
from caxton.bus.turns import read_fault
from caxton.errors import InvalidMessage
from caxton.limits import Limits
from caxton.turn_status import Status

HOSTS_OWN: Final = ("id", "sender", "timestamp", "trace_id", "span_id", "redelivered")
"""What the host gives a message, the same whatever the guest says."""
NEW: Final = "(new)"
TIME: Final = "(time)"
"""What stands in place of a conversation id that the host gives, and of a deadline."""

_GIVEN = re.compile(r"c-[0-9a-f]{16}")


class Said(NamedTuple):
    """One message that a turn said: as the bus would have it, and as it is compared."""

    message: Message
    form: dict[str, Any]


def read_said(
    output: bytes, count: int, asked: Message, speaker: str, limits: Limits, at_us: int
) -> list[Said]:
    """The messages of a turn by `speaker` about `asked`, which ended at `at_us`; TurnRefused as on the bus."""
    if not output.strip():
        return []
    return [_completed(line, asked, speaker, limits, at_us) for line in parse_output(output, count).messages]


class TurnOutcome(NamedTuple):
    """How a turn ended: what it said, or why it said nothing."""

    status: Status
    said: list[Said]
    code: str = ""
    reason: str = ""

    @property
    def forms(self) -> list[dict[str, Any]]:
        """What it said, as it is compared."""
        return [one.form for one in self.said]


def read_outcome(
    status: int, output: bytes, count: int, asked: Message, speaker: str, limits: Limits, at_us: int
) -> TurnOutcome:
    """How a turn ended for the bus, which refuses what may not be said; parameters as for `read_said`."""
    if status != Status.OK:
        return TurnOutcome(Status(status), [], *read_fault(status, output))
    try:
        put_back = b'"put-back"' in output and parse_output(output, count).put_back
        ended = Status.PUT_BACK if put_back else Status.OK
        return TurnOutcome(ended, read_said(output, count, asked, speaker, limits, at_us))
    except TurnRefused as refusal:
        return TurnOutcome(Status.REFUSED, [], refusal.code, refusal.reason)


def comparable(message: dict[str, Any], asked_conversation: str) -> dict[str, Any]:
    """A recorded message without what the host gave it."""
    form = {key: value for key, value in message.items() if key not in HOSTS_OWN}
    talk = form.get("conversation_id")
    if isinstance(talk, str) and talk != asked_conversation and (talk == NEW or _GIVEN.fullmatch(talk)):
        form["conversation_id"] = NEW
    if "reply_by" in form:
        form["reply_by"] = TIME
    form.setdefault("content", None)
    return form


def _completed(line: bytes, asked: Message, speaker: str, limits: Limits, at_us: int) -> Said:
    platform = speaker.rpartition("@")[2]
    if len(line) > limits.message_bytes:
        raise TurnRefused(
            "message_bytes", f"a message of {len(line)} bytes; the limit is {limits.message_bytes}"
        )
    try:
        draft = read_draft(line)
        if draft.sender and qualified(draft.sender, platform) != speaker:
            raise TurnRefused("foreign_sender", f"{speaker} may not speak as {draft.sender}")
        message = _message(draft, asked, speaker, platform, limits, at_us)
    except InvalidMessage as error:
        raise TurnRefused(error.code, error.message) from None
    body: dict[str, Any] = exact_numbers.decode(write_message(message, draft.extensions))
    return Said(message, comparable(body, asked.conversation_id))


def _message(
    draft: Draft, asked: Message, speaker: str, platform: str, limits: Limits, at_us: int
) -> Message:
    """The message that the bus makes of a draft (DESIGN.md 4): without a receiver it is a reply."""
    replies = not draft.receiver
    receiver = (
        asked.reply_to or [asked.sender] if replies else _names(draft.receiver, platform, limits.receivers)
    )
    return Message(
        id="",
        performative=draft.performative,
        sender=speaker,
        receiver=receiver,
        conversation_id=draft.conversation_id or (asked.conversation_id if replies else NEW),
        trace_id="",
        span_id="",
        timestamp=at_us,
        content=draft.content or NULL,
        protocol=draft.protocol or (asked.protocol if replies else None),
        reply_with=draft.reply_with,
        in_reply_to=draft.in_reply_to or (asked.reply_with if replies else None),
        reply_by=reply_by_time(draft.reply_by, at_us) if draft.reply_by else None,
        reply_to=_names(draft.reply_to, platform, limits.receivers) if draft.reply_to else None,
        language=draft.language or (asked.language if replies else None),
        encoding=draft.encoding,
        ontology=draft.ontology or (asked.ontology if replies else None),
    )


def _names(given: str | list[str] | None, platform: str, most: int) -> list[str]:
    names = [given] if isinstance(given, str) else given or []
    if len(names) > most:
        raise InvalidMessage(f"a message to {len(names)} receivers; the limit is {most}")
    return list(dict.fromkeys(qualified(name, platform) for name in names))
