"""One agent or one turn cannot make so much work that everybody waits: storms are bounded, and end."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest

from caxton.bus.endpoint import WINDOW
from caxton.cells import link
from caxton.sandbox.frames import RESULT, Kind
from caxton.turn_status import Status

from .harness import INFORM, Stand, stand

SELF = {"performative": "inform", "receiver": "me", "content": 1}


def storm(runtime: Stand, most: int) -> int:
    """Let an agent say two messages to itself in each turn until nothing is left; how many turns."""
    turns = 0
    while runtime.cell.frames:
        runtime.cell.end(SELF, SELF)
        turns += 1
        assert turns <= most, "the storm does not end"
    return turns


async def test_a_guest_that_feeds_itself_is_ended_and_whoever_asked_is_told(tmp_path: Path) -> None:
    async with stand(tmp_path, tree_waiting=500) as runtime:
        me = runtime.agent("me")
        seq = runtime.ask("me", conversation_id="why")
        turns = storm(runtime, 1_000)
        assert me.depth == 0
        said = await runtime.messages(seq)
        told = [one for one in said if one["receiver"] == ["operator@local"]]
        assert [(one["performative"], one["content"]["error"]) for one in told] == [
            ("failure", "tree_waiting")
        ]
        assert "bus.tree_waiting" in told[0]["content"]["reason"]
        assert "me@local" in told[0]["content"]["reason"]
        (event,) = await runtime.journal.reader.events(kind="storm")
        assert json.loads(event.body)["agent"] == "me@local"
        letters = await runtime.letters()
        assert len(letters) <= 500, "each message that waited is a dead letter, and nothing else is"
        assert len(await runtime.journal.reader.events(kind="dead_letter", limit=1000)) <= WINDOW + 1
        assert len(said) < 2 * turns
        assert runtime.pending() == []
        # the agent itself is as before
        runtime.ask("me", conversation_id="again")
        runtime.cell.end(INFORM)
        assert (await runtime.messages())[-1]["receiver"] == ["operator@local"]


async def test_a_storm_that_a_crash_interrupted_ends_after_the_start(tmp_path: Path) -> None:
    async with stand(tmp_path, tree_waiting=500) as runtime:
        runtime.agent("me")
        runtime.ask("me")
        for _ in range(300):
            runtime.cell.end(SELF, SELF)
        await runtime.commit()
    async with stand(tmp_path, tree_waiting=500) as runtime:
        me = runtime.agent("me")
        assert len(runtime.pending()) == 301
        runtime.redeliver()
        runtime.bus.settle()
        storm(runtime, 1_000)
        assert me.depth == 0
        await runtime.commit()
        assert runtime.pending() == []


async def test_who_comes_back_takes_one_message_first_and_then_as_many_as_before(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        me = runtime.agent("me", running=False)
        for _ in range(WINDOW):
            runtime.ask("me")
        me.took_up(0)
        runtime.run(me)
        runtime.bus.settle()
        assert len(runtime.cell.frames) == 1, "nobody knows yet what its turns cost"
        runtime.cell.end(INFORM)
        assert len(runtime.cell.frames) == WINDOW - 1


async def test_a_small_mailbox_does_not_keep_a_storm_alive(tmp_path: Path) -> None:
    async with stand(tmp_path, tree_waiting=300, mailbox=20) as runtime:
        runtime.agent("me")
        runtime.ask("me")
        storm(runtime, 1_000)
        assert runtime.bus.counts.by_reason["mailbox_full"] <= 300


async def test_a_long_chain_is_no_storm(tmp_path: Path) -> None:
    async with stand(tmp_path, tree_waiting=3) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        for _ in range(200):
            runtime.cell.end({"performative": "inform", "receiver": "a", "content": 1})
        assert not await runtime.letters()


async def test_a_turn_that_says_more_than_a_tree_may_have_is_refused_and_its_tree_goes_on(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path, tree_waiting=1_000) as runtime:
        runtime.agent("fan")
        runtime.agent("b")
        runtime.ask(["fan", "b"])
        nobody = [f"n{n}" for n in range(256)]
        runtime.cell.end(*({"performative": "inform", "receiver": nobody, "content": n} for n in range(64)))
        ((_, agent, code),) = await runtime.letters()
        assert (agent, code) == ("fan@local", "tree_waiting")
        said = await runtime.messages()
        assert "fan@local" in said[-1]["content"]["reason"]
        assert "16,384 messages more" in said[-1]["content"]["reason"]
        runtime.cell.end(INFORM)
        assert (await runtime.messages())[-1]["sender"] == "b@local"


async def test_what_time_causes_is_a_tree_of_its_own(tmp_path: Path) -> None:
    async with stand(tmp_path, tree_waiting=5) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        wish = {"performative": "request", "receiver": "timer", "content": {"after_ms": 1}}
        runtime.cell.end(*([wish] * 4))
        while runtime.rings.armed:
            runtime.rings.ring()
        for _ in range(4):
            # a ring is given to a cell by itself, so that it can be called off until then
            (frame,) = runtime.cell.frames
            assert frame.message["sender"] == "timer@local"
            runtime.cell.end()
        assert {one["hops"] for one in await runtime.messages() if one["sender"] == "timer@local"} == {0}
        while runtime.cell.frames:
            runtime.cell.end({"performative": "inform", "receiver": "operator"})
        assert not await runtime.letters()


async def test_an_agent_with_much_to_do_has_a_window_and_another_comes_at_once(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        busy = runtime.agent("busy")
        runtime.agent("b")
        for _ in range(500):
            runtime.ask("busy")
        assert len(busy.in_flight) == WINDOW
        runtime.ask("b")
        assert runtime.cell.frames[-1].message["receiver"] == ["b@local"]
        # the more its turns cost, the less of it stands in front of others
        runtime.cell.end(turn_us=500)
        assert busy.window == 4
        while busy.depth > 100:
            runtime.cell.end(turn_us=20)
        assert (busy.window, len(busy.in_flight)) == (WINDOW, WINDOW)


async def test_a_turn_that_keeps_the_bus_for_long_is_followed_by_a_rest(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        fan = runtime.agent("fan")
        runtime.ask("fan")
        nobody = [f"n{n}" for n in range(1_000)]
        runtime.cell.end(*({"performative": "inform", "receiver": nobody, "content": n} for n in range(4)))
        assert fan.window == 0
        runtime.ask("fan")
        while runtime.cell.frames:
            runtime.cell.end()
        assert fan.waiting, "what has come meanwhile waits until it has rested"
        ((rest_s, _),) = runtime.rings.armed.values()
        assert 0.01 < rest_s < 1
        runtime.rings.ring()
        assert runtime.cell.frames


async def test_a_rate_bounds_an_agents_turns(tmp_path: Path) -> None:
    async with stand(tmp_path, turns_per_s=4) as runtime:
        agent = runtime.agent("a")
        for _ in range(3):
            runtime.ask("a")
        assert len(agent.in_flight) == 1
        runtime.cell.end()
        assert not runtime.cell.frames
        ((rest_s, _),) = runtime.rings.armed.values()
        assert rest_s == 0.25
        runtime.rings.ring()
        assert len(runtime.cell.frames) == 1


async def test_many_results_are_taken_in_slices_and_others_come_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # each result takes a tenth of a slice
    looks = count(step=link.SLICE_S / 10)
    monkeypatch.setattr(link, "perf_counter", lambda: next(looks))
    async with stand(tmp_path) as runtime:
        agents = [runtime.agent(f"a{n}") for n in range(5)]
        for agent in agents:
            for _ in range(WINDOW):
                runtime.ask(agent.name)
        data = b"".join(
            RESULT.pack(Kind.TURN, Status.OK, 0, frame.slot, 0, frame.seq, 1, 0, 1)
            for frame in runtime.cell.frames
        )
        runtime.cell.frames.clear()
        runtime.cell.link.data_received(data)
        assert runtime.bus.counts.turns == 9
        await runtime.commit()
        assert runtime.bus.counts.turns == 5 * WINDOW
