"""Whether what a step expects is so.

In: an expectation, the host with all that was said, what an earlier run has used. Out: the first `Difference`, with the
message at which it shows; None where all is as expected. Nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET

from caxton.finding import Filter, MessageSubject
from caxton.presentation.text import plural, size, span
from caxton.scenario.baseline import NOTHING, Baseline
from caxton.scenario.bounds import Bounds
from caxton.scenario.contents import Unlike, at_path, by_pattern, exactly, like
from caxton.scenario.format import Expect
from caxton.scenario.host import Host
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import micros


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as expected. `seq` is the message where it shows; None where something is missing."""

    what: str
    expected: str
    got: str
    seq: int | None = None
    conversation: str | None = None
    """Where to look at it."""


def chosen(text: str, host: Host, messages: Sequence[MessageBody]) -> list[MessageBody]:
    """The messages that a filter means."""
    if not text:
        return list(messages)
    wanted = Filter(text, datetime.fromtimestamp(host.now_s(), UTC))
    return [one for one in messages if wanted.passes(MessageSubject(one.message, host.platform, one))]


def difference(expect: Expect, host: Host, baseline: Baseline = NOTHING) -> Difference | None:
    """The first thing that is not so; `baseline` is what an earlier run has used."""
    messages = host.messages()
    found = chosen(expect.filter, host, messages)
    return next(_differences(expect, host, baseline, messages, found), None)


def _differences(
    expect: Expect,
    host: Host,
    baseline: Baseline,
    messages: Sequence[MessageBody],
    found: Sequence[MessageBody],
) -> Iterator[Difference]:
    yield from _count(expect, found)
    if expect.fuel is not None and not any(one.turns for one in found):
        yield Difference("fuel", str(expect.fuel), "there was no turn on them")
    for number, one in enumerate(found):
        yield from _content(expect, one, number)
        if expect.fuel is not None:
            yield from _fuel(expect.fuel, one, host.platform, baseline)
        if expect.latency is not None:
            yield from _latency(expect.latency, one, messages, host.waited_s())
    yield from _order(expect, host, messages)
    if expect.violations is not None:
        broken = [one for one in found if one.verdict and one.verdict.legality == "violation"]
        yield from _held(expect.violations, "violations", broken)
    if expect.dead_letters is not None:
        dead = [one for one in found if one.dead_letters is not UNSET for _ in one.dead_letters]
        yield from _held(expect.dead_letters, "dead letters", dead)
    yield from _conversation(expect, host)
    if expect.memory is not None and expect.agent is not None:
        has, base = host.memory_bytes(expect.agent), baseline.memory(expect.agent)
        got = "it cannot be seen" if has is None else _unlike(expect.memory, has, base, size)
        if got:
            yield Difference(f"memory of {expect.agent}", str(expect.memory), got)


def _count(expect: Expect, found: Sequence[MessageBody]) -> Iterator[Difference]:
    if expect.contents is not None:
        expect = expect.model_copy(
            update={"count": Bounds("=", len(expect.contents), str(len(expect.contents)))}
        )
    of_messages = {"filter", "content", "path", "pattern", "fuel", "latency"} & expect.model_fields_set
    counted = expect.violations is not None or expect.dead_letters is not None
    bounds = expect.count or (Bounds(">=", 1, "at least 1") if of_messages and not counted else None)
    if bounds is None or bounds.holds(len(found)):
        return
    last = found[-1] if found and len(found) > bounds.figure else None
    yield Difference(
        f"messages {expect.filter}".strip(),
        str(bounds),
        plural(len(found), "message") if found else "none",
        last.seq if last else None,
        last.message.conversation_id if last else None,
    )


def _content(expect: Expect, one: MessageBody, number: int) -> Iterator[Difference]:
    said: Any = one.message.content
    unlike: list[tuple[str, Unlike | None]] = []
    if "content" in expect.model_fields_set:
        unlike.append(("content", exactly(expect.content, said)))
    if expect.contents is not None:
        unlike.append(("content", like(expect.contents[number], said)))
    unlike += [("content", at_path(path, expected, said)) for path, expected in expect.path.items()]
    if expect.pattern is not None:
        unlike.append(("content", by_pattern(expect.pattern, said)))
    for what, where in unlike:
        if where is not None:
            place = f"{what}, {where.where}" if where.where else what
            yield _at(one, place, where.expected, where.got)


def _fuel(bounds: Bounds, one: MessageBody, platform: str, baseline: Baseline) -> Iterator[Difference]:
    for turn in one.turns or ():
        act = one.message.performative
        if bounds.relative and turn.revision is None:
            continue  # the platform's own have no fuel
        base = baseline.fuel(turn.agent.removesuffix(f"@{platform}"), act)
        unlike = _unlike(bounds, turn.fuel, base, _figure)
        if unlike:
            yield _at(one, f"fuel of {turn.agent}'s turn on {act}", str(bounds), unlike)


def _latency(
    bounds: Bounds, one: MessageBody, messages: Sequence[MessageBody], waited_s: float
) -> Iterator[Difference]:
    took_s = latency_s(one, messages)
    # how slow an agent was made to be is no fault of it
    if not (bounds.holds(took_s) or bounds.holds(max(took_s - waited_s, 0.0))):
        yield _at(one, "latency", str(bounds), span(took_s))


def _unlike(bounds: Bounds, has: int, baseline: int | None, write: Callable[[int], str]) -> str | None:
    """What is said of a figure that is not within; None where it is."""
    if not bounds.relative:
        return None if bounds.holds(has) else write(has)
    if baseline is None:
        return f"{write(has)}, and the baseline has none; caxton run FILE --update writes it"
    if bounds.holds(has, baseline):
        return None
    return (
        f"{write(has)}, {has / baseline:.3g} times the baseline's {write(baseline)}"
        if baseline
        else write(has)
    )


def _figure(figure: int) -> str:
    return f"{figure:,}"


def latency_s(one: MessageBody, messages: Sequence[MessageBody]) -> float:
    """Virtual time since the message from outside that led to this one."""
    by_seq = {body.seq: body for body in messages}
    first = one
    while first.cause is not None and first.cause in by_seq:
        first = by_seq[first.cause]
    return (micros(one.at) - micros(first.at)) / 1e6


def _order(expect: Expect, host: Host, messages: Sequence[MessageBody]) -> Iterator[Difference]:
    place = 0
    for number, text in enumerate(expect.order, 1):
        found = chosen(text, host, messages[place:])
        if not found:
            earlier = chosen(text, host, messages[:place])
            got = "it came before" if earlier else "none"
            seq = earlier[-1].seq if earlier else None
            after = f" after {expect.order[number - 2]}" if number > 1 else ""
            id = earlier[-1].message.conversation_id if earlier else None
            yield Difference(f"order, number {number}", f"{text}{after}", got, seq, id)
            return
        place = messages.index(found[0]) + 1


def _held(bounds: Bounds, what: str, found: Sequence[MessageBody]) -> Iterator[Difference]:
    if not bounds.holds(len(found)):
        last = found[-1] if found else None
        yield Difference(
            what,
            str(bounds),
            str(len(found)),
            last.seq if last else None,
            last.message.conversation_id if last else None,
        )


def _conversation(expect: Expect, host: Host) -> Iterator[Difference]:
    if expect.conversation is None:
        return
    there = host.conversation(expect.conversation)
    for what, wanted in (("state", expect.state), ("outcome", expect.outcome)):
        if wanted is None:
            continue
        has: str | None = getattr(there, what) if there is not None else None
        if has is None or has.casefold() != wanted.casefold():
            got = has or ("there is no such conversation" if there is None else "it is not judged")
            last = there.items[-1].seq if there is not None and there.items else None
            yield Difference(f"{what} of {expect.conversation}", wanted, got, last, expect.conversation)


def _at(one: MessageBody, what: str, expected: str, got: str) -> Difference:
    return Difference(what, expected, got, one.seq, one.message.conversation_id)
