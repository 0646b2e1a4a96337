"""One seed is one run, and every run keeps what is promised of an order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from thorough import LONG

from caxton.journal import MAX_AGENT_NO
from caxton.journal.records.record import AGENT_BITS
from caxton.testing import MemoryDisk, Pace, System, runtime
from testing.orders import EXAMPLES, ORDERS, carried_out, place

RUNS = 50 if LONG else 5
SEEDS = 200 if LONG else 8

ANOTHER_PROCESS = """
import sys
from testing.test_seeds import run
sys.stderr.write(run("auction", 5).digest())
"""


def run(name: str, seed: int, cells: int = 1) -> System:
    """A whole run; what is left to see of it is in its disk."""
    disk = MemoryDisk()
    with runtime(EXAMPLES / name, seed=seed, cells=cells, disk=disk) as system:
        place(system, name)
        system.until_quiet()
        assert carried_out(system, name)
    return system


def talk(system: System) -> list[tuple[str, str, list[str]]]:
    """Who said what to whom, in order."""
    return [(one["sender"], one["performative"], one["receiver"]) for one in system.messages()]


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("cells", [1, 2])
def test_one_seed_gives_the_same_rows_each_time(name: str, cells: int) -> None:
    first = run(name, 7, cells)
    rows = first.rows()
    assert len(rows["message"]) > 30
    assert len(rows["turn"]) > 30
    for _ in range(RUNS - 1):
        assert run(name, 7, cells).rows() == rows


@pytest.mark.system
def test_one_seed_gives_the_same_rows_in_another_process() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(Path(__file__).parents[1])}
    other = subprocess.run(
        [sys.executable, "-c", ANOTHER_PROCESS], env=environment, capture_output=True, text=True, check=True
    )
    assert other.stderr == run("auction", 5).digest()


@pytest.mark.parametrize("name", ORDERS)
def test_other_seeds_give_other_orders(name: str) -> None:
    runs = [run(name, seed) for seed in range(SEEDS)]
    assert len({one.digest() for one in runs}) == SEEDS
    # not only other ids and times: agents had their turns in another order
    assert len({repr(talk(one)) for one in runs}) > SEEDS // 2


@pytest.mark.parametrize("cells", [1, 3])
@pytest.mark.parametrize("name", ORDERS)
def test_an_agent_has_one_turn_at_a_time_in_the_order_of_its_mailbox(name: str, cells: int) -> None:
    for seed in range(SEEDS // 4):
        turns = defaultdict[int, list[tuple[int, int, int]]](list)
        for id, _, started_us, _, turn_us, *_ in run(name, seed, cells).rows()["turn"]:
            turns[id & MAX_AGENT_NO].append((id >> AGENT_BITS, started_us, turn_us))
        guests = [of for of in turns.values() if any(turn_us for _, _, turn_us in of)]
        assert len(guests) > 3
        for of in guests:
            assert of == sorted(of)
            for (_, start_us, took_us), (_, next_us, _) in pairwise(of):
                assert start_us + took_us <= next_us


def test_choices_can_be_given_again_and_changed() -> None:
    def chosen(choices: list[int]) -> System:
        disk = MemoryDisk()
        with runtime(EXAMPLES / "market", seed=1, choices=choices, disk=disk) as system:
            place(system, "market")
            system.until_quiet()
        return system

    by_chance = chosen([])
    assert max(by_chance.choices) > 0
    assert chosen(by_chance.choices).digest() == by_chance.digest()
    always_first = chosen([0] * 1000)
    assert set(always_first.choices) == {0}
    assert talk(always_first) != talk(by_chance)


def test_a_slower_machine_is_another_run() -> None:
    with runtime(EXAMPLES / "market", seed=1, pace=Pace(turn_us=(400_000, 500_000))) as system:
        place(system, "market")
        system.until_quiet(silence_s=5)
        # three sellers on one processor do not answer within the buyer's second
        assert system.messages(sender="timer@local", performative="inform")
        assert not carried_out(system, "market")
