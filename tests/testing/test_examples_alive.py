"""The examples whose agents live by themselves: ring, market-day, philosophers, word-count, election."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from caxton.testing import System, runtime
from testing.orders import EXAMPLES

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("python_runtime")]


def told(system: System, name: str, act: str = "query-ref") -> Any:
    """What an agent answers to a question without content."""
    return system.ask(to=name, performative=act)["content"]


@contextmanager
def calls_of(module: str) -> Generator[list[str]]:
    """The names of the functions of that file that are called meanwhile."""
    called: list[str] = []

    def seen(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.endswith(module):
            called.append(frame.f_code.co_name)

    sys.setprofile(seen)
    try:
        yield called
    finally:
        sys.setprofile(None)


def test_a_ring_makes_itself_and_a_token_goes_round(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "ring", tmp_path / "ring")
    toml = tmp_path / "ring" / "caxton.toml"
    text = toml.read_text("utf-8")
    assert "more = 999" in text
    assert "children = 999" in text
    toml.write_text(text.replace("more = 999", "more = 24"), "utf-8")
    with runtime(tmp_path / "ring") as system:
        with calls_of("children/lineage.py") as called:
            system.until_quiet()
        # a line of makers is walked up a few times for each new agent, and not from every agent
        assert len(called) < 12 * 25 * 25
        assert told(system, "ring") == {"agents": 25, "closed": True}
        system.crash()
        system.start()
        ran = system.ask({"laps": 3}, to="ring", reply_with="run")
        assert (ran["in_reply_to"], ran["content"]["hops"]) == ("run", 75)
        assert ran["content"]["us"] > 0
        system.run(system.runtime.agents.stop("ring"))
        system.advance(2)
        assert not [name for name in system.runtime.agents.registry.agents if name.startswith("node")]


def test_a_market_day_begins_and_ends_by_itself() -> None:
    with runtime(EXAMPLES / "market-day") as system:
        system.advance(8)
        heard = told(system, "crier")
        assert len([said for said in heard if "bought apples" in said]) == 2
        assert len([said for said in heard if "bought cheese" in said]) == 1
        assert len([said for said in heard if "is sold out and goes" in said]) == 2
        assert [said for said in heard if said.endswith("without ['cheese']")]
        assert sorted(system.runtime.agents.registry.agents) == ["bob", "crier"]
        # an accept that crosses the stall that leaves is nobody's fault
        rules = "select json_extract(body, '$.rule') from event where kind = 'violation'"
        assert system.disk.db.execute(rules).fetchall() == []


def test_philosophers_eat_and_none_holds_a_fork_for_ever() -> None:
    philosophers = ("plato", "kant", "hegel", "hume", "arendt")
    with runtime(EXAMPLES / "philosophers") as system:
        system.advance(2)
        system.crash()
        system.start()
        system.advance(2)
        meals = [told(system, one)["meals"] for one in philosophers]
        assert min(meals) >= 6
        assert not system.messages(sender="timer@local", performative="failure")


def test_words_are_counted_by_all_of_them() -> None:
    with runtime(EXAMPLES / "word-count") as system:
        counted = system.ask("the more the merrier\nthe end\nThe end.", to="master")
        assert counted["content"] == {"the": 4, "end": 2, "merrier": 1, "more": 1}
        assert list(counted["content"]) == ["the", "end", "merrier", "more"]
        for worker in ("mapper-1", "mapper-2", "mapper-3", "reducer-1", "reducer-2"):
            assert system.messages(sender=f"{worker}@local", performative="inform")


def test_the_highest_that_lives_leads() -> None:
    with runtime(EXAMPLES / "election") as system:
        system.advance(3)
        assert {told(system, f"node-{n}")["leader"] for n in range(1, 6)} == {5}
        system.run(system.runtime.agents.stop("node-5"))
        system.advance(2)
        assert {told(system, f"node-{n}")["leader"] for n in range(1, 5)} == {4}
        system.run(system.runtime.agents.start("node-5"))
        system.advance(2)
        assert {told(system, f"node-{n}")["leader"] for n in range(1, 6)} == {5}
