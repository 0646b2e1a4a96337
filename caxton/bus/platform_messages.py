"""What the platform says by itself: dead letters, answers of its own agents, and what follows from a verdict.

In: a message that cannot be delivered, that breaks its protocol, or whose answer is nobody else's to give; what time
or a death has done in a conversation. Out: rows and events, and messages from `ams` in the same conversation. Nobody
is told of a platform message that cannot be delivered, so no two of them answer each other.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, Protocol

import msgspec

from caxton import exact_numbers
from caxton.acl import Draft, Message, Performative
from caxton.bus.causes import Asker, Loss, Tree
from caxton.bus.clients import Clients
from caxton.bus.counts import BusCounts
from caxton.bus.delivery import Failure
from caxton.bus.envelope import Envelope
from caxton.bus.platform_agent import PlatformAgent
from caxton.bus.referee_service import BRANCH_EVENT, RefereeService
from caxton.ids import Ids, call_origin
from caxton.journal import DeadLetter, Journal, Mark
from caxton.protocols import Answer, Effect, Legality, Verdict

_LEGAL: Final = Legality.LEGAL
_VIOLATION: Final = Legality.VIOLATION
_SILENT: Final = frozenset({"platform", "free", "undeliverable", "initiator-died"})
"""Rules that leave no mark: they say nothing about whoever sent the message."""
_DROPPED: Final = "not-understood-answered"
CALLS: Final = "caxton-calls"
"""The ontology of what is said about an agent's open calls."""
NOTICES_OF_A_TURN: Final = 16
LAST_NOTICE: Final = "what else of this turn cannot be delivered is told by the dead letters only"
_encode = exact_numbers.encode


class Notices:
    """How many notices of failure a turn still brings: some, and one of them for full mailboxes."""

    __slots__ = ("_full", "_left")

    def __init__(self) -> None:
        self._left: int | None = None
        self._full = False

    def begin(self) -> None:
        """A turn's messages are admitted from now on."""
        self._left, self._full = NOTICES_OF_A_TURN, False

    def end(self) -> None:
        """All of them are."""
        self._left = None

    def take(self, code: str) -> int:
        """How many are left after one more; negative where there is none for it."""
        if self._left is None:
            return NOTICES_OF_A_TURN
        if code == "mailbox_full":
            if self._full:
                return -1
            self._full = True
        self._left -= 1
        return self._left


class PlatformSink(Protocol):
    """The bus, as far as the platform's own messages concern it."""

    journal: Journal
    ids: Ids
    counts: BusCounts
    clients: Clients
    platform_agents: dict[str, PlatformAgent]
    referee_service: RefereeService

    @property
    def last_seq(self) -> int:
        """The number that was given out last."""
        ...

    def now_us(self) -> int:
        """Microseconds since 1970."""
        ...

    def admit(
        self, draft: Draft, speaker: str, *, trace_id: str, cause: int, hops: int, tree: Tree | None = None
    ) -> Envelope:
        """Make a draft a message."""
        ...

    def event(
        self, kind: str, *, body: object, agent: str | None = None, conversation: str | None = None
    ) -> None:
        """Write down something that happened."""
        ...


class PlatformMessages:
    """Speaks for the platform."""

    def __init__(self, bus: PlatformSink, ams: str, most_hops: int) -> None:
        self._bus = bus
        self._ams = ams
        self._most_hops = most_hops
        self.notices = Notices()
        self._unknown: set[str] = set()
        """Names of protocols that nobody knows, told once each."""

    # ------------------------------------------------------------------ what cannot be delivered

    def dead_letter(self, receiver: str, envelope: Envelope, code: str, reason: str) -> None:
        """Make a message that was in an agent's mailbox a dead letter, and tell its sender."""
        self.undelivered(envelope, [Failure(receiver, code, reason)])
        envelope.tree.leave()

    def call_broken(self, caller: str, envelope: Envelope, code: str, reason: str) -> None:
        """A turn on what a call of that agent has asked for has failed: tell the agent, which tells whoever began the
        call (caxton/sandbox/python/guest/caxton_calls.py)."""
        message = envelope.message
        if message.ontology == CALLS or call_origin(caller, message) is None:
            return
        draft = Draft(
            Performative.FAILURE,
            [caller],
            msgspec.Raw(_encode({"error": code, "reason": reason, "message_id": message.id})),
            conversation_id=message.conversation_id,
            in_reply_to=message.in_reply_to or message.conversation_id,
            ontology=CALLS,
        )
        self._bus.admit(
            draft,
            self._ams,
            trace_id=message.trace_id,
            cause=envelope.seq,
            hops=envelope.hops + 1,
            tree=envelope.tree,
        )

    def bury(self, receiver: str, envelope: Envelope, code: str, reason: str) -> None:
        """Make a message that was in a mailbox a dead letter, and tell nobody: whoever asked is told of the whole."""
        bus = self._bus
        bus.counts.dead_letter(code)
        bus.journal.batch.records.append(DeadLetter(envelope.seq, receiver, bus.now_us(), code, reason))
        envelope.tree.leave()

    def undelivered(self, envelope: Envelope, failures: list[Failure]) -> None:
        """Make a message a dead letter for those receivers, and tell its sender, once for all of them."""
        bus, message = self._bus, envelope.message
        now_us, records = bus.now_us(), bus.journal.batch.records
        for code, many in Counter(one.code for one in failures).items():
            bus.counts.dead_letter(code, many)
        for receiver, code, reason in failures:
            records.append(DeadLetter(envelope.seq, receiver, now_us, code, reason))
        receiver, code, reason = failures[0]
        names = [one.receiver for one in failures]
        body: dict[str, object] = {"seq": envelope.seq, "agent": receiver, "code": code, "reason": reason}
        if len(failures) > 1:
            body["agents"] = names
        bus.event("dead_letter", agent=receiver, conversation=message.conversation_id, body=body)
        if receiver not in message.receiver:
            # it was said to a topic: the publisher does not know who has subscribed
            return
        if len(failures) > 1:
            reason = f"{len(failures):,} receivers were not reached; the first: {reason}"
        self._tell_sender(envelope, Performative.FAILURE, code, reason, names)

    def refused(self, envelope: Envelope, code: str, reason: str, more: dict[str, object]) -> None:
        """Refuse a message in the place of its receivers, none of which has got it."""
        names = envelope.message.receiver
        self._tell_sender(envelope, Performative.REFUSE, code, reason, names, more)

    def _tell_sender(
        self,
        envelope: Envelope,
        act: Performative,
        code: str,
        reason: str,
        names: list[str],
        more: dict[str, object] | None = None,
    ) -> None:
        """Tell a sender that those receivers have not got its message, as far as that is told at all."""
        bus, message = self._bus, envelope.message
        if not bus.clients.is_client(message.sender):
            # a client is told at once of what it said itself
            envelope.tree.work.lost(Loss(code, reason, names[0], message.id))
        if (
            message.sender == self._ams
            or message.sender in bus.platform_agents
            or envelope.tree.over
            or (code == "hop_limit" and envelope.hops > self._most_hops + 1)
        ):
            # nobody answers the platform's own messages, and an endless chain is not made longer
            return
        left = self.notices.take(code)
        if left < 0:
            effects = bus.referee_service.undelivered(message, names, bus.last_seq)
            self.effects(message.conversation_id, effects, envelope)
            return
        if not left:
            reason += f"; {LAST_NOTICE}"
        content = {
            "error": code,
            "reason": reason,
            "receiver": names[0] if len(names) == 1 else names,
            "message_id": message.id,
            **(more or {}),
        }
        self.answer(envelope, self._ams, act, content)

    def tell(self, asker: Asker, loss: Loss, trace_id: str) -> None:
        """Tell a client that what it has asked for will not come: a part of the work was lost, and the rest is done."""
        bus, asked = self._bus, asker.asked
        content = {
            "error": loss.code,
            "reason": f"nothing more is done for this message, and a part of it was lost: {loss.reason}",
            "receiver": loss.receiver,
            "message_id": loss.message_id,
        }
        draft = Draft(
            Performative.FAILURE,
            [asked.sender],
            msgspec.Raw(_encode(content)),
            conversation_id=asked.conversation_id,
            protocol=self._protocol_of(asked),
        )
        bus.admit(draft, self._ams, trace_id=trace_id, cause=0, hops=0)
        bus.clients.end(bus.last_seq, asked.conversation_id, loss.reason)

    def _protocol_of(self, message: Message) -> str | None:
        """The protocol of a message's conversation, whatever the message itself says."""
        conversation = self._bus.referee_service.known.get(message.conversation_id)
        return message.protocol if conversation is None else conversation.protocol

    def answer(
        self,
        asked: Envelope,
        sender: str,
        act: Performative,
        content: object,
        reason: str | None = None,
        *,
        begins: bool = False,
    ) -> None:
        """Let a platform agent answer a message in its own conversation; `reason` is a sentence that its content has
        no place for; `begins` where the answer begins a causal tree of its own."""
        message = asked.message
        draft = Draft(
            act,
            message.reply_to or [message.sender],
            msgspec.Raw(_encode(content)),
            conversation_id=message.conversation_id,
            protocol=self._protocol_of(message),
            in_reply_to=message.reply_with,
            language=message.language,
            ontology=message.ontology,
        )
        if reason is not None:
            draft.carry("x_reason", msgspec.Raw(_encode(reason)))
        self._bus.admit(
            draft,
            sender,
            trace_id=message.trace_id,
            cause=asked.seq,
            hops=0 if begins else asked.hops + 1,
            tree=None if begins else asked.tree,
        )

    # ------------------------------------------------------------------ what the referee says

    def passes(self, verdict: Verdict) -> bool:
        """Whether a message with that verdict is delivered; where not, `follow` says what happens instead."""
        if verdict.rule == _DROPPED:
            return False
        stopped = verdict.legality is _VIOLATION or any(isinstance(one, Answer) for one in verdict.effects)
        return not stopped or self._bus.referee_service.mode(verdict.protocol) != "enforce"

    def follow(self, verdict: Verdict, envelope: Envelope, key: int, passed: bool) -> None:
        """Write down what the referee said of a message that has its row, and say what follows."""
        bus, message = self._bus, envelope.message
        if verdict.rule == "unknown-protocol":
            self._warn_of(message.protocol or "", envelope)
            return
        answered = any(isinstance(one, Answer) for one in verdict.effects)
        if verdict.rule not in _SILENT and (verdict.legality is not _LEGAL or answered or verdict.warning):
            self._mark(verdict, envelope, key, passed)
        if verdict.legality is _VIOLATION:
            self._violation(verdict, envelope, passed)
        self.effects(message.conversation_id, verdict.effects, envelope, silent=passed)
        if (
            verdict.legality is _VIOLATION
            and not passed
            and message.sender != self._ams
            and message.sender not in bus.platform_agents
        ):
            self.answer(envelope, self._ams, Performative.NOT_UNDERSTOOD, _words(verdict, envelope))

    def effects(
        self, id: str, effects: tuple[Effect, ...], cause: Envelope | None = None, *, silent: bool = False
    ) -> None:
        """Say what the platform is to say, and write down which branches ended; `silent`: that only."""
        bus = self._bus
        for effect in effects:
            if not isinstance(effect, Answer):
                where = effect.conversation or id
                bus.event(
                    BRANCH_EVENT,
                    agent=effect.participant,
                    conversation=where,
                    body={
                        "conversation": where,
                        "participant": effect.participant,
                        "state": effect.state,
                        "reason": effect.reason,
                        "from": effect.source,
                    },
                )
                bus.referee_service.touched(where, bus.last_seq)
                conversation = bus.referee_service.known.get(where)
                if conversation is not None and not conversation.open:
                    bus.clients.end(
                        bus.last_seq, where, f"{effect.participant}: {effect.state}, {effect.reason}"
                    )
            elif not silent:
                self._say(id, effect, cause)

    def _say(self, id: str, effect: Answer, cause: Envelope | None) -> None:
        bus = self._bus
        conversation = bus.referee_service.known.get(id)
        content = {"reason": effect.reason}
        if effect.error is not None:
            content["error"] = effect.error
        if effect.about is not None:
            content["agent"] = effect.about
        cancels = effect.performative is Performative.CANCEL
        draft = Draft(
            effect.performative,
            [effect.receiver],
            msgspec.Raw(_encode(content)),
            conversation_id=id,
            protocol=conversation.protocol if conversation is not None else None,
            reply_with=effect.in_reply_to if cancels else None,
            in_reply_to=None if cancels else effect.in_reply_to,
        )
        if cause is None:
            bus.admit(draft, self._ams, trace_id=bus.ids.trace(), cause=0, hops=0)
        else:
            trace_id = cause.message.trace_id
            bus.admit(
                draft, self._ams, trace_id=trace_id, cause=cause.seq, hops=cause.hops + 1, tree=cause.tree
            )

    def _mark(self, verdict: Verdict, envelope: Envelope, key: int, passed: bool) -> None:
        self._bus.journal.batch.records.append(
            Mark(
                envelope.seq,
                key,
                verdict.legality.value,
                verdict.rule,
                verdict.state,
                ",".join(verdict.legal),
                verdict.participant,
                verdict.protocol,
                passed,
                verdict.warning,
            )
        )

    def _violation(self, verdict: Verdict, envelope: Envelope, passed: bool) -> None:
        bus, message = self._bus, envelope.message
        bus.counts.violation(verdict.rule)
        body = {
            "seq": envelope.seq,
            "agent": message.sender,
            "delivered": passed,
            **_words(verdict, envelope),
        }
        bus.event("violation", agent=message.sender, conversation=message.conversation_id, body=body)

    def _warn_of(self, name: str, envelope: Envelope) -> None:
        """A protocol that nobody knows passes unjudged; that is worth one word a name."""
        if name in self._unknown or len(self._unknown) >= 1000:
            return
        self._unknown.add(name)
        message = envelope.message
        body = {"protocol": name, "seq": envelope.seq, "agent": message.sender}
        self._bus.event(
            "unknown_protocol", agent=message.sender, conversation=message.conversation_id, body=body
        )


def _words(verdict: Verdict, envelope: Envelope) -> dict[str, object]:
    """A violation in words and as data: the act, the state, the rule, and what was legal."""
    return {
        "error": "protocol_violation",
        "reason": verdict.sentence,
        "rule": verdict.rule,
        "act": verdict.act,
        "state": verdict.state,
        "legal": list(verdict.legal),
        "protocol": verdict.protocol,
        "participant": verdict.participant,
        "message_id": envelope.message.id,
    }
