"""Turns have numbers of their agent's own; what an agent draws follows from them, and comes back with its memory."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from caxton.limits import Limits
from caxton.replay.replayer import ReplayRequest
from caxton.sandbox.python.runtime import packed
from caxton.testing import Agent, System, runtime
from testing.orders import EXAMPLES

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("python_runtime")]

DICE = b"""
import random, secrets, uuid
from caxton_agent import Timeout, ask, put_back, reply, sleep, state
async def handle(message):
    content = message["content"]
    drawn = state.setdefault("drawn", [])
    if content == "tell":
        reply("inform", drawn)
        return
    drawn.append(secrets.token_hex(4) + str(random.random()) + uuid.uuid4().hex)
    if content == "wait":
        await sleep(30)
        state["drawn"].append("waited " + secrets.token_hex(4))
    if content == "trap":
        while True:
            pass
    if content == "later" and not state.get("later"):
        state["later"] = True
        put_back()
"""
BUILD = packed(EXAMPLES / "dice.py", DICE)
BUILD_2 = packed(EXAMPLES / "dice.py", DICE + b"\n# 2\n")
SEED = {"seed": 7}
QUICK = Limits(fuel=5_000_000)


def throw(system: System, *contents: str, to: str = "dice") -> None:
    for content in contents:
        system.submit(content, to=to, performative="inform")
    system.until_quiet()


def told(system: System, to: str = "dice") -> list[str]:
    answer: list[str] = system.ask("tell", to=to)["content"]
    return answer


def numbers(system: System, agent: str = "dice@local") -> list[int]:
    system.run(system.runtime.journal.written())
    sql = """select number from (
        select t.number, coalesce(p.place, t.id >> 20) place from turn t join agent a on a.no = t.id & 1048575
          left join turn_place p on p.seq = t.id >> 20 and p.agent_no = a.no where a.name = ?1
        union all select b.number, b.place from put_back b join agent a on a.no = b.agent_no where a.name = ?1)
      order by place"""
    return [one for (one,) in system.disk.db.execute(sql, (agent,))]


def test_what_is_drawn_follows_from_seed_agent_and_number_alone() -> None:
    seen: list[list[str]] = []
    for others, seed in ((0, 7), (5, 7), (0, 8)):
        agents = {"other": Agent(BUILD), "dice": Agent(BUILD, limits=QUICK)}
        with runtime(agents, seed=others, config={"seed": seed}) as system:
            throw(system, *["x"] * others, to="other")
            throw(system, "a", "later", "b")
            seen.append(told(system))
            assert numbers(system) == [1, 2, 3, 4, 5]
            assert not set(told(system, "other")) & set(seen[-1]), "each agent draws for itself"
    assert seen[0] == seen[1] != seen[2]
    assert len(set(seen[0])) == 4, "a message that comes again draws anew"


@pytest.mark.parametrize("how", ["crash", "swap", "canary"])
def test_it_comes_back_as_it_was_drawn(how: str) -> None:
    config: dict[str, Any] = {**SEED, "journal": {"snapshot_every": 3}}
    with runtime({"dice": Agent(BUILD, limits=QUICK)}, config=config) as system:
        throw(system, "a", "wait", "later", "trap", "b")
        before = told(system)
        if how in ("swap", "blue-green", "canary"):
            system.deploy("dice", BUILD_2, strategy="direct" if how == "swap" else how)
            throw(system, "c", "d")
            before = told(system)
            system.crash()
            system.start()
        else:
            system.crash()
            system.start()
        system.until_quiet()
        assert told(system)[: len(before)] == before
        throw(system, "e")
        system.until_quiet(31)
        found = numbers(system)
        assert found == list(range(1, len(found) + 1)), "no number is left out, or given twice"
        report = system.run(system.runtime.replayer.replay(ReplayRequest(last=60)))
        assert {turn.verdict for turn in report.turns if turn.before.status != "limit"} == {"same"}


def test_turns_of_earlier_versions_draw_as_they_did() -> None:
    with runtime({"dice": Agent(BUILD, limits=QUICK)}, config=SEED) as system:
        throw(system, "a", "b")
        system.stop()
        _as_before(system.disk.db)
        system.start()
        system.until_quiet()
        old = told(system)
        throw(system, "c")
        system.crash()
        system.start()
        assert told(system)[:2] == old[:2], "they have no number: what they draw follows from their messages"
        assert numbers(system)[:2] == [0, 0]
        after = numbers(system)[2:]
        assert after == sorted(set(after))
        assert after[0] > 0


def _as_before(db: sqlite3.Connection) -> None:
    """What a journal is that has no numbers."""
    db.execute("update turn set number = 0")
    db.execute("update snapshot set number = null")
    db.execute("delete from meta where key = 'seeds'")
