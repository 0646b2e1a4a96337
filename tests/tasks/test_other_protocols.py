"""Requests, queries, subscriptions, rounds: each protocol that runs in one call, to its good ends and its bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from agents.systems import reached

from caxton.clock import VirtualClock
from caxton.errors import InvalidMessage, InvalidTask, MessageTooLarge, SecurityError
from caxton.protocols import library
from caxton.tasks import TaskRequest, read_task_request
from caxton.tasks.view import Ending

from .market import act, content, ended, run, said, says, shop, so_far, states, wish

YES = says({act("request"): said("inform", {"done": True})})
NO = says({act("request"): said("refuse", {"reason": "busy"})})
SWORN = says({act("request"): said("agree"), act("cancel"): said("inform", {"cancelled": True})})
STUBBORN = says({act("request"): said("agree"), act("cancel"): said("failure", {"reason": "too late"})})


async def test_a_request_to_several_is_achieved_when_all_have_done_it(tmp_path: Path) -> None:
    async with shop(tmp_path, {"yes": YES, "also": YES, "no": NO}) as runtime:
        view = await run(runtime, wish("yes,also", "request", "please"))
        assert (view.summary.outcome, view.summary.ending) == ("achieved", Ending.ACHIEVED)
        assert view.received == {"inform": 2}
        assert content(view.branches[0].result.content) == {"done": True}
        mixed = await run(runtime, wish("yes,no", "request", "please"))
        assert (mixed.summary.outcome, mixed.summary.ending) == ("achieved", Ending.NOT_ACHIEVED)
        assert mixed.summary.reason == "no@local: refused"
        lost = await run(runtime, wish("yes,no,nobody", "request", "please"))
        assert (lost.summary.ending, lost.summary.reason) == (Ending.FAILED, "nobody@local: failed-delivery")


async def test_what_is_open_at_the_deadline_is_cancelled(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"sworn": SWORN, "yes": YES}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("sworn,yes", "request", reply_by="1s", deadline="5s"))
        await so_far(runtime, id, received={"agree": 1, "inform": 1})
        clock.advance(5)
        assert (await runtime.tasks.view(id)).sent == {"request": 1}
        clock.advance(0.001)
        view = await ended(runtime, id)
        assert states(view) == {"sworn": "cancelled", "yes": "done"}
        assert view.summary.ending is Ending.TIMED_OUT
        assert view.sent == {"cancel": 1, "request": 1}


async def test_a_cancel_that_is_refused_ends_the_task_and_not_the_agents_work(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"stubborn": STUBBORN}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("stubborn", "request", reply_by="1s", deadline="5s"))
        await so_far(runtime, id, received={"agree": 1})
        clock.advance(5.001)
        view = await ended(runtime, id)
        assert (view.branches[0].state, view.branches[0].reason) == ("agreed", "the cancel was refused")
        assert (view.summary.state, view.summary.ending) == ("InProgress", Ending.TIMED_OUT)
        assert view.sent["cancel"] == 1


async def test_a_cancel_without_answer_is_waited_for_two_seconds(tmp_path: Path) -> None:
    clock = VirtualClock()
    deaf = says({act("request"): said("agree")})
    async with shop(tmp_path, {"deaf": deaf}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("deaf", "request", reply_by="1s", deadline="5s"))
        await so_far(runtime, id, received={"agree": 1})
        clock.advance(5.001)
        await so_far(runtime, id, sent={"cancel": 1})
        clock.advance(2.001)
        view = await ended(runtime, id)
        assert (view.branches[0].state, view.summary.ending) == ("cancelled-unconfirmed", Ending.TIMED_OUT)


async def test_a_query_asks_a_seller_how_business_goes(tmp_path: Path) -> None:
    async with shop(tmp_path) as runtime:
        view = await run(runtime, wish("ann,bob", "query", act="query-ref"))
        assert states(view) == {"ann": "done", "bob": "done"}
        assert [content(one.result.content)["price"] for one in view.branches if one.result] == [40, 44]


async def test_an_offer_to_do_something_is_taken_or_not(tmp_path: Path) -> None:
    takes = says({act("propose"): said("accept-proposal")})
    not_me = says({act("propose"): said("reject-proposal", {"reason": "no need"})})
    async with shop(tmp_path, {"takes": takes, "not-me": not_me}) as runtime:
        view = await run(runtime, wish("takes,not-me", "propose", {"do": "sweep"}))
        assert states(view) == {"takes": "accepted", "not-me": "rejected"}
        assert view.summary.ending is Ending.NOT_ACHIEVED


async def test_request_when_waits_as_long_as_it_takes(tmp_path: Path) -> None:
    clock = VirtualClock()
    id = f"t-{clock.now_us():x}"
    when = says(
        {
            act("request-when"): said("agree"),
            '"tag":"now"': said("inform", {"it": "is so"}, receiver="operator", conversation_id=id),
            '"wake":': said("request", {"after_ms": 60000, "tag": "now"}, receiver="timer"),
        }
    )
    async with shop(tmp_path, {"when": when}, clock=clock) as runtime:
        assert id == await runtime.tasks.begin(wish("when", "request-when", reply_by="1s", deadline="1h"))
        await so_far(runtime, id, received={"agree": 1})
        runtime.bus.submit({"performative": "request", "receiver": "when", "content": {"wake": 1}})
        await reached(runtime, lambda: runtime.timer.count("when@local") > 0)
        clock.advance(59)
        assert states(await runtime.tasks.view(id)) == {"when": "waiting"}
        clock.advance(1)
        view = await ended(runtime, id)
        assert (states(view), view.summary.ending) == ({"when": "done"}, Ending.ACHIEVED)


async def test_a_subscription_ends_after_enough_informs(tmp_path: Path) -> None:
    told = said("inform", {"temperature": 21})
    sensor = says(
        {act("subscribe"): told, act("cancel"): said("inform", {"cancelled": True}), act("query-ref"): told}
    )
    async with shop(tmp_path, {"sensor": sensor}) as runtime:
        view = await run(runtime, wish("sensor", "subscribe", informs=1))
        assert (view.branches[0].state, view.summary.ending) == ("cancelled", Ending.ACHIEVED)
        assert [content(one) for one in view.branches[0].informs] == [{"temperature": 21}]
        assert view.received == {"inform": 2}


async def test_a_subscription_without_a_number_hears_until_its_deadline(tmp_path: Path) -> None:
    clock = VirtualClock()
    sensor = says({act("subscribe"): said("agree"), act("cancel"): said("inform", {"cancelled": True})})
    async with shop(tmp_path, {"sensor": sensor}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("sensor", "subscribe", deadline="10m"))
        await so_far(runtime, id, received={"agree": 1})
        clock.advance(601)
        view = await ended(runtime, id)
        assert (view.branches[0].state, view.summary.ending) == ("cancelled", Ending.ACHIEVED)
        more = await runtime.tasks.begin(wish("sensor", "subscribe", deadline="10m", informs=2))
        await so_far(runtime, more, received={"agree": 1})
        clock.advance(601)
        assert (await ended(runtime, more)).summary.ending is Ending.TIMED_OUT


async def test_rounds_ask_again_whoever_can_be_compared_and_the_last_one_decides(tmp_path: Path) -> None:
    better = says(
        {
            '"round":2': said("propose", {"price": 20}),
            '"round":3': said("refuse", {"reason": "no lower"}),
            act("cfp"): said("propose", {"price": 39}),
            act("accept-proposal"): said("inform", "done"),
        }
    )
    vague = says({act("cfp"): said("propose", {"price": None})})
    async with shop(tmp_path, {"better": better, "vague": vague}) as runtime:
        two = await run(
            runtime,
            wish(
                "better,vague,ann", "iterated-contract-net", {"item": "book"}, rounds=2, choose="lowest:price"
            ),
        )
        assert states(two) == {"better": "done", "vague": "rejected", "ann": "rejected"}
        assert [branch.round for branch in two.branches] == [2, 1, 2]
        rows = await runtime.journal.reader.messages(conversation=two.summary.id, performative="cfp")
        assert [b'"content":{"item":"book","round":2,"best":39}' in row.body for row in rows] == [False, True]
        three = await run(
            runtime,
            wish("better,bob", "iterated-contract-net", {"item": "book"}, rounds=3, choose="lowest:price"),
        )
        assert states(three) == {"better": "refused", "bob": "done"}


@pytest.mark.parametrize(
    ("asked", "says_why"),
    [
        (wish("ann", "brokering"), "cannot be run in one call"),
        (wish("ann", "fipa-recruiting"), "cannot be run in one call"),
        (wish("ann", "small-talk"), "there is no protocol 'small-talk'"),
        (wish("ann", "query"), "needs its first act"),
        (wish("ann", "query", act="inform"), "does not begin with 'inform'"),
        (wish("ann", "fipa-contract-net"), "needs a way to choose"),
        (wish("ann", choose="cheapest"), "is no way to choose"),
        (wish("ann", choose="lowest"), "needs the path"),
        (wish("ann", choose="first:price"), "takes no path"),
        (wish("ann", "request", winners=2), "has no winners"),
        (wish("ann", rounds=2), "no stated number of rounds"),
        (wish("ann", "request", informs=2), "is no subscription"),
        (wish("ann", "request", price=2), "is no auction"),
        (wish("ann", "iterated-contract-net", rounds=2, choose="first"), "has no second round"),
        (wish("ann", winners=0), "winners is a number"),
        (wish("", "request"), "is not an agent name"),
        (wish("operator", "request"), "cannot take part"),
        (wish("an n", "request"), "is not an agent name"),
        (wish("ann", "request", reply_by="soon"), "is not a time"),
        (wish("ann", "request", reply_by="0s"), "within the next 30 days"),
        (wish("ann", "request", reply_by="40d"), "within the next 30 days"),
        (wish("ann", "request", reply_by="5s", deadline="1s"), "before reply_by"),
        (wish("ann", "auction-english", price=10), "needs its step"),
        (wish("ann", "auction-english", "a book", price=10, step=1), "is a JSON object"),
        (wish(",".join(f"a{n}" for n in range(300)), "request"), "300 participants; the limit is 256"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_clear_word(asked: TaskRequest, says_why: str) -> None:
    with pytest.raises(InvalidTask, match=says_why):
        read_task_request(asked, library(), platform="local", receivers=256, now_us=1_700_000_000_000_000)


async def test_what_the_bus_would_refuse_is_refused_before_there_is_a_task(tmp_path: Path) -> None:
    async with shop(tmp_path) as runtime:
        deep: object = 1
        for _ in range(70):
            deep = [deep]
        for asked, refusal in (
            (wish("ann", "request", sender="bob"), SecurityError),
            (wish("ann", "request", "x" * 300_000), MessageTooLarge),
            (wish("ann", "request", deep), InvalidMessage),
        ):
            with pytest.raises(refusal):
                await runtime.tasks.begin(asked)
        assert await runtime.tasks.summaries(before=None, limit=10) == ([], None)


async def test_a_protocol_of_the_projects_own_runs_too(tmp_path: Path) -> None:
    (tmp_path / "ping.toml").write_text(
        """name = "ping"
        [states]
        asked = { phase = "collecting" }
        heard = { end = "success" }
        [table]
        steps = [
          { from = "start", by = "initiator",   act = "query-ref", to = "asked" },
          { from = "asked", by = "participant", act = "confirm",   to = "heard" },
        ]"""
    )
    pong = says({act("query-ref"): said("confirm", "pong")})
    async with shop(tmp_path, {"pong": pong}, toml='referee = { tables = ["ping.toml"] }') as runtime:
        view = await run(runtime, wish("pong,ann", "ping", "?", reply_by="300ms"))
        assert (view.summary.protocol, states(view)) == ("ping", {"pong": "heard", "ann": "timed-out"})
        assert view.branches[0].result is not None
        assert content(view.branches[0].result.content) == "pong"
        assert [one.rule for one in view.violations] == ["out-of-sequence"]
