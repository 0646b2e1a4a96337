"""The auction example on a real daemon: every conversation is legal, also where nobody bids or somebody goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conversations import Json, Talks, branches, exercised, talking
from .running import EXAMPLES

FOLDER = EXAMPLES / "auction"

SELL = {"action": "sell", "item": "painting", "start": 100, "step": 10, "reserve": 120}
PROTOCOL = "fipa-auction-english"


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talks]:
    with talking(tmp_path_factory.mktemp("auction"), 'name = "auction"\ncells = 1\n') as talks:
        yield talks


def auction(talks: Talks, name: str, *, wait_ms: int = 600, pause_ms: int = 20, **purses: Json) -> list[str]:
    """An auctioneer of that name and its bidders; their names begin with its."""
    bidders = [f"{name}-{bidder}" for bidder in purses]
    talks.deploy(name, "auction/auctioneer", bidders=bidders, wait_ms=wait_ms, pause_ms=pause_ms)
    for bidder, settings in zip(bidders, purses.values(), strict=True):
        talks.deploy(bidder, "auction/bidder", **settings)
    return bidders


def place(talks: Talks, name: str) -> str:
    """The conversation of that auctioneer's last auction."""
    return str(talks.said("cfp", "inform", by=name, protocol=PROTOCOL)[-1]["conversation_id"])


def prices(talks: Talks, name: str) -> list[int]:
    called = talks.said("cfp", by=name, protocol=PROTOCOL)
    return sorted({one["content"]["price"] for one in called})


def test_the_folder_is_a_project_that_sells(tmp_path: Path) -> None:
    configuration = (FOLDER / "caxton.toml").read_text()
    with talking(tmp_path / "auction", configuration, [*FOLDER.glob("*.wasm")]) as talks:
        result = talks.order("auctioneer", SELL)
        assert (result["content"]["sold"], result["content"]["price"]) == (True, 180)
        assert result["content"]["to"] in ("bob", "cleo")
        found = talks.judge()
        states = branches(found, place(talks, "auctioneer"))
        assert states.pop(result["content"]["to"]) == "done"
        assert states == {"ann": "closed", "dora": "not-understood"} | dict.fromkeys(
            {"bob", "cleo"} - {result["content"]["to"]}, "closed"
        )
        assert exercised(found, PROTOCOL) >= {
            "start inform",
            "open cfp",
            "round propose",
            "bid accept-proposal",
            "bid reject-proposal",
            "leading cfp",
            "lost cfp",
            "round cfp",
            "round inform",
            "closed request",
            "sale agree",
            "agreed inform",
            "any not-understood",
        }


def test_prices_rise_until_one_is_left_and_of_equal_bids_one_leads(talks: Talks) -> None:
    bidders = auction(talks, "tie", a={"purse": 130}, b={"purse": 130})
    result = talks.order("tie", SELL)
    assert result["content"] | {"to": ""} == {
        "sold": True, "item": "painting", "to": "", "price": 130, "rounds": 5,
    }  # fmt: skip
    assert prices(talks, "tie") == [100, 110, 120, 130, 140]
    accepted = talks.said("accept-proposal", by="tie")
    rejected = talks.said("reject-proposal", by="tie")
    (lost,) = [one for one in rejected if one["content"]["price"] == 100]
    (led,) = [one for one in accepted if one["content"]["price"] == 100]
    assert {lost["receiver"][0], led["receiver"][0]} == {f"{bidder}@local" for bidder in bidders}
    assert lost["content"]["reason"] == "another bid came first"
    assert len({one["content"]["price"] for one in accepted}) == len(accepted), "one leads in each round"
    (purse,) = talks.ask("query-ref", result["content"]["to"], None, protocol="fipa-query")
    assert purse["content"]["purse"] == 0
    talks.judge()


def test_where_nobody_bids_nothing_is_sold(talks: Talks) -> None:
    auction(talks, "dear", a={"purse": 99}, b={"purse": 0})
    result = talks.order("dear", SELL)
    assert result["content"] == {"sold": False, "item": "painting", "why": "nobody bid", "rounds": 1}
    assert set(branches(talks.judge(), place(talks, "dear")).values()) == {"closed"}


def test_below_the_reserve_nothing_is_sold(talks: Talks) -> None:
    auction(talks, "low", a={"purse": 110})
    result = talks.order("low", SELL)
    assert result["content"]["why"] == "the reserve was not reached"
    talks.judge()


def test_who_says_that_it_leaves_is_asked_no_more_and_the_round_waits_for_nobody(talks: Talks) -> None:
    auction(talks, "leaves", wait_ms=60_000, a={"purse": 105, "leaves": True}, b={"purse": 200})
    result = talks.order("leaves", SELL | {"reserve": 0})
    assert result["content"]["to"] == "leaves-b"
    assert result["content"]["price"] in (100, 110), "who bid first at 100 is not known"
    states = branches(talks.judge(), place(talks, "leaves"))
    assert states == {"leaves-a": "not-understood", "leaves-b": "done"}


def test_a_bidder_that_is_not_there_or_stops_takes_no_part(talks: Talks) -> None:
    auction(talks, "gone", b={"purse": 120}, a={"purse": 130}, c={"purse": 500})
    talks.client.change_agent("gone-c", "stop")
    talks.client.remove_agent("gone-b")
    result = talks.order("gone", SELL | {"reserve": 0})
    assert (result["content"]["to"], result["content"]["price"]) == ("gone-a", 100)
    states = branches(talks.judge(), place(talks, "gone"))
    assert states == {"gone-a": "done", "gone-b": "failed-delivery", "gone-c": "failed-delivery"}


def test_a_leader_that_is_gone_when_it_comes_to_the_sale_buys_nothing(talks: Talks) -> None:
    auction(talks, "late", wait_ms=500, pause_ms=300, a={"purse": 100}, b={"purse": 0})
    order = talks.send("request", "late", SELL | {"reserve": 0}, protocol="fipa-request")
    talks.until_said("accept-proposal", by="late")
    talks.client.change_agent("late-a", "stop")
    report = talks.result(order.conversation_id)
    assert report["content"]["why"] == "the leader has left"
    talks.judge()


def test_a_leader_that_does_not_pay_ends_the_sale(talks: Talks) -> None:
    (bidder,) = auction(talks, "unpaid", a={"purse": 130, "pays": False})
    report = talks.order("unpaid", SELL | {"reserve": 0})
    assert report["content"]["why"] == "the leader failed to pay"
    assert branches(talks.judge(), place(talks, "unpaid")) == {bidder: "failed"}


def test_a_leader_whose_purse_was_emptied_in_another_auction_refuses_the_sale(talks: Talks) -> None:
    rich, _ = auction(talks, "slow", wait_ms=2000, a={"purse": 130}, b={"purse": 0})
    talks.deploy("quick", "auction/auctioneer", bidders=[rich], wait_ms=250, pause_ms=0)
    slow = talks.send("request", "slow", SELL | {"reserve": 0}, protocol="fipa-request")
    talks.until_said("accept-proposal", by="slow")
    assert talks.order("quick", SELL | {"reserve": 0})["content"]["to"] == rich
    assert talks.result(slow.conversation_id)["content"]["why"] == "the leader refused"
    assert branches(talks.judge(), place(talks, "slow"))[rich] == "refused"


def test_a_cancelled_order_closes_the_auction_and_a_second_one_meanwhile_is_refused(talks: Talks) -> None:
    auction(talks, "stop", wait_ms=60_000, a={"purse": 99})
    order = talks.send("request", "stop", SELL, protocol="fipa-request", reply_with="sell")
    (refusal,) = talks.ask("request", "stop", SELL, protocol="fipa-request")
    assert (refusal["performative"], refusal["content"]["reason"]) == ("refuse", "busy with another auction")
    talks.until_said("cfp", by="stop")
    (done,) = talks.ask(
        "cancel", "stop", None,
        conversation_id=order.conversation_id, protocol="fipa-request", reply_with="stop-it",
    )  # fmt: skip
    assert (done["performative"], done["in_reply_to"]) == ("inform", "stop-it")
    found = talks.judge()
    assert branches(found, order.conversation_id) == {"stop": "cancelled"}
    assert branches(found, place(talks, "stop")) == {"stop-a": "closed"}
    (odd,) = talks.ask("request", "stop", {"action": "sing"}, protocol="fipa-request")
    assert odd["performative"] == "not-understood"
