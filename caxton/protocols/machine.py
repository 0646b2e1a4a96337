"""The machine that runs every protocol: pure steps of one branch.

In: a branch, the rounds of the conversation, and a message. Out: the branch and the rounds after it, and a verdict.
Nothing here is changed in place, reads a clock or waits. Rules that hold in every protocol are here (fipa.md 2.7, 2.8,
2.10, 2.11), all others are rows of tables; what happens without a message is in `endings`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from caxton.acl.message import Message
from caxton.acl.performative import Performative
from caxton.protocols import protocol as states
from caxton.protocols.branch import NEW, Branch, Rounds, is_open, remember, shown, time_of
from caxton.protocols.endings import EXPIRED_OFFER
from caxton.protocols.protocol import Answer, Effect, Legality, Protocol, Role, Step, Verdict

CANCEL_WAIT_US: Final = 30_000_000
"""How long a cancel without reply_by waits for its answer."""

# an enumeration's member costs a search each time it is named; these are on the way of every message
_INITIATOR: Final = Role.INITIATOR
_PARTICIPANT: Final = Role.PARTICIPANT
_UNHEARD_OF: Final = frozenset({states.FAILED_DELIVERY, states.CANCELLED})
"""Ends that come from the platform: who speaks may not have heard of them."""
Heard = tuple[Branch, Rounds, Verdict]


def hear(
    protocol: Protocol, branch: Branch, rounds: Rounds, name: str, role: Role, message: Message, at_us: int
) -> Heard:
    """One of the two says something; `name` is the participant.

    Deadlines before `at_us` have been given to `pass_time` already. What is no step leaves branch and rounds as
    they are.
    """
    by_participant = role is _PARTICIPANT
    move = protocol.moves[branch.state][by_participant].get(message.performative)
    if move is None or branch.cancel is not None:
        return _hear_apart(protocol, branch, rounds, name, role, message, at_us)
    refers = message.in_reply_to
    if (
        refers is not None
        and refers != (branch.asked if by_participant else branch.answered)
        and branch is not NEW
    ):
        return branch, rounds, _violation(protocol, branch, rounds, name, role, message, at_us, "in-reply-to")
    step, verdict = move.step, move.verdict
    number, awarded = branch.round, branch.awarded
    if not move.plain:
        if step.ignored is not None:
            return branch, rounds, verdict
        if step.needs:
            broken = _broken(step, branch, rounds, name, at_us)
            if broken is not None:
                return (
                    branch,
                    rounds,
                    _violation(protocol, branch, rounds, name, role, message, at_us, broken),
                )
        if step.round:
            if number == rounds.number:
                rounds = Rounds(rounds.number + 1, 0, rounds.awarded, rounds.leader)
            number = rounds.number
        elif step.award:
            awarded = True
            rounds = Rounds(rounds.number, rounds.bids, number, name)
        elif step.bid and number == rounds.number:
            rounds = Rounds(rounds.number, rounds.bids + 1, rounds.awarded, rounds.leader)
        if step.answer is not None:
            told = Answer(step.answer, message.sender, step.reason or "", message.reply_with)
            verdict = msgspec.structs.replace(verdict, effects=(told,))
    until = time_of(message.reply_by) if move.bounded and message.reply_by is not None else 0
    if by_participant:
        said = Branch(
            step.to, branch.asked, message.reply_with, until, number, True, awarded,
            None, None, None, 0, branch.used,
        )  # fmt: skip
    else:
        used = branch.used if branch.asked is None else remember(branch.used, branch.asked)
        said = Branch(
            step.to, message.reply_with, branch.answered, until, number, branch.heard, awarded,
            None, None, None, 0, used,
        )  # fmt: skip
    return said, rounds, verdict


def _hear_apart(
    protocol: Protocol, branch: Branch, rounds: Rounds, name: str, role: Role, message: Message, at_us: int
) -> Heard:
    if branch.cancel is not None:
        return _hear_with_cancel(protocol, branch, rounds, name, role, message, at_us)
    return _hear_unlisted(protocol, branch, rounds, name, role, message, at_us)


def legal_here(
    protocol: Protocol, branch: Branch, rounds: Rounds, name: str, role: Role, at_us: int
) -> tuple[str, ...]:
    """What that role may say now, conditions across branches included."""
    waits = branch.cancel is not None and is_open(protocol, branch)
    if waits and role is _INITIATOR:
        return (Performative.NOT_UNDERSTOOD.value,) if branch.heard else ()
    acts = set(protocol.acts(branch.state, role))
    for act, move in protocol.moves[branch.state][role is _PARTICIPANT].items():
        if act in acts and _broken(move.step, branch, rounds, name, at_us) is not None:
            acts.discard(act)
    if role is _INITIATOR and not branch.heard:
        acts.discard(Performative.NOT_UNDERSTOOD.value)
    if waits:
        acts |= {Performative.INFORM.value, Performative.FAILURE.value}
    return tuple(sorted(acts))


def _broken(step: Step, branch: Branch, rounds: Rounds, name: str, at_us: int) -> str | None:
    """The first condition of the step that does not hold."""
    for need in step.needs:
        match need:
            case "past-deadline":
                holds = not branch.deadline_us or at_us <= branch.deadline_us
            case "a-bid":
                holds = branch.round != rounds.number or rounds.bids > 0
            case "sole-award":
                holds = rounds.awarded != branch.round
            case "no-award":
                holds = branch.round != rounds.number or rounds.awarded != rounds.number
            case "this-round":
                holds = branch.round == rounds.number
            case "leader":
                holds = rounds.leader == name
            case _:
                raise AssertionError(need)  # a table with another one is not loaded
        if not holds:
            return need
    return None


def _hear_unlisted(
    protocol: Protocol,
    branch: Branch,
    rounds: Rounds,
    name: str,
    role: Role,
    message: Message,
    at_us: int,
) -> Heard:
    """What the table does not list."""
    act = message.performative

    def wrong(rule: str) -> Heard:
        return branch, rounds, _violation(protocol, branch, rounds, name, role, message, at_us, rule)

    def no_step(rule: str, *effects: Effect) -> Heard:
        return branch, rounds, _verdict(protocol, branch, role, message, Legality.IGNORED, rule, effects)

    if act is Performative.CANCEL:
        if role is _PARTICIPANT:
            return wrong("cancel-by-participant")
        if not protocol.cancel:
            return wrong("no-cancel")
        if branch.state == states.START:
            return wrong("out-of-sequence")
        if message.reply_with is None or message.reply_with in (branch.asked, *branch.used.split("\0")):
            return wrong("cancel-reply-with")
        if not is_open(protocol, branch):
            late = msgspec.structs.replace(branch, cancel=message.reply_with)
            nothing = Answer(
                Performative.FAILURE, message.sender, "nothing to cancel", message.reply_with, name
            )
            return (
                late,
                rounds,
                _verdict(protocol, branch, role, message, Legality.IGNORED, "nothing-to-cancel", (nothing,)),
            )
        if message.in_reply_to not in (None, branch.answered):
            return wrong("in-reply-to")
        until = time_of(message.reply_by) if message.reply_by is not None else at_us + CANCEL_WAIT_US
        waits = msgspec.structs.replace(
            branch, cancel=message.reply_with, resting_us=branch.deadline_us, deadline_us=until
        )
        return waits, rounds, _verdict(protocol, branch, role, message, Legality.LEGAL, "cancel")
    if branch.state == states.START:
        return wrong("out-of-sequence")
    if is_open(protocol, branch):
        if act is not Performative.NOT_UNDERSTOOD:
            return wrong("out-of-sequence")
        if role is _INITIATOR and not branch.heard:
            return wrong("nothing-received")
        other = branch.asked if role is _PARTICIPANT else branch.answered
        if message.in_reply_to not in (None, other):
            return wrong("in-reply-to")
        moved = msgspec.structs.replace(
            branch,
            state=states.NOT_UNDERSTOOD,
            deadline_us=0,
            reason=role.value,
            heard=branch.heard or role is _PARTICIPANT,
        )
        return moved, rounds, _verdict(protocol, branch, role, message, Legality.LEGAL, "not-understood")
    if branch.state == states.NOT_UNDERSTOOD and act is Performative.NOT_UNDERSTOOD:
        return no_step("not-understood-answered") if branch.reason != role.value else wrong("ended")
    if branch.before is not None and branch.state in _UNHEARD_OF:
        move = protocol.moves[branch.before][role is _PARTICIPANT].get(act)
        if move is not None and message.in_reply_to in (
            None,
            branch.asked if role is _PARTICIPANT else branch.answered,
        ):
            own = "answered" if role is _PARTICIPANT else "asked"
            crossed = msgspec.structs.replace(branch, before=move.step.to, **{own: message.reply_with})
            return crossed, rounds, _verdict(protocol, branch, role, message, Legality.IGNORED, "crossed")
    elif branch.before is not None:
        listed = protocol.moves[branch.before][role is _PARTICIPANT].get(act)
        if branch.reason == EXPIRED_OFFER and listed is not None:
            if act is Performative.ACCEPT_PROPOSAL:
                to = message.sender
                about = name if role is _INITIATOR else None
                return no_step(
                    "expired-offer",
                    Answer(Performative.FAILURE, to, EXPIRED_OFFER, message.reply_with, about),
                )
            if act is Performative.REJECT_PROPOSAL:
                return no_step("expired-offer")
        if act is Performative.REFUSE and listed is not None:
            return no_step("late-refusal")
    return wrong("ended")


def _hear_with_cancel(
    protocol: Protocol, branch: Branch, rounds: Rounds, name: str, role: Role, message: Message, at_us: int
) -> Heard:
    """What is said while a cancel waits for its answer, or after the end when one was overtaken (fipa.md 2.7)."""
    act, refers = message.performative, message.in_reply_to
    answers = act in (Performative.INFORM, Performative.FAILURE, Performative.NOT_UNDERSTOOD)
    without = msgspec.structs.replace(branch, cancel=None)
    if not is_open(protocol, branch):
        if role is _PARTICIPANT and answers and refers in (None, branch.cancel):
            return (
                without,
                rounds,
                _verdict(protocol, branch, role, message, Legality.IGNORED, "cancel-answer"),
            )
        moved, rounds, verdict = hear(protocol, without, rounds, name, role, message, at_us)
        if moved.cancel is None and not is_open(protocol, moved):
            # the answer may still come
            moved = branch if moved is without else msgspec.structs.replace(moved, cancel=branch.cancel)
        return moved, rounds, verdict
    going_on = msgspec.structs.replace(without, deadline_us=branch.resting_us, resting_us=0)
    if role is _INITIATOR:
        if act is not Performative.NOT_UNDERSTOOD:
            return (
                branch,
                rounds,
                _violation(protocol, branch, rounds, name, role, message, at_us, "cancelling"),
            )
    else:
        # without in_reply_to, what the state expects is a result that crosses; anything else answers the cancel
        listed = protocol.moves[branch.state][1].get(act)
        expected = listed is not None or act is Performative.NOT_UNDERSTOOD
        if answers and (refers == branch.cancel or (refers is None and not expected)):
            used = remember(branch.used, branch.cancel or "")
            if act is Performative.INFORM:
                ended = msgspec.structs.replace(
                    without, state=states.CANCELLED, deadline_us=0, heard=True, used=used
                )
                return ended, rounds, _verdict(protocol, branch, role, message, Legality.LEGAL, "cancelled")
            resumed = msgspec.structs.replace(going_on, heard=True, used=used)
            return (
                resumed,
                rounds,
                _verdict(protocol, branch, role, message, Legality.LEGAL, "cancel-refused"),
            )
    moved, rounds, verdict = hear(protocol, going_on, rounds, name, role, message, at_us)
    if verdict.legality is Legality.VIOLATION:
        told = _violation(protocol, branch, rounds, name, role, message, at_us, verdict.rule)
        return branch, rounds, told
    if is_open(protocol, moved):
        still = msgspec.structs.replace(
            moved, cancel=branch.cancel, resting_us=moved.deadline_us, deadline_us=branch.deadline_us
        )
    else:
        still = msgspec.structs.replace(moved, cancel=branch.cancel)
    return still, rounds, msgspec.structs.replace(verdict, state=states.CANCELLING)


def _verdict(
    protocol: Protocol,
    branch: Branch,
    role: Role,
    message: Message,
    legality: Legality,
    rule: str,
    effects: tuple[Effect, ...] = (),
) -> Verdict:
    return Verdict(
        legality,
        rule,
        message.performative.value,
        shown(protocol, branch),
        protocol.acts(branch.state, role),
        protocol=protocol.name,
        effects=effects,
    )


def _violation(
    protocol: Protocol,
    branch: Branch,
    rounds: Rounds,
    name: str,
    role: Role,
    message: Message,
    at_us: int,
    rule: str,
) -> Verdict:
    return Verdict(
        Legality.VIOLATION,
        rule,
        message.performative.value,
        shown(protocol, branch),
        legal_here(protocol, branch, rounds, name, role, at_us),
        participant=name,
        protocol=protocol.name,
    )
