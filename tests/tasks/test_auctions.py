"""Auctions in one call: prices that rise until nobody bids, and prices that fall until somebody does."""

from __future__ import annotations

from pathlib import Path

from caxton.clock import VirtualClock
from caxton.tasks.view import Ending

from .market import BOOK, act, content, ended, run, said, says, shop, so_far, states, wish


def bidder(*prices: int) -> bytes:
    """Bids at each of these prices when it is called, buys when it is asked, is silent else."""
    calls = {
        f'"content":{{"item":"book","price":{price}}}': said("propose", {"bid": price}) for price in prices
    }
    return says(
        {
            '"over":true': "",
            act("request"): said("inform", {"paid": True}),
            act("accept-proposal"): "",
            act("reject-proposal"): "",
            **calls,
        }
    )


async def test_the_last_who_bids_buys_at_the_price_that_was_called(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(
        tmp_path, {"low": bidder(10, 11), "high": bidder(10, 11, 12, 13)}, clock=clock
    ) as runtime:
        asked = wish("low,high", "auction-english", BOOK, price=10, step=1, reply_by="5s", deadline="1m")
        id = await runtime.tasks.begin(asked)
        await so_far(runtime, id, received={"propose": 5}, sent={"cfp": 3})
        # two rounds were full without waiting; in the third only one bids, and the other's time has to pass
        clock.advance(5.001)
        # in the fourth it bids against itself, which makes nothing dearer
        await so_far(runtime, id, received={"propose": 6}, sent={"cfp": 4})
        clock.advance(5.001)
        view = await ended(runtime, id)
        assert states(view) == {"low": "closed", "high": "done"}
        assert (view.summary.outcome, view.summary.ending, view.price) == ("awarded", Ending.ACHIEVED, 12)
        assert view.sent == {
            "inform": 2,
            "cfp": 4,
            "accept-proposal": 3,
            "reject-proposal": 3,
            "request": 1,
        }
        assert view.branches[1].result is not None
        assert content(view.branches[1].result.content) == {"paid": True}


async def test_nobody_bids_or_not_enough_and_nothing_is_sold(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"low": bidder(10)}, clock=clock) as runtime:
        silent = await runtime.tasks.begin(
            wish("low", "auction-english", BOOK, price=20, step=1, reply_by="5s", deadline="1m")
        )
        clock.advance(5.001)
        view = await ended(runtime, silent)
        assert (view.summary.ending, view.summary.reason) == (Ending.NOT_ACHIEVED, "nobody bid")
        below = await runtime.tasks.begin(
            wish("low", "auction-english", BOOK, price=10, step=1, limit=15, reply_by="5s", deadline="1m")
        )
        await so_far(runtime, below, sent={"cfp": 2})
        clock.advance(5.001)
        view = await ended(runtime, below)
        assert (view.price, view.summary.ending) == (10, Ending.NOT_ACHIEVED)
        assert "request" not in view.sent


async def test_a_falling_price_goes_to_the_first_who_take_it(tmp_path: Path) -> None:
    clock = VirtualClock()
    guests = {"poor": bidder(8), "rich": bidder(10), "idle": bidder()}
    async with shop(tmp_path, guests, clock=clock) as runtime:
        asked = wish(
            "poor,rich,idle", "auction-dutch", BOOK, price=12, step=2, winners=2, reply_by="5s", deadline="1m"
        )
        id = await runtime.tasks.begin(asked)
        clock.advance(5.001)
        await so_far(runtime, id, sent={"cfp": 2, "accept-proposal": 1})
        clock.advance(5.001)
        view = await ended(runtime, id)
        assert {branch.participant for branch in view.branches if branch.awarded} == {
            "poor@local",
            "rich@local",
        }
        assert (view.summary.outcome, view.summary.ending, view.price) == ("awarded", Ending.ACHIEVED, 8)
        assert view.sent["cfp"] == 3


async def test_a_falling_price_stops_at_its_limit_and_at_the_deadline(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"idle": bidder()}, clock=clock) as runtime:
        asked = wish("idle", "auction-dutch", BOOK, price=4, step=2, limit=3, reply_by="5s", deadline="1m")
        id = await runtime.tasks.begin(asked)
        clock.advance(5.001)
        view = await ended(runtime, id)
        assert (view.sent["cfp"], view.summary.ending) == (1, Ending.NOT_ACHIEVED)
        late = await runtime.tasks.begin(
            wish("idle", "auction-dutch", BOOK, price=4, step=1, reply_by="5s", deadline="6s")
        )
        clock.advance(5.001)
        await so_far(runtime, late, sent={"cfp": 2})
        clock.advance(1)
        assert (await ended(runtime, late)).summary.ending is Ending.NOT_ACHIEVED


async def test_a_participant_that_is_not_there_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async with shop(tmp_path, {"rich": bidder(10)}) as runtime:
        view = await run(
            runtime, wish("ghost,rich", "auction-dutch", BOOK, price=10, step=2, reply_by="5s", deadline="1m")
        )
        assert states(view) == {"ghost": "failed-delivery", "rich": "closed"}
        assert view.summary.ending is Ending.ACHIEVED


async def test_an_auction_for_nobody_has_failed(tmp_path: Path) -> None:
    async with shop(tmp_path) as runtime:
        view = await run(runtime, wish("ghost", "auction-english", BOOK, price=10, step=2, reply_by="5s"))
        assert (view.summary.ending, view.summary.reason) == (Ending.FAILED, "ghost@local: failed-delivery")
