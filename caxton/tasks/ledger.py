"""What a task knows: the messages of its conversation, judged by the protocol, and what each branch has said.

In: messages that the task said or heard, in order, and the time. Out: branches with their states, proposals and
results, and the counts of acts. It has a referee of its own, so it stands whatever the project's referee is set to;
fed with the journal's messages it comes to the same, so it serves a task under way and one that ended long ago.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from caxton.acl.message import Message
from caxton.acl.performative import Performative
from caxton.protocols import Answer, Conversation, Legality, Library, Protocol, Referee
from caxton.protocols.branch import Branch, is_open, shown
from caxton.protocols.clock_pause import Stop, stand
from caxton.protocols.conversation import NEVER
from caxton.protocols.protocol import Phase
from caxton.tasks.order import Order
from caxton.tasks.selection import Offer

VIOLATIONS_MAX: Final = 100
INFORMS_KEPT: Final = 100

_OF_CANCEL: Final = frozenset({"cancelled", "cancel-refused", "cancel-answer"})
"""Rules by which a message answers a cancel and is no result."""


class Result(msgspec.Struct, frozen=True):
    """The last word of a participant, or of the `ams` about it, that is neither an offer nor an agreement."""

    performative: Performative
    sender: str
    content: msgspec.Raw


class Violation(msgspec.Struct, frozen=True):
    """Something that was said to the task and that the protocol does not allow there."""

    message_id: str
    sender: str
    performative: str
    rule: str
    reason: str


class Note:
    """What was said in one branch."""

    __slots__ = ("arrival", "bidding", "cancelled", "informs", "kept", "late", "proposal", "result", "value")

    def __init__(self) -> None:
        self.proposal: msgspec.Raw | None = None
        self.value: int | float | None = None
        """The number by which it is compared; found once, because contents may be large."""
        self.bidding: str | None = None
        """The reply_with of the proposal."""
        self.arrival = 0
        """Proposals in the order in which they came."""
        self.result: Result | None = None
        self.informs = 0
        self.kept: list[msgspec.Raw] = []
        """The contents of the last informs."""
        self.cancelled = False
        """A cancel was said."""
        self.late: Answer | None = None
        """A late proposal that nobody has rejected yet."""

    def has_cancelled(self) -> None:
        """A cancel was said."""
        self.cancelled = True

    def was_late(self, answer: Answer | None) -> None:
        """A proposal was late and has that answer, or was rejected."""
        self.late = answer

    def proposed(self, message: Message, value: int | float | None, arrival: int) -> None:
        """A proposal came, as the so-manyth."""
        self.proposal, self.value = message.content, value
        self.bidding, self.arrival = message.reply_with, arrival

    def came(self, message: Message) -> None:
        """A result came."""
        act = message.performative
        self.result = Result(act, message.sender, message.content)
        if act is Performative.INFORM:
            self.informs += 1
            self.kept = [*self.kept[-INFORMS_KEPT + 1 :], message.content]


class Ledger:
    """One task's conversation as far as it has come."""

    def __init__(self, order: Order, library: Library, id: str) -> None:
        self.order: Order = order
        self.protocol: Protocol = library.protocols[order.protocol]
        self.received: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self.notes = {name: Note() for name in order.participants}
        self.words = 0
        """How many messages the task has said."""
        self.stops: Sequence[Stop] = ()
        """When the conversation's clock stood still, because messages were held."""
        self.broken: str | None = None
        """By which rule the task itself went wrong, which is a defect of ours."""
        self._id = id
        self._referee = Referee(library, kept=2, seen=0, silence_ends=False)
        self._arrivals = 0
        self._stood_us = 0

    # ------------------------------------------------------------------ what happens

    def hear(self, message: Message) -> None:
        """A message that the task said, or that was said to it; in the order of their admission."""
        self._stand(message.timestamp)
        mine = message.sender == self.order.initiator
        if mine:
            self.words += 1
        conversation = self.conversation
        before = dict(conversation.branches) if conversation is not None else {}
        verdict = self._referee.judge(message, message.timestamp)
        act = message.performative
        if verdict.legality is Legality.VIOLATION:
            if mine:
                self.broken = f"{act} in {verdict.state}, {verdict.sentence}"
            if len(self.violations) < VIOLATIONS_MAX:
                said = Violation(message.id, message.sender, act.value, verdict.rule, verdict.sentence)
                self.violations.append(said)
            return
        (self.sent if mine else self.received)[act.value] += 1
        if mine:
            self._said(message)
            return
        if verdict.rule not in _OF_CANCEL:
            for name in self._concerned(message, before):
                self._heard(self.notes[name], message)
        for effect in verdict.effects:
            if isinstance(effect, Answer) and effect.error is None and effect.receiver in self.notes:
                self.notes[effect.receiver].was_late(effect)

    def stood(self, stops: Sequence[Stop]) -> None:
        """Its conversation's clock stood still at these times, so far."""
        self.stops = stops

    def cancel(self, now_us: int) -> bool:
        """Make now the deadline; False where it was cancelled before."""
        order = self.order
        if order.cancelled:
            return False
        deadline_us = min(order.deadline_us, now_us - 1)
        self.order = msgspec.structs.replace(order, deadline_us=deadline_us, cancelled=True)
        return True

    def pass_time(self, now_us: int) -> None:
        """Let deadlines before `now_us` have their effects; everything admitted before was heard."""
        self._stand(now_us)
        conversation = self.conversation
        if conversation is not None and now_us > conversation.next_us:
            self._referee.pass_time(self._id, now_us)

    # ------------------------------------------------------------------ how it stands

    @property
    def conversation(self) -> Conversation | None:
        """The conversation; None before the first word."""
        return self._referee.conversations.get(self._id)

    @property
    def next_us(self) -> int:
        """When time alone changes something; `NEVER` where it does not."""
        conversation = self.conversation
        return NEVER if conversation is None else conversation.next_us

    @property
    def round(self) -> int:
        """Which round of calls it is."""
        return 0 if self.conversation is None else self.conversation.rounds.number

    @property
    def accepts(self) -> int:
        """How many proposals the task has accepted."""
        return self.sent[Performative.ACCEPT_PROPOSAL.value]

    def branch(self, name: str) -> Branch | None:
        """The branch with that participant; None where nothing was said to it."""
        return None if self.conversation is None else self.conversation.branches.get(name)

    def branches(self) -> Iterator[tuple[str, Branch, Note]]:
        """Every branch that there is, in the order of the participants."""
        for name, note in self.notes.items():
            branch = self.branch(name)
            if branch is not None:
                yield name, branch, note

    def open(self) -> Iterator[tuple[str, Branch, Note]]:
        """The branches that have not ended."""
        for name, branch, note in self.branches():
            if is_open(self.protocol, branch):
                yield name, branch, note

    def phase(self, branch: Branch) -> Phase:
        """What a branch is at."""
        return self.protocol.states[branch.state].phase

    def may(self, branch: Branch, act: Performative) -> bool:
        """Whether the table lets the initiator say that in the branch's state."""
        return act in self.protocol.moves[branch.state][0]

    def offers(self) -> list[Offer]:
        """Proposals that wait for a decision, in the order in which they came."""
        found = [
            (note.arrival, Offer(name, note.value))
            for name, branch, note in self.open()
            if note.proposal is not None and self.may(branch, Performative.ACCEPT_PROPOSAL)
        ]
        return [offer for _, offer in sorted(found, key=lambda one: one[0])]

    def shown(self, branch: Branch) -> str:
        """A branch's state as people see it."""
        return shown(self.protocol, branch)

    # ------------------------------------------------------------------ inside

    def _stand(self, now_us: int) -> None:
        """Move every deadline on by as long as the clock stood still."""
        for since_us, until_us in self.stops:
            since_us, until_us = max(since_us, self._stood_us), min(until_us, now_us)
            if until_us > since_us:
                order = self.order
                if order.deadline_us > since_us and not order.cancelled:
                    later_us = order.deadline_us + until_us - since_us
                    self.order = msgspec.structs.replace(order, deadline_us=later_us)
                self._stood_us = until_us
        conversation = self.conversation
        if conversation is not None and self.stops:
            stand(conversation, self.stops, now_us)

    def _said(self, message: Message) -> None:
        for name in message.receiver:
            note = self.notes.get(name)
            if note is None:
                continue
            if message.performative is Performative.CANCEL:
                note.has_cancelled()
            elif message.performative is Performative.REJECT_PROPOSAL:
                note.was_late(None)

    def _concerned(self, message: Message, before: dict[str, Branch]) -> list[str]:
        """Whose branch a message is about: its sender's, else those that it moved (a failure of the ams)."""
        if message.sender in self.notes:
            return [message.sender]
        return [name for name, branch, _ in self.branches() if branch is not before.get(name)]

    def _heard(self, note: Note, message: Message) -> None:
        act = message.performative
        if act is Performative.PROPOSE:
            self._arrivals += 1
            note.proposed(message, self.order.choice.value(message.content), self._arrivals)
        elif act is not Performative.AGREE:
            note.came(message)
