"""The referee: is this message legal here?

In: each message with the time at which it was admitted, in order. Out: a `Verdict`, with what the platform is to do
about it. It keeps the conversations, does no I/O and reads no clock. What to do with a violation (enforce, warn, off)
is the caller's to decide; the state never follows one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Final

import msgspec

from caxton.acl.identifier import qualified
from caxton.acl.message import Message
from caxton.acl.performative import Performative
from caxton.protocols import conversation as talks
from caxton.protocols import endings, outcomes
from caxton.protocols.branch import is_open, shown
from caxton.protocols.conversation import Conversation
from caxton.protocols.library import Library
from caxton.protocols.notices import has_expired, named_agents
from caxton.protocols.protocol import (
    Answer,
    Effect,
    Ended,
    Legality,
    Protocol,
    Verdict,
)

KEPT: Final = 100_000
"""Conversations that are remembered; of more, those that are complete are forgotten first."""
SEEN: Final = 4096
"""Message ids that are remembered for duplicates."""


_VIOLATION: Final = Legality.VIOLATION
_LEGAL: Final = Legality.LEGAL
_ANSWERED: Final = "not-understood-answered"


class Referee:
    """Judges messages and keeps what they have made of their conversations.

    `kept` bounds the conversations, `seen` the message ids that it remembers; with `seen` 0 the caller answers for it
    that no id comes twice. Without `silence_ends` no conversation expires: a record does not say who worked meanwhile.
    """

    __slots__ = (
        "_before",
        "_half",
        "_on_forget",
        "_seen",
        "_silence_ends",
        "conversations",
        "kept",
        "library",
        "quick",
    )

    def __init__(
        self,
        library: Library,
        kept: int = KEPT,
        seen: int = SEEN,
        forget: Callable[[Conversation], None] | None = None,
        *,
        silence_ends: bool = True,
    ) -> None:
        self.library = library
        self.kept = kept
        self.quick = True
        """Whether usual steps take the quick way; off only to compare the two."""
        self._on_forget = forget
        self._silence_ends = silence_ends
        self._half = (seen + 1) // 2
        self.conversations: dict[str, Conversation] = {}
        self._seen: set[str] = set()
        self._before: set[str] = set()

    def judge(self, message: Message, at_us: int, proxy_of: str | None = None) -> Verdict:
        """Judge one message; `proxy_of` is its `x_proxy_of`.

        Every message id is judged once: the second time it is a duplicate.
        """
        if self._half and self._twice(message.id):
            return _apart(message, Legality.IGNORED, "duplicate")
        conversation = self.conversations.get(message.conversation_id)
        if conversation is None:
            return self._open(message, at_us, proxy_of)
        protocol = self.library.tables[conversation.table]
        if (
            self.quick
            and at_us <= conversation.next_us
            and conversation.serves is None
            and not conversation.subs
            and len(message.receiver) == 1
        ):
            usual = conversation.step(protocol, message, at_us)
            if usual is not None:
                return usual
        effects = self._time(conversation, protocol, at_us) if at_us > conversation.next_us else ()
        sender = message.sender
        said = message.protocol
        if (
            said is not None
            and said != protocol.name
            and said not in protocol.names
            and self.library.find(said) is not protocol
            and not sender.startswith("ams@")
        ):
            verdict = self._used(conversation, protocol, message, at_us, "another-protocol")
        elif sender != conversation.initiator and sender not in conversation.branches:
            verdict = self._outside(conversation, protocol, message, at_us)
        elif not conversation.open and sender == conversation.initiator and self._begins(protocol, message):
            if any(name in conversation.branches for name in message.receiver) and self._goes_on(
                conversation, protocol, message
            ):
                verdict = conversation.hear(protocol, message, at_us)
            else:
                verdict = talks.wrong(conversation, protocol, message, at_us, "already-in-use")
        else:
            verdict = conversation.hear(protocol, message, at_us)
            if conversation.serves is not None or conversation.subs:
                more = self._serve(conversation, protocol)
                if more:
                    verdict = msgspec.structs.replace(verdict, effects=verdict.effects + more)
        if verdict.legality is _VIOLATION and _to_ams(message, conversation):
            # whatever is said to the platform about its own notices
            rule = "platform" if message.performative is not Performative.NOT_UNDERSTOOD else _ANSWERED
            verdict = _apart(message, Legality.IGNORED, rule, protocol.name)
        if effects:
            return msgspec.structs.replace(verdict, effects=effects + verdict.effects)
        return verdict

    def pass_time(self, conversation_id: str, now_us: int) -> tuple[Effect, ...]:
        """Let time pass in one conversation; worth calling after its `next_us`."""
        conversation = self.conversations[conversation_id]
        return self._time(conversation, self.library.tables[conversation.table], now_us)

    def died(self, agent: str, why: str, ams: str) -> dict[str, tuple[Effect, ...]]:
        """An agent is gone for good: what the platform is to say, by conversation (fipa.md 2.10, 2.11).

        Each open branch that it took part in ends by a failure to the initiator; each that it began, by a cancel in
        its name.
        """
        told: dict[str, tuple[Effect, ...]] = {}
        for conversation in self.conversations.values():
            if not conversation.open or (
                agent != conversation.initiator and agent not in conversation.branches
            ):
                continue
            protocol = self.library.tables[conversation.table]
            effects: tuple[Effect, ...] = ()
            for name, branch in list(conversation.branches.items()):
                if not is_open(protocol, branch):
                    continue
                if agent == conversation.initiator:
                    cancel = f"{ams}-{conversation.id}-{name}"
                    effects += conversation.change(protocol, name, endings.abandon(branch, name, cancel))
                    effects += (Answer(Performative.CANCEL, name, why, cancel, agent),)
                elif agent == name:
                    effects += conversation.change(protocol, name, endings.lose(branch, name, why))
                    effects += (
                        Answer(Performative.FAILURE, conversation.initiator, why, branch.asked, agent),
                    )
            if effects:
                told[conversation.id] = effects + self._serve(conversation, protocol)
        return told

    def _twice(self, id: str) -> bool:
        """Whether that id was judged lately; ids are remembered in two halves, the older one is dropped whole."""
        seen = self._seen
        if id in seen or id in self._before:
            return True
        seen.add(id)
        if len(seen) >= self._half:
            self._before, self._seen = seen, set()
        return False

    # ------------------------------------------------------------------ first messages

    def _open(self, message: Message, at_us: int, proxy_of: str | None) -> Verdict:
        """The first message of a conversation names its roles and its protocol."""
        asking, asked = self._proxied(at_us, proxy_of) if proxy_of is not None else (None, None)
        if asking is not None and asked is not None and message.sender in asking.branches:
            branch = asking.branches[message.sender]
            if branch.state not in asked.serves_in and branch.state not in {
                asked.states[state].served for state in asked.serves_in
            }:
                return talks.wrong(asking, asked, message, at_us, "proxy-too-early")
        if message.protocol is None:
            return _apart(message, Legality.LEGAL, "free")
        protocol = self.library.find(message.protocol)
        if protocol is None:
            return _apart(message, Legality.LEGAL, "unknown-protocol", message.protocol)
        if message.sender.startswith("ams@") and not self._begins(protocol, message):
            # the platform's own word on a message that began nothing begins nothing either
            return _apart(message, Legality.IGNORED, "platform", protocol.name)
        conversation = talks.open_conversation(message.conversation_id, protocol, message.sender, at_us)
        verdict = conversation.hear(protocol, message, at_us)
        if verdict.legality is not _LEGAL:
            return verdict
        if len(self.conversations) >= self.kept:
            self._forget()
        self.conversations[conversation.id] = conversation
        if asking is not None and asked is not None and message.sender in asking.branches:
            conversation.serve(asking, message.sender, answers_asker=asked.answers_asker)
        return verdict

    def _proxied(self, at_us: int, proxy_of: str) -> tuple[Conversation | None, Protocol | None]:
        """The conversation that a new one serves, as it is now."""
        asking = self.conversations.get(proxy_of)
        if asking is None:
            return None, None
        protocol = self.library.tables[asking.table]
        if not protocol.serves_in:
            return None, None
        self._time(asking, protocol, at_us)
        return asking, protocol

    def _begins(self, protocol: Protocol, message: Message) -> bool:
        return message.performative in protocol.starts

    def _goes_on(self, conversation: Conversation, protocol: Protocol, message: Message) -> bool:
        """Whether the table itself leads on from the end of the branches that the message is for."""
        return all(
            message.performative in protocol.moves[conversation.branches[name].state][0]
            for name in message.receiver
            if name in conversation.branches
        )

    def _used(
        self, conversation: Conversation, protocol: Protocol, message: Message, at_us: int, rule: str
    ) -> Verdict:
        """A message that does not belong here: what it begins elsewhere needs an id of its own."""
        begun = self.library.find(message.protocol) if message.protocol is not None else None
        if not conversation.open and begun is not None and self._begins(begun, message):
            rule = "already-in-use"
        return talks.wrong(conversation, protocol, message, at_us, rule)

    def _forget(self) -> None:
        """Make room: complete conversations go first, then the oldest of whoever has begun most."""
        oldest = list(self.conversations)[: max(1, self.kept // 5)]
        gone = [id for id in oldest if not self.conversations[id].open]
        if not gone:
            counts = Counter(one.initiator for one in self.conversations.values() if one.open)
            (most, _), *_ = counts.most_common(1)
            own = (id for id, one in self.conversations.items() if one.open and one.initiator == most)
            gone = list(islice(own, max(1, self.kept // 10)))
        for id in gone:
            conversation = self.conversations.pop(id)
            if self._on_forget is not None:
                self._on_forget(conversation)

    # ------------------------------------------------------------------ who is no member

    def _outside(
        self, conversation: Conversation, protocol: Protocol, message: Message, at_us: int
    ) -> Verdict:
        local, _, platform = message.sender.partition("@")
        if local != "ams":
            if message.performative is Performative.NOT_UNDERSTOOD and len(message.receiver) == 1:
                verdict = conversation.not_understood(protocol, message, at_us)
                if verdict is not None:
                    return verdict
            begun = self.library.find(message.protocol) if message.protocol is not None else None
            begins = begun is not None and self._begins(begun, message)
            rule = "already-in-use" if begins else "stranger"
            return talks.wrong(conversation, protocol, message, at_us, rule)
        act = message.performative
        if act is Performative.FAILURE and conversation.open and has_expired(message.content):
            # of a record: whoever kept the conversation has ended it
            ended = tuple(one for one in conversation.expire(protocol) if isinstance(one, Ended))
            return msgspec.structs.replace(
                _apart(message, Legality.IGNORED, "platform", protocol.name), effects=ended
            )
        # the platform refuses in the place of a receiver that got nothing
        undelivered = act in (Performative.FAILURE, Performative.REFUSE)
        if undelivered:
            names = self._lost(conversation, message, platform)
        else:
            names = message.receiver[:1] if act is Performative.CANCEL else []
        branches = conversation.branches
        names = [name for name in names if name in branches and is_open(protocol, branches[name])]
        if not names:
            return _apart(message, Legality.IGNORED, "platform", protocol.name)
        before = shown(protocol, branches[names[0]])
        if undelivered:
            rule, effects = "undeliverable", self._lose(conversation, protocol, names)
        else:
            cancel = message.reply_with or message.id
            changed = endings.abandon(branches[names[0]], names[0], cancel)
            rule, effects = "initiator-died", conversation.change(protocol, names[0], changed)
            effects += self._serve(conversation, protocol)
        return Verdict(
            Legality.LEGAL,
            rule,
            act.value,
            before,
            protocol=protocol.name,
            participant=names[0],
            effects=effects,
        )

    def lose(self, conversation_id: str, names: list[str]) -> tuple[Effect, ...]:
        """What was said there to these could not be delivered, and nobody is told of it by a message."""
        conversation = self.conversations.get(conversation_id)
        if conversation is None:
            return ()
        protocol = self.library.tables[conversation.table]
        return self._lose(conversation, protocol, names)

    def _lose(self, conversation: Conversation, protocol: Protocol, names: list[str]) -> tuple[Effect, ...]:
        effects: tuple[Effect, ...] = ()
        for name in names:
            branch = conversation.branches.get(name)
            if branch is not None and is_open(protocol, branch):
                lost = endings.lose(branch, name, "it could not be delivered")
                effects += conversation.change(protocol, name, lost)
        return effects + self._serve(conversation, protocol)

    def _lost(self, conversation: Conversation, message: Message, platform: str) -> list[str]:
        """Which branches the platform's failure is about: its in_reply_to says so, else the agents that it names."""
        receiver = message.receiver[0]
        if receiver != conversation.initiator:
            return [conversation.stands_for.get(receiver, receiver)]
        refers = message.in_reply_to
        named = [qualified(name, platform) for name in named_agents(message.content)]
        found = [name for name in named if name in conversation.branches]
        if refers is not None:
            meant = [
                name
                for name, branch in conversation.branches.items()
                if refers in (branch.asked, branch.cancel)
            ]
            if len(meant) > 1:
                # a message to many: they share its reply_with
                meant = [name for name in meant if name in named]
            if meant:
                return meant
        if not found and refers is None and not named and len(conversation.branches) == 1:
            return list(conversation.branches)
        return found

    # ------------------------------------------------------------------ time, and sub-conversations

    def _time(self, conversation: Conversation, protocol: Protocol, now_us: int) -> tuple[Effect, ...]:
        if not self._silence_ends:
            conversation.worked(now_us)
        effects = conversation.pass_time(protocol, now_us)
        return effects + self._serve(conversation, protocol) if effects else effects

    def _serve(self, conversation: Conversation, protocol: Protocol) -> tuple[Effect, ...]:
        """Whether a broker is done: every sub-conversation of its has ended and was relayed."""
        if conversation.serves is not None:
            asking = self.conversations.get(conversation.serves)
            if asking is None or conversation.open:
                return ()
            conversation, protocol = asking, self.library.tables[asking.table]
        effects: tuple[Effect, ...] = ()
        for broker, subs in conversation.subs.items():
            branch = conversation.branches[broker]
            if protocol.states[branch.state].served is None or branch.cancel is not None:
                continue
            ended = [self.conversations[id] for id in subs if id in self.conversations]
            owed = sum(outcomes.answers(self.library.tables[sub.table], sub) for sub in ended)
            # what was relayed before an answer was there cannot have been that answer
            relayed = min(conversation.relayed.get(broker, 0), owed)
            conversation.has_relayed(broker, relayed)
            if any(sub.open for sub in ended) or relayed < owed:
                continue
            if not owed and any(outcomes.is_faulty(self.library.tables[sub.table], sub) for sub in ended):
                continue  # there is nothing to relay: the broker is to say that it failed
            effects += conversation.change(protocol, broker, endings.serve(protocol, branch, broker))
        return tuple(
            msgspec.structs.replace(effect, conversation=conversation.id)
            if isinstance(effect, Ended)
            else effect
            for effect in effects
        )


def _apart(message: Message, legality: Legality, rule: str, protocol: str | None = None) -> Verdict:
    return Verdict(legality, rule, message.performative.value, "", protocol=protocol)


def _to_ams(message: Message, conversation: Conversation) -> bool:
    return all(
        name.startswith("ams@") and name != conversation.initiator and name not in conversation.branches
        for name in message.receiver
    )
