"""One seed gives one journal: however often it is run, wherever its guests are, and whatever breaks on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.scenario.suite import Settings, play

from .files import EXAMPLES, step, written

BUY = step(
    send='{ receiver = "buyer", performative = "request", protocol = "fipa-request", conversation_id = "order", '
    'content = { action = "buy", item = "book", rounds = 2, pause_ms = 120000 } }'
)
STEPS = (
    BUY,
    step(delay='{ filter = "act:propose from:seller-ann", by = "15ms" }'),
    step(crash_cell='"seller-bob"'),
    step(advance="1"),
    step(swap='{ agent = "seller-cleo" }'),
    step(kill_daemon="{ after = 5 }"),
    step(
        expect='{ filter = "from:buyer act:inform conv:order", agent = "buyer", memory = ">0", within = "3h" }'
    ),
)
HEAD = f'format = 1\nproject = "{EXAMPLES / "market"}"\n'


def digests(folder: Path, seeds: list[int], cells: int = 0) -> list[str]:
    file = written(folder, "".join(STEPS), HEAD)
    found = [play(file, Settings(seed=seed, cells=cells)) for seed in seeds]
    for one in found:
        assert one.passed, one.lines()
        assert one.virtual_s > 120
    return [one.digest for one in found]


@pytest.mark.parametrize("runs", [4, pytest.param(50, marks=pytest.mark.long)])
def test_a_seed_gives_one_journal(runs: int, tmp_path: Path) -> None:
    assert len(set(digests(tmp_path, [5] * runs))) == 1
    assert len(set(digests(tmp_path, [0, 1, 2]))) == 3


@pytest.mark.system
@pytest.mark.parametrize("cells", [2, *(pytest.param(many, marks=pytest.mark.long) for many in (1, 4))])
def test_in_real_cells_it_is_the_same(cells: int, tmp_path: Path) -> None:
    assert digests(tmp_path, [5], cells) == digests(tmp_path, [5])


@pytest.mark.system
def test_a_limit_of_a_real_cell_is_fuel_alone(tmp_path: Path) -> None:
    """A turn that takes long on a slow machine must not end otherwise there."""
    rogue = "format = 1\nlimits = { fuel = 3000000, wall_ms = 1 }\n"
    rogue += f'[agents.rogue]\nwasm = "{EXAMPLES}/rogue/rogue.wasm"\n'
    spin = step(send='{ receiver = "rogue", performative = "request", content = { spin = true } }')
    ended = step(expect='{ filter = "act:failure", path = { error = "fuel" } }')
    file = written(tmp_path, spin + ended, rogue)
    here, there = (play(file, Settings(cells=cells)) for cells in (0, 1))
    assert here.passed, here.lines()
    assert there.digest == here.digest
