"""How many whole runs of an example one process makes in a minute: `just runs-a-minute [market|auction] [RUNS]`."""

from __future__ import annotations

import sys
import time

import structlog

from caxton.testing import runtime
from testing.orders import EXAMPLES, carried_out, place


def run(name: str, seed: int) -> str:
    """A system from its first start to its end, with one order in between."""
    with runtime(EXAMPLES / name, seed=seed) as system:
        place(system, name)
        system.until_quiet()
        assert carried_out(system, name)
        return system.digest()


def main(name: str = "market", runs: str = "300") -> None:
    """Measure, and say it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    run(name, 0)  # compiles
    began, worked = time.perf_counter(), time.process_time()
    digests = {run(name, seed) for seed in range(1, int(runs) + 1)}
    spent_s, worked_s = time.perf_counter() - began, time.process_time() - worked
    sys.stdout.write(
        f"{name}: {60 * int(runs) / spent_s:,.0f} runs a minute, {60 * int(runs) / worked_s:,.0f} a minute of "
        f"processor time; {len(digests)} of {runs} differ\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
