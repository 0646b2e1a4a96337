"""A scenario under many orders: which seeds fail, and the shortest schedule that does.

In: a scenario file, how many seeds. Out: the seeds that fail; for the first of them the fewest choices that make it
fail. Every order is legal: each agent has one turn at a time, in the order of its mailbox, and messages of one sender
to one receiver stay in their order. A schedule is the places at which another agent than the first that could had the
next turn; everywhere else it was the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from caxton.scenario.host import Choice
from caxton.scenario.read import ScenarioFile
from caxton.scenario.result import Result, Verdict
from caxton.scenario.suite import Settings, play

LONGEST: Final = 20_000
"""Choices of a run that a schedule is for; what comes after is the seed's."""
TRIES: Final = 300
"""Runs in which a schedule is made shorter."""
FAILS: Final = (Verdict.FAILED, Verdict.VIOLATED, Verdict.TIMED_OUT, Verdict.LIMIT)

Schedule = Mapping[int, int]
"""By place who had the turn; everywhere else 0."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """What was found. `shortest` is the result of the run with `schedule`, of the first seed that failed."""

    runs: int
    failing: Sequence[int]
    schedule: Sequence[Choice] = ()
    shortest: Result | None = None


def explore(
    file: ScenarioFile,
    seeds: int,
    first: int = 0,
    tell: Callable[[int, int], None] = lambda run, failing: None,
) -> Exploration:
    """Play the scenario with so many seeds from `first` on, and make the first failure short.

    `tell` hears how many runs there were and how many failed. A scenario that cannot be played ends it at once.
    """
    failing: list[int] = []
    found: Result | None = None
    for number in range(seeds):
        tell(number, len(failing))
        result = play(file, Settings(seed=first + number))
        if result.verdict is Verdict.BROKEN:
            return Exploration(number + 1, [result.seed], shortest=result)
        if result.verdict in FAILS:
            failing.append(result.seed)
            found = found or result
    if found is None:
        return Exploration(seeds, [])
    runs, shortest = _shortest(file, found)
    chosen = [choice for choice in shortest.choices if choice.chosen]
    return Exploration(seeds + runs, failing, chosen, shortest)


def given(schedule: Schedule) -> list[int]:
    """A schedule as the choices of a run."""
    return [schedule.get(place, 0) for place in range(LONGEST)]


def read_schedule(text: str) -> dict[int, int]:
    """A schedule as `written` writes it; ValueError otherwise. `-` is the one without any choice."""
    if text == "-":
        return {}
    pairs = [part.partition(":") for part in text.split(",")]
    schedule = {int(place): int(chosen) for place, _, chosen in pairs}
    if any(not 0 <= place < LONGEST or chosen < 0 for place, chosen in schedule.items()):
        raise ValueError(f"places are from 0 to {LONGEST - 1:,}")
    return schedule


def written(choices: Sequence[Choice]) -> str:
    """A schedule for the command line: `3:1,17:2`."""
    return ",".join(f"{one.place}:{one.chosen}" for one in choices) or "-"


def _shortest(file: ScenarioFile, found: Result) -> tuple[int, Result]:
    """The number of runs that it took, and the one with the fewest choices that fails: parts of the schedule are left
    out, large ones first, as long as what remains fails."""
    best, schedule, runs = found, {one.place: one.chosen for one in found.choices if one.chosen}, 0

    def fails(one: Schedule) -> Result | None:
        nonlocal runs
        runs += 1
        result = play(file, Settings(seed=found.seed, choices=given(one)))
        return result if result.verdict in FAILS else None

    part = max(len(schedule), 1)
    while part and runs < TRIES:
        places = sorted(schedule)
        left_out = False
        for start in range(0, max(len(places), 1), part):
            gone = set(places[start : start + part])
            shorter = {place: chosen for place, chosen in schedule.items() if place not in gone}
            if runs < TRIES and (result := fails(shorter)) is not None:
                best, schedule, left_out = result, shorter, True
        part = part if left_out and part == 1 and schedule else part // 2
    return runs, replace(best, seed=found.seed)
