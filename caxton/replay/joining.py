"""Reports put together: parts of one replay, and a replay beside one of the running build.

In: two reports. Out: one of them. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from caxton.replay.asked import Asked
from caxton.replay.report import NOT_RUN, SAME, Report, Side, TurnReport, total


def joined(one: Report, other: Report) -> Report:
    """Two parts of one replay, the second one run after the first."""
    turns = sorted([*one.turns, *other.turns], key=lambda turn: (turn.seq, turn.agent))
    return Report(
        conversations=[*one.conversations, *other.conversations],
        agents=[*one.agents, *other.agents],
        turns=turns,
        totals=total(turns),
        elapsed_ms=other.elapsed_ms,
        timed_out=one.timed_out or other.timed_out,
    )


def beside(report: Report, running: Report) -> Report:
    """A report in which turns that the running build does in the same way are the same."""
    now = {key: turn.after for key, turn in _each(running.turns) if turn.verdict not in (SAME, NOT_RUN)}
    turns = [
        msgspec.structs.replace(turn, verdict=SAME, differences=[], illegal=[], asks=_paid(turn.asks))
        if _alike(turn.after, now.get(key))
        else turn
        for key, turn in _each(report.turns)
    ]
    return msgspec.structs.replace(
        report,
        turns=turns,
        totals=total(turns),
        elapsed_ms=running.elapsed_ms,
        timed_out=report.timed_out or running.timed_out,
    )


def _paid(asks: Sequence[Asked]) -> list[Asked]:
    return [one for one in asks if one.source == "live"]


def _each(turns: Iterable[TurnReport]) -> Iterator[tuple[tuple[int, int], TurnReport]]:
    """Turns of one agent, each by its message and how many there were on it before."""
    before = Counter[int]()
    for turn in turns:
        yield (turn.seq, before[turn.seq]), turn
        before[turn.seq] += 1


def _alike(one: Side | None, other: Side | None) -> bool:
    if one is None or other is None:
        return False
    return (one.status, one.messages) == (other.status, other.messages)
