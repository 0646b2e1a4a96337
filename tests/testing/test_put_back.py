"""A message that an agent puts back comes again after its next turn, and everything goes by the order of turns."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from caxton.errors import CaxtonError
from caxton.limits import Limits
from caxton.replay.replayer import ReplayRequest
from caxton.sandbox.python.runtime import packed
from caxton.testing import Agent, Crashed, System, runtime
from caxton.turn_status import STATUS_NAMES
from testing.orders import EXAMPLES

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("python_runtime")]

PICKY = b"""
import secrets
from caxton_agent import log, put_back, reply, send, state
def handle(message):
    content = message["content"]
    turns = state.setdefault("turns", [])
    if content == "tell":
        reply("inform", list(turns))
        return
    name, _, after = content.partition(" after ")
    if name == "both":
        send("inform", "operator", 1)
    turns.append(name + secrets.token_hex(2) if name == "dice" else name)
    if after == "ever" or after and after not in state.setdefault("done", []):
        log("not now: " + name)
        put_back()
        turns[-1] += "?"
    else:
        state.setdefault("done", []).append(name)
"""
BUILD = packed(EXAMPLES / "picky.py", PICKY)
BUILD_2 = packed(EXAMPLES / "picky.py", PICKY + b"\n# 2\n")


def picky(**limits: int) -> Agent:
    return Agent(BUILD, limits=Limits(**limits))


def write(system: System, *contents: str, **parameters: Any) -> None:
    for content in contents:
        system.submit(content, to="picky", performative="inform", **parameters)


def told(system: System) -> list[Any]:
    answer: list[Any] = system.ask("tell", to="picky")["content"]
    return answer


def in_place(system: System) -> list[str]:
    """What its turns were about, in the order of their places: those that put back with a question mark."""
    system.run(system.runtime.journal.written())
    rows = system.disk.db.execute(
        """select said from (
             select coalesce(p.place, t.id >> 20) place, cast(m.body as text)->>'content' said
             from turn t join message m on m.seq = t.id >> 20 join agent a on a.no = t.id & 1048575
             left join turn_place p on p.seq = m.seq and p.agent_no = a.no where a.name = 'picky@local'
             union all select b.place, cast(m.body as text)->>'content' || '?'
             from put_back b join message m on m.seq = b.seq) order by place"""
    ).fetchall()
    return [said.partition(" ")[0] + "?" * said.endswith("?") for (said,) in rows if said != "tell"]


def test_it_comes_again_right_after_the_next_turn_until_it_is_taken() -> None:
    with runtime({"picky": picky()}) as system:
        write(system, "c after b", "d", "b after a", "e", "a", "f", conversation_id="talk")
        system.until_quiet()
        assert told(system) == ["c?", "d", "c?", "b?", "e", "c?", "b?", "a", "c?", "b", "c", "f"]
        counts = system.runtime.bus.counts
        assert (counts.put_backs, counts.messages, counts.dead_letters) == (6, 8, 0)
        assert system.runtime.bus.low_water() == system.runtime.bus.last_seq
        turns = system.run(system.runtime.journal.reader.turns(conversation="talk", newest_first=True))
        assert [STATUS_NAMES[turn.status] for turn in turns[-5:]] == ["ok"] + ["put_back"] * 4


def test_what_is_put_back_too_often_or_beside_a_message_is_a_dead_letter() -> None:
    with runtime({"picky": picky(put_backs=2)}) as system:
        write(system, "both after ever", "never after ever", "1", "2", "3", "both")
        system.until_quiet()
        assert told(system) == ["never?", "1", "never?", "2", "never?", "3", "both"]
        letters = system.run(system.runtime.journal.reader.dead_letters())
        assert [(one.code, one.reason) for one in letters] == [
            ("put_back", "the message was put back 2 times already (limits.put_backs of picky@local)"),
            ("guest_error", letters[1].reason),
        ]
        assert "a turn that puts its message back sends nothing" in letters[1].reason


def test_it_waits_in_its_place_over_a_crash_and_is_told_apart_from_what_waits() -> None:
    with runtime({"picky": picky()}) as system:
        write(system, "c after b", "d after b")
        system.until_quiet()
        system.run(system.runtime.journal.written())
        system.crash()
        system.start()
        system.until_quiet()
        endpoint = system.runtime.bus.endpoints["picky@local"]
        assert [bytes(one.message.content) for one in endpoint.aside] == [b'"c after b"', b'"d after b"']
        assert told(system) == ["c?", "d?"], "neither was given to it again: nothing else had happened"
        system.until_quiet()
        write(system, "b")
        system.until_quiet()
        assert told(system) == ["c?", "d?", "c?", "d?", "b", "c", "d"]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_the_memory_is_that_of_the_turns_in_their_order(seed: int) -> None:
    """Drawn: messages that are put back, crashes at any step, cells that die, builds that are swapped."""
    pick = random.Random(seed)
    with runtime({"picky": picky()}, seed=seed, config={"journal": {"snapshot_every": 3}}) as system:
        for step in range(5):
            lines = [
                f"c{step} after b{step}",
                "x",
                f"b{step} after a{step}",
                f"a{step}",
                f"n{step} after ever",
            ]
            system.crash_after(pick.choice([None, pick.randrange(5, 60)]))
            try:
                write(system, *pick.sample(lines, pick.randrange(1, 6)))
                write(system, "u", x_priority="urgent")
                ends: list[Callable[[], object]] = [
                    system.until_quiet,
                    system.kill_cell,
                    partial(swap, system, pick),
                ]
                pick.choice(ends)()
                system.until_quiet()
            except (Crashed, CaxtonError):
                pass
            system.crash_after(None)
            if not system.alive:
                system.start()
            system.until_quiet()
            in_order = in_place(system)
            assert told(system) == in_order
        assert system.rows()["put_back"]
        system.crash()
        system.start()
        system.until_quiet()
        in_order = in_place(system)
        assert told(system) == in_order


def swap(system: System, pick: random.Random) -> None:
    system.deploy("picky", pick.choice([BUILD, BUILD_2]), strategy=pick.choice(["direct", "blue-green"]))


@pytest.mark.parametrize("strategy", ["canary", "shadow", "blue-green", "direct"])
def test_two_revisions_have_the_same_memory_and_a_replay_is_the_same(strategy: str) -> None:
    with runtime({"picky": picky()}, config={"journal": {"snapshot_every": 4}}) as system:
        write(system, "c after b", "x", "dice", "e after ever")
        view = system.deploy("picky", BUILD_2, strategy=strategy)
        assert view.state == "rolled_back" if strategy == "shadow" else view.state in ("running", "draining")
        write(system, "b after a", "x", "dice", "a", "y")
        system.until_quiet()
        seen = told(system)
        assert [one[:4] if one.startswith("dice") else one for one in seen] == in_place(system)[: len(seen)]
        system.until_quiet()
        report = system.run(system.runtime.replayer.replay(ReplayRequest(last=60)))
        assert {turn.verdict for turn in report.turns} == {"same"}
        assert sum(turn.before.status == "put_back" for turn in report.turns) > 5
        before = told(system)
        system.crash()
        system.start()
        system.until_quiet()
        assert told(system)[: len(before)] == before
