"""A task that the daemon's end interrupts goes on where its conversation ends."""

from __future__ import annotations

from pathlib import Path

import msgspec
from agents.systems import commit, power_cut

from caxton.clock import VirtualClock
from caxton.tasks.view import Ending

from .market import act, ended, run, said, says, shop, so_far, states, wish

MUTE = says({})
SLOW = says({act("cfp"): said("propose", {"price": 1})})


async def test_a_task_between_call_and_decision_decides_after_the_restart(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"mute": MUTE}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("mute,ann,bob", reply_by="5s", deadline="1m"))
        await so_far(runtime, id, received={"propose": 2})
        runtime.tasks.live(id)
    async with shop(tmp_path, clock=clock) as runtime:
        live = runtime.tasks.live(id)
        assert live is not None
        assert live.summary.ending is None
        clock.advance(5.001)
        view = await ended(runtime, id)
        assert states(view) == {"mute": "no-response", "ann": "done", "bob": "rejected"}
        assert view.sent == {"cfp": 1, "accept-proposal": 1, "reject-proposal": 1}
        assert view.summary.ending is Ending.ACHIEVED


async def test_what_was_decided_before_a_power_cut_is_not_decided_again(tmp_path: Path) -> None:
    clock = VirtualClock()
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    async with shop(tmp_path / "before", {"slow": SLOW}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("slow,ann", reply_by="5s", deadline="1m"))
        await so_far(runtime, id, sent={"accept-proposal": 1, "reject-proposal": 1})
        await power_cut(runtime, tmp_path / "after")
    async with shop(tmp_path / "after", clock=clock) as runtime:
        clock.advance(61)
        view = await ended(runtime, id)
        assert states(view) == {"slow": "timed-out", "ann": "rejected"}
        assert view.sent == {"cfp": 1, "accept-proposal": 1, "reject-proposal": 1}
        assert (view.summary.outcome, view.summary.ending) == ("awarded", Ending.TIMED_OUT)


async def test_a_deadline_that_passed_while_nobody_was_there_has_passed(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"mute": MUTE}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("mute", reply_by="5s"))
        assert runtime.tasks.under_way == 1
    clock.advance(3600)
    async with shop(tmp_path, clock=clock) as runtime:
        view = await ended(runtime, id)
        assert (states(view), view.summary.ending) == ({"mute": "no-response"}, Ending.TIMED_OUT)


async def test_an_ended_task_is_shown_after_a_restart_as_it_was(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, clock=clock) as runtime:
        before = await run(runtime, wish("ann,bob,nobody"))
        await commit(runtime)
    clock.advance(10_000)
    async with shop(tmp_path, clock=clock) as runtime:
        after = await runtime.tasks.view(before.summary.id)
        assert msgspec.json.encode(after) == msgspec.json.encode(before)
        (summary,), following = await runtime.tasks.summaries(before=None, limit=10)
        assert (summary, following) == (before.summary, None)
