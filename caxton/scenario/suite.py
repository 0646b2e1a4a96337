"""Several scenarios, played one after the other or side by side in processes of their own.

In: files, and how they are to be played. Out: a `Result` for each, in the order of the files.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from caxton.errors import ResourceError
from caxton.finding import Filter, WithoutContent
from caxton.scenario.attached import attached_host
from caxton.scenario.baseline import Baseline, measured
from caxton.scenario.coverage import Exercised, exercised
from caxton.scenario.format import Step
from caxton.scenario.host import Host
from caxton.scenario.play import MakeStage, play_on
from caxton.scenario.read import ScenarioFile, read_scenario
from caxton.scenario.result import Result
from caxton.scenario.simulated import simulated_host
from caxton.scenario.stage import Stage
from caxton.simulation.orders import Decisions, Orders
from caxton.telemetry.logs import configure

KEPT: Final = "journal.db"


@dataclass(frozen=True, slots=True)
class Settings:
    """How scenarios are played. `seed`: in place of the files' own; `cells`: in so many cell processes, 0: in
    this one; `keep`: where journals are left, None for nowhere;
    `attach`: the socket of a daemon to play them on; `decisions`: the order, where it is not the seed's; `measure`:
    look what the agents have used; `coverage`: what was exercised."""

    seed: int | None = None
    cells: int = 0
    keep: Path | None = None
    attach: Path | None = None
    decisions: Decisions | None = None
    measure: bool = False
    coverage: bool = False


class _Named(WithoutContent):
    """A scenario as a filter looks at it: words anywhere in its path and name."""

    def __init__(self, file: ScenarioFile) -> None:
        self.everything = f"{file.path}\n{file.name}".casefold()

    def texts(self, field: str) -> Sequence[str]:
        return ()

    def figures(self, field: str) -> Sequence[float]:
        return ()


def chosen(paths: Sequence[Path], words: str = "") -> list[ScenarioFile]:
    """Read the files, and keep those whose path and name a filter means; raises ConfigurationError, InvalidFilter."""
    wanted = Filter(words)
    return [file for file in map(read_scenario, paths) if wanted.passes(_Named(file))]


def run(
    files: Sequence[ScenarioFile],
    settings: Settings,
    *,
    jobs: int = 1,
    tell: Callable[[ScenarioFile, int, Step], None] = lambda file, number, step: None,
) -> Iterator[Result]:
    """Play each; `tell` hears of each step where they are played in this process.

    Raises ResourceError where another process that plays them was ended.
    """
    if jobs <= 1 or len(files) <= 1:
        for file in files:
            yield play(file, settings, partial(tell, file))
        return
    # what a fork would inherit of this process, threads included, is nobody's business
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(files)), context, initializer=quiet) as pool:
        try:
            yield from pool.map(_play_file, [file.path for file in files], [settings] * len(files))
        except BrokenProcessPool:
            raise ResourceError(
                "a process that played scenarios was ended before it was done",
                hint="where memory is short, play fewer at a time: --jobs 1",
            ) from None


def play(
    file: ScenarioFile,
    settings: Settings,
    tell: Callable[[int, Step], None] = lambda number, step: None,
    stage: MakeStage = Stage,
) -> Result:
    """Play one scenario; `stage` is what does its steps."""
    seed = file.scenario.seed if settings.seed is None else settings.seed

    used: list[Baseline] = []
    taken: list[Exercised] = []

    @contextmanager
    def host() -> Generator[Host]:
        with _opened(file, seed, settings) as host:
            yield host
            if settings.measure:
                used.append(measured(host))
            if settings.coverage:
                taken.append(exercised(host, file.project()))

    result = play_on(file, seed, host, tell, stage)
    return replace(result, used=next(iter(used), None), exercised=next(iter(taken), None))


def _opened(file: ScenarioFile, seed: int, settings: Settings) -> AbstractContextManager[Host]:
    if settings.attach is not None:
        return attached_host(file, settings.attach)
    return _simulated(file, seed, settings)


@contextmanager
def _simulated(file: ScenarioFile, seed: int, settings: Settings) -> Generator[Host]:
    orders = None if settings.decisions is None else Orders(given=settings.decisions)
    with simulated_host(file, seed, cells=settings.cells, orders=orders) as host:
        yield host
        keep = settings.keep
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{file.path.stem}-{seed}-{KEPT}").write_bytes(host.system.disk.image())


def _play_file(path: Path, settings: Settings) -> Result:
    return play(read_scenario(path), settings)


def quiet() -> None:
    """What the services log is nobody's business, but errors are."""
    configure("text", "error", sys.stderr)
