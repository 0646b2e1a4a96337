"""What a task is to do: read from what was asked for, checked whole before anything is said.

In: a `TaskRequest` as the API takes it. Out: an `Order`, in which every name is full and every time absolute, or
InvalidTask that names the field. Which way a protocol is run is found in its table, so a project's own protocols
run too where they have the form of one of FIPA's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec

from caxton.acl.identifier import is_agent_name, qualified
from caxton.acl.message import NULL
from caxton.acl.performative import Performative
from caxton.acl.reply_by import reply_by_time
from caxton.errors import InvalidMessage, InvalidTask
from caxton.protocols import Library, Protocol, Role
from caxton.protocols.branch import time_of
from caxton.protocols.protocol import START
from caxton.tasks.selection import How, Selection, read_selection

REPLY_BY: Final = "10s"
RESULT_US: Final = 30_000_000
"""How long results may take after the last answer was due, where no deadline is given."""
LONGEST_US: Final = 30 * 86_400_000_000
ROUNDS_MAX: Final = 1000
INFORMS_MAX: Final = 10_000


class Shape(StrEnum):
    """The ways in which a protocol can be run in one call."""

    ASK = "ask"
    """Say one thing to each participant and wait until each branch has ended."""
    CALL = "call"
    """Call for proposals, choose among them, wait for the results."""
    STREAM = "stream"
    """Be told again and again, and cancel when it is enough."""
    RISING = "rising"
    """An auction whose price rises until nobody bids."""
    FALLING = "falling"
    """An auction whose price falls until somebody bids."""


class TaskRequest(msgspec.Struct, kw_only=True):
    """What was asked for. Times are durations such as `2s`, or RFC 3339; None is the usual."""

    protocol: str
    to: list[str]
    content: msgspec.Raw = NULL
    act: str | None = None
    reply_by: str | None = None
    deadline: str | None = None
    choose: str | None = None
    winners: int | None = None
    rounds: int | None = None
    informs: int | None = None
    price: int | float | None = None
    step: int | float | None = None
    limit: int | float | None = None
    language: str | None = None
    ontology: str | None = None
    sender: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task's whole order; it is journalled as it is."""

    protocol: str
    shape: Shape
    act: Performative
    initiator: str
    participants: tuple[str, ...]
    content: msgspec.Raw
    reply_by_us: int
    """Until when the first answers are in time."""
    wait_us: int
    """How long each round waits."""
    deadline_us: int
    """Until when results are waited for."""
    choice: Selection = Selection(How.ALL)
    winners: int = 1
    rounds: int = 1
    informs: int = 0
    """So many are enough of each participant; 0: all that come in time."""
    price: Any = 0
    """What an auction calls first; like `step` and `limit` a number that knows its digits."""
    step: Any = 0
    limit: Any = None
    """The price below which nothing is sold."""
    language: str | None = None
    ontology: str | None = None
    cancelled: bool = False
    """Somebody cancelled it; its deadline is when that was."""


def read_task_request(
    wish: TaskRequest, library: Library, *, platform: str, receivers: int, now_us: int
) -> Order:
    """Check a wish and complete it; `receivers` is how many participants there may be.

    Raises InvalidTask.
    """
    protocol = _protocol(wish.protocol, library)
    shape = shape_of(protocol)
    _fits(wish, protocol, shape)
    initiator = _name("sender", wish.sender or "operator", platform)
    participants = tuple(dict.fromkeys(_name("to", name, platform) for name in wish.to))
    if not participants:
        raise InvalidTask("nobody is named to take part", hint="name agents in to", field="to")
    if len(participants) > receivers:
        raise InvalidTask(
            f"{len(participants)} participants; the limit is {receivers}",
            hint="raise limits.receivers in caxton.toml",
            field="to",
        )
    if initiator in participants:
        raise InvalidTask(f"{initiator} begins the task and cannot take part in it", field="to")
    reply_by_us = _time("reply_by", wish.reply_by or REPLY_BY, now_us)
    wait_us = reply_by_us - now_us
    rounds = _count("rounds", wish.rounds, 1, ROUNDS_MAX)
    deadline_us = (
        min(reply_by_us + (rounds - 1) * wait_us + RESULT_US, now_us + LONGEST_US)
        if wish.deadline is None
        else _time("deadline", wish.deadline, now_us)
    )
    if wish.deadline is not None and wish.reply_by is None:
        reply_by_us = min(reply_by_us, deadline_us)
        wait_us = reply_by_us - now_us
    if deadline_us < reply_by_us:
        raise InvalidTask(
            "the deadline is before reply_by", hint="deadline bounds the whole task", field="deadline"
        )
    auction = shape in (Shape.RISING, Shape.FALLING)
    if auction:
        _auction(wish)
    return Order(
        protocol=protocol.name,
        shape=shape,
        act=_act(wish, protocol),
        initiator=initiator,
        participants=participants,
        content=wish.content,
        reply_by_us=reply_by_us,
        wait_us=wait_us,
        deadline_us=deadline_us,
        choice=read_selection(wish.choose) if wish.choose is not None else Selection(How.ALL),
        winners=_winners(wish, receivers),
        rounds=rounds,
        informs=_count("informs", wish.informs, 1, INFORMS_MAX) if wish.informs is not None else 0,
        price=wish.price or 0,
        step=wish.step or 0,
        limit=wish.limit,
        language=wish.language,
        ontology=wish.ontology,
    )


def shape_of(protocol: Protocol) -> Shape:
    """The way in which a protocol can be run in one call.

    Raises InvalidTask for one that cannot.
    """
    if protocol.serves_in:
        raise _not_in_one_call(protocol, "its answers come by way of others")
    later = {
        step.act
        for step in protocol.steps
        if step.by is Role.INITIATOR and step.source != START and protocol.states[step.source].end is None
    }
    if not later:
        again = any(
            step.by is Role.PARTICIPANT and step.source == step.to and step.ignored is None
            for step in protocol.steps
        )
        return Shape.STREAM if again else Shape.ASK
    starts, decides = set(protocol.starts), {Performative.ACCEPT_PROPOSAL, Performative.REJECT_PROPOSAL}
    if starts == {Performative.CFP} and decides <= later <= decides | {Performative.CFP}:
        return Shape.CALL
    rounds = decides | {Performative.CFP, Performative.INFORM}
    if starts == {Performative.INFORM} and later == rounds:
        return Shape.RISING if any("a-bid" in step.needs for step in protocol.steps) else Shape.FALLING
    raise _not_in_one_call(protocol, "its initiator has to decide what no option says")


def iterates(protocol: Protocol) -> bool:
    """Whether an initiator may ask bidders again."""
    return any(
        step.act is Performative.CFP and step.by is Role.INITIATOR and step.source != START
        for step in protocol.steps
    )


def _not_in_one_call(protocol: Protocol, why: str) -> InvalidTask:
    return InvalidTask(
        f"{protocol.name} cannot be run in one call: {why}",
        hint=f"say it step by step: caxton msg send --protocol {protocol.name}",
        field="protocol",
    )


def _protocol(name: str, library: Library) -> Protocol:
    found = library.find(name) or library.find(f"fipa-{name.replace('_', '-')}")
    if found is None:
        raise InvalidTask(
            f"there is no protocol {name[:80]!r}",
            hint=f"there are: {', '.join(sorted(library.protocols))}",
            field="protocol",
        )
    return found


_ONLY: Final[dict[str, tuple[tuple[Shape, ...], str]]] = {
    "choose": ((Shape.CALL,), "has no proposals to choose among"),
    "winners": ((Shape.CALL, Shape.FALLING), "has no winners"),
    "informs": ((Shape.STREAM,), "is no subscription"),
    "price": ((Shape.RISING, Shape.FALLING), "is no auction"),
    "step": ((Shape.RISING, Shape.FALLING), "is no auction"),
    "limit": ((Shape.RISING, Shape.FALLING), "is no auction"),
}


def _fits(wish: TaskRequest, protocol: Protocol, shape: Shape) -> None:
    """What is given must mean something in this protocol, and what is needed must be given."""
    for field, (shapes, why) in _ONLY.items():
        if getattr(wish, field) is not None and shape not in shapes:
            raise InvalidTask(f"{protocol.name} {why}", hint=f"leave {field} out", field=field)
    if wish.rounds is not None and not (shape is Shape.CALL and iterates(protocol)):
        raise InvalidTask(
            f"{protocol.name} has no stated number of rounds",
            hint="leave rounds out; rounds are for iterated-contract-net",
            field="rounds",
        )
    if shape is Shape.CALL and wish.choose is None:
        raise InvalidTask(
            f"{protocol.name} needs a way to choose among proposals",
            hint="choose: lowest:PATH, highest:PATH, first, all or none",
            field="choose",
        )
    if shape is Shape.CALL and wish.choose == How.FIRST.value and (wish.rounds or 1) > 1:
        raise InvalidTask(
            "who takes the first proposal has no second round",
            hint="choose lowest:PATH, or leave rounds out",
            field="choose",
        )


def _auction(wish: TaskRequest) -> None:
    for field in ("price", "step"):
        value = getattr(wish, field)
        if value is None or not 0 < value < 1e15:
            raise InvalidTask(
                f"an auction needs its {field}, a number above 0",
                hint="price is what is called first, step what each round adds or takes off",
                field=field,
            )
    if wish.limit is not None and not 0 <= wish.limit < 1e15:
        raise InvalidTask("limit is the lowest price at which is sold, 0 or more", field="limit")
    if not isinstance(msgspec.json.decode(wish.content), dict):
        raise InvalidTask(
            "what is auctioned is a JSON object, to which the price is added",
            hint='content {"item": "book"}',
            field="content",
        )


def _act(wish: TaskRequest, protocol: Protocol) -> Performative:
    starts = sorted(protocol.starts)
    if wish.act is None and len(starts) == 1:
        return Performative(starts[0])
    if wish.act not in starts:
        said = "needs its first act" if wish.act is None else f"does not begin with {wish.act[:40]!r}"
        raise InvalidTask(f"{protocol.name} {said}", hint=f"act: {' or '.join(starts)}", field="act")
    return Performative(wish.act)


def _winners(wish: TaskRequest, most: int) -> int:
    everybody = wish.choose == How.ALL.value and wish.winners is None
    return most if everybody else _count("winners", wish.winners, 1, most)


def _count(field: str, value: int | None, low: int, high: int) -> int:
    if value is None:
        return low
    if not low <= value <= high:
        raise InvalidTask(f"{field} is a number from {low} to {high:,}", field=field)
    return value


def _name(field: str, name: str, platform: str) -> str:
    if not is_agent_name(name):
        raise InvalidTask(
            f"{name[:80]!r} is not an agent name", hint="`local` or `local@platform`", field=field
        )
    return qualified(name, platform)


def _time(field: str, text: str, now_us: int) -> int:
    """A duration from now, or a time, in microseconds since 1970."""
    try:
        at_us = time_of(reply_by_time(text, now_us))
    except InvalidMessage:
        raise InvalidTask(
            f"{field} {text[:80]!r} is not a time",
            hint="a duration such as 2s, or an RFC 3339 time with an offset",
            field=field,
        ) from None
    if not now_us < at_us <= now_us + LONGEST_US:
        raise InvalidTask(f"{field} must lie within the next 30 days", field=field)
    return at_us
