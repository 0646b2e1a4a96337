"""A scenario under many orders: which seeds fail, and the shortest schedule that does.

In: a scenario file, how many seeds. Out: the seeds that fail; for the first of them the fewest decisions that make it
fail. Every order is legal: each agent has one turn at a time, in the order of its mailbox, and messages of one sender
to one receiver stay in their order. A schedule is the places at which it was not the first in line that had its turn at
once (`caxton.simulation.orders`).
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from caxton.errors import ResourceError
from caxton.scenario.play import play_on
from caxton.scenario.read import ScenarioFile, read_scenario
from caxton.scenario.result import Result, Verdict
from caxton.scenario.simulated import simulated_host
from caxton.scenario.suite import quiet
from caxton.simulation.orders import Decided, Decisions, Orders

TRIES: Final = 300
"""Runs in which a schedule is made shorter."""
FAILS: Final = (Verdict.FAILED, Verdict.VIOLATED, Verdict.TIMED_OUT, Verdict.LIMIT)
AT_A_TIME: Final = 10
"""Seeds that a process gets at once."""
_PLACE: Final = re.compile(r"\d{1,9}(\.\d{1,3})?|c\d{1,9}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is tried. `late`: agents that are slower than timers and deadlines, too; `faults`: messages that are lost,
    come twice or behind the next, which is outside what one machine promises."""

    seeds: int
    first: int = 0
    late: bool = False
    faults: bool = False
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Exploration:
    """What was found. `shortest` is the result of the run with `schedule`, of the first seed that failed."""

    runs: int
    failing: Sequence[int]
    schedule: Sequence[Decided] = ()
    shortest: Result | None = None


def explore(
    file: ScenarioFile, wish: Wish, tell: Callable[[int, int], None] = lambda run, failing: None
) -> Exploration:
    """Play the scenario with so many seeds, and make the first failure short.

    `tell` hears how many runs there were and how many failed. A scenario that cannot be played ends it at once.
    Raises ResourceError where another process that plays was ended.
    """
    failing: list[int] = []
    found: Result | None = None
    runs = 0
    for result in _results(file, wish):
        runs += 1
        tell(runs, len(failing))
        if result.verdict is Verdict.BROKEN:
            return Exploration(runs, [result.seed], shortest=result)
        if result.verdict in FAILS:
            failing.append(result.seed)
            found = found or result
    if found is None:
        return Exploration(runs, [])
    more, shortest = _shortest(file, found)
    return Exploration(runs + more, failing, shortest.decided, shortest)


def read_schedule(text: str) -> dict[str, int]:
    """A schedule as `written` writes it; ValueError otherwise. `-` is the one without any decision."""
    if text == "-":
        return {}
    pairs = [part.partition(":") for part in text.split(",")]
    schedule = {place: int(chosen) for place, _, chosen in pairs}
    if any(not _PLACE.fullmatch(place) or chosen < 0 for place, chosen in schedule.items()):
        raise ValueError("invalid place")
    return schedule


def written(decided: Sequence[Decided]) -> str:
    """A schedule for the command line: `3:1,17:2`."""
    return ",".join(f"{one.place}:{one.chosen}" for one in decided) or "-"


def _results(file: ScenarioFile, wish: Wish) -> Iterator[Result]:
    seeds = range(wish.first, wish.first + wish.seeds)
    if wish.jobs <= 1:
        for seed in seeds:
            yield _play(file, seed, _orders(seed, wish))
        return
    parts = [seeds[start : start + AT_A_TIME] for start in range(0, len(seeds), AT_A_TIME)]
    # what a fork would inherit of this process, threads included, is nobody's business
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(wish.jobs, len(parts)), context, initializer=quiet) as pool:
        try:
            for results in pool.map(partial(_play_some, file.path, wish), parts):
                yield from results
        except BrokenProcessPool:
            raise ResourceError(
                "a process that played scenarios was ended before it was done",
                hint="where memory is short, play fewer at a time: --jobs 1",
            ) from None


def _play_some(path: Path, wish: Wish, seeds: Sequence[int]) -> list[Result]:
    file = read_scenario(path)
    return [_play(file, seed, _orders(seed, wish)) for seed in seeds]


def _orders(seed: int, wish: Wish) -> Orders:
    return Orders(seed, late=wish.late, faults=wish.faults)


def _play(file: ScenarioFile, seed: int, orders: Orders) -> Result:
    return play_on(file, seed, lambda: simulated_host(file, seed, orders=orders))


def _shortest(file: ScenarioFile, found: Result) -> tuple[int, Result]:
    """The number of runs that it took, and the one with the fewest decisions that fails: parts of the schedule are left
    out, large ones first, as long as what remains fails."""
    best, runs = found, 0

    def fails(schedule: Decisions) -> Result | None:
        nonlocal runs
        runs += 1
        result = _play(file, found.seed, Orders(given=schedule))
        return result if result.verdict in FAILS else None

    part = len(best.decided)
    while part and runs < TRIES:
        start, left_out = 0, False
        while start < len(best.decided) and runs < TRIES:
            kept = [*best.decided[:start], *best.decided[start + part :]]
            result = fails({one.place: one.chosen for one in kept})
            if result is None or len(result.decided) >= len(best.decided):
                start += part
            else:
                best, left_out = result, True
        part = part if left_out and part == 1 else part // 2
    return runs, best
