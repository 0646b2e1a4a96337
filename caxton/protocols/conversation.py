"""A conversation: one branch for each participant, and what they are together.

In: a message that the referee has found a conversation for, or the time. Out: verdicts and effects; the conversation
is changed in place, its branches are replaced. It holds plain values only, so it can be written down as it is.
"""

from __future__ import annotations

from sys import intern
from typing import Final

import msgspec

from caxton.acl.message import Message
from caxton.acl.performative import Performative
from caxton.protocols import endings, machine
from caxton.protocols.branch import NEW, Branch, Rounds, is_open, remember, shown
from caxton.protocols.protocol import (
    EXPIRED,
    UNIVERSAL_STATES,
    Answer,
    Effect,
    Ended,
    Legality,
    Protocol,
    Role,
    Verdict,
)

_INITIATOR: Final = Role.INITIATOR
_PARTICIPANT: Final = Role.PARTICIPANT
_LEGAL: Final = Legality.LEGAL
_VIOLATION: Final = Legality.VIOLATION

NEVER: Final = 1 << 62
"""Later than every time that a message can have."""
_NO_NAMES: Final[dict[str, str]] = {}
_NO_SUBS: Final[dict[str, tuple[str, ...]]] = {}
_NO_COUNTS: Final[dict[str, int]] = {}


class Conversation(msgspec.Struct, gc=False):
    """State per (conversation, initiator, participant). Of its mappings only `branches` is changed in place: most
    conversations share the others, which are empty."""

    id: str
    protocol: str
    initiator: str
    began_us: int
    branches: dict[str, Branch] = {}
    rounds: Rounds = Rounds()
    open: int = 0
    """Branches that have not ended."""
    spoken: bool = False
    """Somebody besides the initiator has made a step."""
    expired: bool = False
    last_us: int = 0
    """When the last step was made."""
    next_us: int = 0
    """Before this time nothing happens by time alone; `pass_time` need not be called."""
    hears: tuple[str, ...] = ()
    """Who besides the initiator may be answered: its reply_to, and a recruiter's asker."""
    stands_for: dict[str, str] = {}
    """Who is spoken to in place of a participant, by its reply_to."""
    serves: str | None = None
    """The conversation that this one is a sub-conversation of (`x_proxy_of`)."""
    subs: dict[str, tuple[str, ...]] = {}
    """The sub-conversations of each broker."""
    relayed: dict[str, int] = {}
    """How many answers each broker has relayed; an agree is none, and none counts before it is there."""
    stood_us: int = 0
    """Up to when the times are counted at which its clock stood still (`standing`)."""
    table: str = ""
    """The protocol's table by which it began: its hash."""
    traces: tuple[str, ...] = ()
    """The latest traces that have said something in it: while somebody works on one of them, it is not idle."""
    released: bool = False
    """It is not judged any more."""

    def hear(self, protocol: Protocol, message: Message, at_us: int) -> Verdict:
        """A member of the conversation says something; a message that is wrong for one receiver changes nothing.

        `pass_time` has been called where `at_us` lies after `next_us`.
        """
        receivers, initiator = message.receiver, self.initiator
        if message.sender == initiator:
            role, name = _INITIATOR, receivers[0]
            if len(receivers) > 1:
                return self._hear_many(protocol, message, at_us)
            if name not in self.branches:
                name = self.stands_for.get(name, name)
        else:
            role, name = _PARTICIPANT, message.sender
            if receivers[0] != initiator or len(receivers) > 1:
                for receiver in receivers:
                    if receiver != initiator and receiver not in self.hears:
                        return wrong(self, protocol, message, at_us, "receiver")
        before = self.branches.get(name, NEW)
        after, rounds, verdict = machine.hear(protocol, before, self.rounds, name, role, message, at_us)
        if after is not before:
            self.rounds = rounds
            self._replace(protocol, name, before, after)
            if verdict.legality is _LEGAL:
                self._stepped(name, role, message, at_us, verdict)
        elif verdict.legality is _VIOLATION and name == initiator:
            # who speaks with itself has both roles
            after, rounds, other = machine.hear(
                protocol, before, self.rounds, name, _PARTICIPANT, message, at_us
            )
            if other.legality is not _VIOLATION:
                self.rounds = rounds
                self._replace(protocol, name, before, after)
                self._stepped(name, _PARTICIPANT, message, at_us, other)
                return other
        return verdict

    def step(self, protocol: Protocol, message: Message, at_us: int) -> Verdict | None:
        """What `hear` does, for the usual step of an open branch, in one go: measured, 1.2 µs instead of 1.5.

        None where there is anything else to look at (a deadline, a cancel, an alias, a stranger, what is no step); then
        nothing has been changed. One receiver; time has been looked at; nothing is brokered.
        """
        sender, receiver, initiator = message.sender, message.receiver[0], self.initiator
        if sender == initiator:
            role, by_participant, name = _INITIATOR, False, receiver
        elif receiver == initiator:
            role, by_participant, name = _PARTICIPANT, True, sender
        else:
            return None
        branches = self.branches
        before = branches.get(name)
        if (
            before is None
            or before.cancel is not None
            or sender == receiver
            or message.reply_by is not None
            or message.reply_to is not None
        ):
            return None
        said, refers = message.protocol, message.in_reply_to
        if (said is not None and said != protocol.name) or (
            refers is not None and refers != (before.asked if by_participant else before.answered)
        ):
            return None
        states = protocol.states
        move = protocol.moves[before.state][by_participant].get(message.performative)
        if move is None or move.step.relay or states[before.state].end is not None:
            return None
        if move.plain:
            verdict = move.verdict
            if by_participant:
                after = Branch(
                    move.step.to, before.asked, message.reply_with, 0, before.round, True, before.awarded,
                    None, None, None, 0, before.used,
                )  # fmt: skip
            else:
                used = before.used if before.asked is None else remember(before.used, before.asked)
                after = Branch(
                    move.step.to, message.reply_with, before.answered, 0, before.round, before.heard,
                    before.awarded, None, None, None, 0, used,
                )  # fmt: skip
        else:
            after, rounds, verdict = machine.hear(protocol, before, self.rounds, name, role, message, at_us)
            if after is before or verdict.legality is not _LEGAL:
                return None
            self.rounds = rounds
        if states[after.state].end is None:
            branches[name] = after
        else:
            self._replace(protocol, name, before, after)
        self.last_us = at_us
        if by_participant:
            self.spoken = True
        return verdict

    def not_understood(self, protocol: Protocol, message: Message, at_us: int) -> Verdict | None:
        """Who has received something in place of a member may say that it was not understood (fipa.md 2.11, 6).

        None where the sender has received nothing here.
        """
        sender, name = message.sender, message.receiver[0]
        if sender in self.stands_for and name == self.initiator:
            role, name = _PARTICIPANT, self.stands_for[sender]
        elif sender in self.hears and name in self.branches:
            role = _INITIATOR
        else:
            return None
        before = self.branches[name]
        after, _, verdict = machine.hear(protocol, before, self.rounds, name, role, message, at_us)
        if after is not before:
            self._replace(protocol, name, before, after)
            self._stepped(name, role, message, at_us, verdict)
        return verdict

    def pass_time(self, protocol: Protocol, now_us: int) -> tuple[Effect, ...]:
        """It is `now_us`: deadlines before it, and the conversation's own time to live, have their effects."""
        effects: tuple[Effect, ...] = ()
        until = NEVER
        waits = False
        for name, branch in list(self.branches.items()):
            after, told = endings.pass_time(protocol, branch, name, now_us)
            if after is not branch:
                effects += told
                self._replace(protocol, name, branch, after)
            elif branch.deadline_us and is_open(protocol, branch) and now_us <= branch.deadline_us:
                until = min(until, branch.deadline_us)
                waits = True
        if protocol.time_to_live_us and self.open:
            idle_us = self.last_us + protocol.time_to_live_us
            if idle_us >= now_us:
                until = min(until, idle_us)
            elif not waits:
                # who waits for a deadline that was given is not idle
                effects += self.expire(protocol)
        self.next_us = until
        return effects

    def expire(self, protocol: Protocol) -> tuple[Effect, ...]:
        """Nobody has said anything for too long: every open branch ends, and whoever waits is told, once."""
        self.expired = True
        effects: tuple[Effect, ...] = ()
        waiting: dict[str, Answer] = {}
        why = (
            f"nothing was said for {protocol.time_to_live_us / 1e6:g} s, time_to_live_s of {protocol.name}, and nobody"
            " works on it"
        )
        for name, branch in list(self.branches.items()):
            if not is_open(protocol, branch):
                continue
            if protocol.waits_for_participant(branch.state):
                who, refers, about = self.initiator, branch.asked, name
            else:
                who, refers, about = name, branch.answered, self.initiator
            waiting.setdefault(who, Answer(Performative.FAILURE, who, why, refers, about, error="expired"))
            after, told = endings.expire(branch, name)
            effects += told
            self._replace(protocol, name, branch, after)
        return effects + tuple(waiting.values())

    def abort(self, protocol: Protocol | None, why: str) -> tuple[Effect, ...]:
        """End every open branch, whatever their protocol says, and tell all members why."""
        self.expired, self.open, self.next_us = True, 0, NEVER
        effects: tuple[Effect, ...] = ()
        members = [self.initiator]
        for name, branch in list(self.branches.items()):
            state = protocol.states.get(branch.state) if protocol is not None else None
            if branch.state in UNIVERSAL_STATES or (state is not None and state.end is not None):
                continue
            self.branches[name] = endings.expire(branch, name, why)[0]
            effects += (Ended(name, EXPIRED, why, branch.state),)
            members.append(name)
        told = dict.fromkeys(members) if effects else ()
        return effects + tuple(Answer(Performative.FAILURE, who, why, error="ended") for who in told)

    def release(self) -> None:
        """Judge it no more."""
        self.released, self.open, self.next_us = True, 0, NEVER

    def worked(self, until_us: int) -> None:
        """Somebody worked on it until then, so it was not idle."""
        self.last_us = max(self.last_us, until_us)

    def touched_by(self, traces: tuple[str, ...]) -> None:
        """These traces have said something in it."""
        self.traces = traces

    def goes_by(self, table: str) -> None:
        """It goes by that table."""
        self.table = table

    def change(
        self, protocol: Protocol, name: str, changed: tuple[Branch, tuple[Effect, ...]]
    ) -> tuple[Effect, ...]:
        """Put a branch that the machine has moved without a message of its two in its place; returns the effects."""
        after, effects = changed
        self._replace(protocol, name, self.branches[name], after)
        return effects

    def serve(self, asking: Conversation, broker: str, *, answers_asker: bool) -> None:
        """It is a sub-conversation that a broker has begun for another one."""
        self.serves = asking.id
        if answers_asker:
            self.hears = (*self.hears, asking.initiator)
        asking.served_by(broker, self.id)

    def served_by(self, broker: str, id: str) -> None:
        """A broker has begun one more conversation for this one."""
        self.subs = {**self.subs, broker: (*self.subs.get(broker, ()), id)}

    def has_relayed(self, broker: str, answers: int) -> None:
        """So many answers have gone through a broker."""
        self.relayed = {**self.relayed, broker: answers}

    def look_again_at(self, at_us: int) -> None:
        """Nothing happens by time alone before that."""
        self.next_us = at_us

    def stood(self, by_us: int, until_us: int) -> None:
        """Its clock stood still for so long, up to that time: every deadline moves on."""
        for name, branch in self.branches.items():
            if branch.deadline_us or branch.resting_us:
                self.branches[name] = msgspec.structs.replace(
                    branch,
                    deadline_us=branch.deadline_us + by_us if branch.deadline_us else 0,
                    resting_us=branch.resting_us + by_us if branch.resting_us else 0,
                )
        self.last_us += by_us
        if 0 < self.next_us < NEVER:
            self.next_us += by_us
        self.stood_us = until_us

    def _hear_many(self, protocol: Protocol, message: Message, at_us: int) -> Verdict:
        """The initiator speaks to several: legal for all of them, or stopped whole."""
        names = list(dict.fromkeys(self.stands_for.get(name, name) for name in message.receiver))
        rounds = self.rounds
        moved: list[tuple[str, Branch, Branch, Verdict]] = []
        for name in names:
            before = self.branches.get(name, NEW)
            after, rounds, verdict = machine.hear(protocol, before, rounds, name, _INITIATOR, message, at_us)
            if verdict.legality is _VIOLATION:
                return verdict
            moved.append((name, before, after, verdict))
        self.rounds = rounds
        said = moved[0][3]
        effects: tuple[Effect, ...] = ()
        for name, before, after, verdict in moved:
            effects += verdict.effects
            if after is not before:
                self._replace(protocol, name, before, after)
            if verdict.legality is _LEGAL:
                self._stepped(name, _INITIATOR, message, at_us, verdict)
                if said.legality is not _LEGAL:
                    said = verdict
        return said if said.effects == effects else msgspec.structs.replace(said, effects=effects)

    def _replace(self, protocol: Protocol, name: str, before: Branch, after: Branch) -> None:
        self.branches[name if before is not NEW else intern(name)] = after
        states = protocol.states
        was_open = before is not NEW and states[before.state].end is None
        if was_open != (states[after.state].end is None):
            self.open += -1 if was_open else 1
            if not was_open and self.next_us == NEVER:
                self.next_us = 0  # there is something to wait for again: time looks at it anew
        if after.deadline_us and after.deadline_us < self.next_us:
            self.next_us = after.deadline_us

    def _stepped(self, name: str, role: Role, message: Message, at_us: int, verdict: Verdict) -> None:
        self.last_us = at_us
        if message.reply_to is not None:
            if role is _INITIATOR:
                self.hears += tuple(who for who in message.reply_to if who not in self.hears)
            else:
                self.stands_for = self.stands_for | dict.fromkeys(message.reply_to, name)
        if role is _PARTICIPANT:
            self.spoken = True
            relays = verdict.step is not None and verdict.step.relay
            if relays and message.performative is not Performative.AGREE:  # an agree is never the last word
                relayed = self.relayed
                self.relayed = {**relayed, name: relayed.get(name, 0) + 1}


def open_conversation(id: str, protocol: Protocol, initiator: str, at_us: int) -> Conversation:
    """A conversation in which nobody has said anything yet."""
    idle_us = protocol.time_to_live_us
    return Conversation(
        id,
        protocol.name,
        intern(initiator),
        at_us,
        last_us=at_us,
        next_us=at_us + idle_us if idle_us else NEVER,
        stands_for=_NO_NAMES,
        subs=_NO_SUBS,
        relayed=_NO_COUNTS,
        table=protocol.table,
    )


def wrong(conversation: Conversation, protocol: Protocol, message: Message, at_us: int, rule: str) -> Verdict:
    """A violation that no branch is asked about."""
    sender = message.sender
    role = _INITIATOR if sender == conversation.initiator else _PARTICIPANT
    name = message.receiver[0] if role is _INITIATOR else sender
    branch = conversation.branches.get(name)
    legal: tuple[str, ...] = ()
    if branch is not None:
        legal = machine.legal_here(protocol, branch, conversation.rounds, name, role, at_us)
    return Verdict(
        _VIOLATION,
        rule,
        message.performative.value,
        shown(protocol, branch or NEW),
        legal,
        participant=name if branch is not None else None,
        protocol=protocol.name,
    )
