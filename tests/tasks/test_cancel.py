"""Somebody cancels a task: it ends as at its deadline, and says that it was cancelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.clock import VirtualClock
from caxton.errors import InvalidState, TaskNotFound
from caxton.tasks.view import Ending

from .market import act, ended, run, said, says, shop, so_far, states, wish

MUTE = says({})
SWORN = says({act("request"): said("agree"), act("cancel"): said("inform", {"cancelled": True})})
DEAF = says({act("request"): said("agree")})
SENSOR = says({act("subscribe"): said("agree"), act("cancel"): said("inform", {"cancelled": True})})


async def test_what_is_open_is_cancelled_and_waited_for(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"sworn": SWORN, "deaf": DEAF}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("sworn,deaf", "request", deadline="1h"))
        await so_far(runtime, id, received={"agree": 2})
        clock.advance(5)
        await runtime.tasks.cancel(id)
        await so_far(runtime, id, received={"agree": 2, "inform": 1})
        await runtime.tasks.cancel(id)  # once more changes nothing
        clock.advance(2.001)
        view = await ended(runtime, id)
        assert states(view) == {"sworn": "cancelled", "deaf": "cancelled-unconfirmed"}
        assert view.summary.ending is Ending.CANCELLED
        assert view.sent == {"request": 1, "cancel": 2}
        assert view.order.deadline_us <= clock.now_us() - 2_000_000


async def test_offers_that_nobody_decided_on_are_rejected(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"mute": MUTE}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("mute,ann", reply_by="1h"))
        await so_far(runtime, id, received={"propose": 1})
        await runtime.tasks.cancel(id)
        await so_far(runtime, id, sent={"reject-proposal": 1})
        clock.advance(2.001)
        view = await ended(runtime, id)
        assert states(view)["ann"] == "rejected"
        assert view.summary.ending is Ending.CANCELLED


async def test_a_subscription_that_was_to_be_heard_for_a_time_has_been(tmp_path: Path) -> None:
    async with shop(tmp_path, {"sensor": SENSOR}, clock=VirtualClock()) as runtime:
        id = await runtime.tasks.begin(wish("sensor", "subscribe", deadline="1d"))
        await so_far(runtime, id, received={"agree": 1})
        await runtime.tasks.cancel(id)
        view = await ended(runtime, id)
        assert (states(view), view.summary.ending) == ({"sensor": "cancelled"}, Ending.ACHIEVED)


async def test_it_is_cancelled_after_a_restart_too(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"deaf": DEAF}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("deaf", "request", deadline="1h"))
        await so_far(runtime, id, received={"agree": 1})
        await runtime.tasks.cancel(id)
        await so_far(runtime, id, sent={"cancel": 1})
    async with shop(tmp_path, clock=clock) as runtime:
        clock.advance(2.001)
        view = await ended(runtime, id)
        assert (states(view), view.sent["cancel"]) == ({"deaf": "cancelled-unconfirmed"}, 1)
        assert view.summary.ending is Ending.CANCELLED


async def test_one_that_has_ended_or_never_was_cannot_be_cancelled(tmp_path: Path) -> None:
    async with shop(tmp_path) as runtime:
        view = await run(runtime, wish("ann,bob"))
        with pytest.raises(InvalidState, match="has ended"):
            await runtime.tasks.cancel(view.summary.id)
        with pytest.raises(TaskNotFound, match="t-none"):
            await runtime.tasks.cancel("t-none")
        assert (await runtime.tasks.view(view.summary.id)).summary.ending is Ending.ACHIEVED
