"""What `ams` and `df` have in common: the way from a message to its answer, in FIPA's vocabulary and protocols.

In: envelopes. Out: `inform`, `refuse`, `failure` or `not-understood` in the same conversation and in the form of the
question, each a legal step of fipa-request or fipa-subscribe. `agree` is left out wherever the answer comes at once,
as FIPA allows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from caxton import exact_numbers
from caxton.acl import Performative
from caxton.bus.bus import Bus
from caxton.bus.envelope import Envelope
from caxton.bus.platform_agent import PLATFORM_NUMBERS
from caxton.clock import Clock
from caxton.platform_agents.content_languages import JSON, ContentLanguage, content_language_of
from caxton.platform_agents.vocabulary import (
    ONTOLOGY,
    Declined,
    Function,
    ManagementRequest,
    Reading,
    failed,
    not_understood,
)

OPEN_NOTHING: Final = 1 << 62
HEAD_BYTES: Final = 4096
"""What of a message's limit is left for everything beside its content."""
_encode = exact_numbers.encode
_ANSWERS: Final = frozenset(
    {
        Performative.NOT_UNDERSTOOD,
        Performative.FAILURE,
        Performative.REFUSE,
        Performative.AGREE,
        Performative.INFORM,
    }
)
"""What others say to us that wants no answer."""

Read = Callable[[ContentLanguage, Any, Reading], ManagementRequest]


class ManagementAgent(ABC):
    """A platform agent with functions; a subclass says what each of them does, in `attend`.

    `message_bytes`: how long a message to a client may be; a guest's own limit counts as well.
    """

    functions: ClassVar[Mapping[str, Function]]
    number: int
    """Its number in the journal."""

    def __init__(self, local_name: str, bus: Bus, clock: Clock, message_bytes: int) -> None:
        self.name = bus.full_name(local_name)
        self.number = PLATFORM_NUMBERS[local_name]
        self._bus = bus
        self._clock = clock
        self._message_bytes = message_bytes

    def take(self, envelope: Envelope) -> None:
        """Handle one message."""
        message = envelope.message
        if message.performative in _ANSWERS:
            self.finish(envelope)
            return
        form: ContentLanguage = JSON
        try:
            form = content_language_of(message, self.name)
            self.attend(envelope, form)
        except Declined as declined:
            self.decline(envelope, form, None, declined)

    @abstractmethod
    def attend(self, envelope: Envelope, form: ContentLanguage) -> None:
        """Do what a message wants; raises Declined where it cannot even be read."""

    def wish(self, envelope: Envelope, form: ContentLanguage, read: Read | None = None) -> ManagementRequest:
        """What a message asks for; raises Declined. `read`: how, where it is not one of the functions."""
        message = envelope.message
        ontology = message.ontology
        if ontology is not None and ontology.lower() != ONTOLOGY:
            raise not_understood(
                "unsupported-value",
                "ontology",
                f"{self.name} does not speak of {ontology!r}",
                f"ontology {ONTOLOGY}, or none",
            )
        content: Any = exact_numbers.decode(message.content)
        if read is not None:
            return read(form, content, self.reading())
        return form.read(content, self.functions, self.reading())

    def reading(self) -> Reading:
        """What completes a description now."""
        return Reading(self._bus.platform, self._clock.now_us())

    def unsupported(self, envelope: Envelope, acts: str) -> Declined:
        """The exception for an act that this agent does not understand; `acts` are those that it does."""
        act = envelope.message.performative
        return not_understood("unsupported-act", act, f"{self.name} does not understand {act}", acts)

    def may(self, envelope: Envelope, name: str) -> bool:
        """Whether a message's sender may speak for that agent: the agent itself, or a client."""
        sender = envelope.message.sender
        return sender == name or self._bus.clients.is_client(sender)

    def finish(self, envelope: Envelope) -> None:
        """Write down that a message is done with."""
        self._bus.platform_turn(self, envelope)

    def inform(self, envelope: Envelope, content: object) -> None:
        """It was done."""
        self.finish(envelope)
        self._bus.answer(envelope, self.name, Performative.INFORM, content)

    def inform_all(self, envelope: Envelope, content: object) -> None:
        """What was found; Declined where a message has no room for all of it."""
        message = envelope.message
        self.check_length(content, message.reply_to or [message.sender])
        self.inform(envelope, content)

    def check_length(self, content: object, receivers: Sequence[str]) -> None:
        """Whether these can be told all of it; Declined where not, because half a result looks like a whole one."""
        length = len(_encode(content))
        endpoints = [self._bus.endpoints.get(name) for name in receivers]
        limits = [one.limits.message_bytes for one in endpoints if one is not None]
        most = min([self._message_bytes, *limits]) - HEAD_BYTES
        if length > most:
            raise failed(
                "internal-error",
                "too long",
                reason=f"the result has {length:,} bytes, a message has room for {most:,}",
                hint="ask for less: a narrower description, or max-results in the constraints",
            )

    def decline(
        self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest | None, declined: Declined
    ) -> None:
        """It is not done, and why."""
        self.finish(envelope)
        content = form.declined(envelope.message.performative, wish, declined)
        # JSON has the sentence in its content
        reason = None if form is JSON else declined.reason
        self._bus.answer(envelope, self.name, declined.act, content, reason)

    def oldest(self) -> int:
        """The lowest number among the messages that it has not finished."""
        return OPEN_NOTHING
