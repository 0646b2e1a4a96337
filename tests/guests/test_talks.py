"""Auctioneer, bidder, publisher, subscriber, broker, expert by hand: a new instance takes over at every turn."""

from __future__ import annotations

import json

import pytest

from .guest import Guest, Json, message

SETTINGS: dict[str, Json] = {
    "auction/auctioneer": {"bidders": ["ann", "bob"], "wait_ms": 400, "pause_ms": 10},
    "auction/bidder": {"purse": 100},
    "subscription/publisher": {"topics": ["rates", "rain"]},
    "subscription/subscriber": {"publisher": "pub"},
    "brokering/broker": {"services": {"weather": ["north", "south"]}, "df": True},
    "brokering/expert": {"knows": {"oslo": "rain"}, "slow_ms": 50},
}
"""Every agent with the settings that these tests give it."""
ORDER = {
    "protocol": "fipa-request",
    "conversation_id": "o-1",
    "reply_with": "order",
    "sender": "operator@local",
}


def swapped(guest: Guest, name: str) -> Guest:
    """A new instance with the old one's state, which it then writes as the old one did."""
    fresh, state = Guest(name, SETTINGS[name]), guest.snapshot()
    assert fresh.call("caxton_restore", state)[0] == 0
    assert fresh.snapshot() == state
    return fresh


class Swapping:
    """An agent that is replaced by a new instance before every turn."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.guest = Guest(name, SETTINGS[name])

    def turn(self, taken: Json) -> list[Json]:
        self.guest = swapped(self.guest, self.name)
        return self.guest.turn(taken)

    def beat(self, asked: Json) -> list[Json]:
        """The timer answers that request."""
        assert asked["receiver"] == "timer"
        return self.turn(said("timer", "inform", asked, {"tag": asked["content"]["tag"]}))


def said(sender: str, act: str, to: Json, content: object = None, **more: object) -> Json:
    """An answer to what the agent said."""
    known = {key: to.get(key) for key in ("conversation_id", "protocol")}
    return message(act, content, sender=f"{sender}@local", in_reply_to=to.get("reply_with"), **known) | more


def acts(messages: list[Json]) -> list[tuple[str, object]]:
    return [(one["performative"], one.get("receiver")) for one in messages]


def test_an_auction_goes_on_in_new_instances() -> None:
    auctioneer = Swapping("auction/auctioneer")
    agree, opening, pause = auctioneer.turn(
        message("request", {"action": "sell", "item": "vase", "start": 5, "step": 2}, **ORDER)
    )
    assert (agree["performative"], opening["receiver"]) == ("agree", ["ann", "bob"])
    to_ann, to_bob, wait = auctioneer.beat(pause)
    assert (to_ann["content"]["price"], to_ann["reply_by"]) == (5, "400ms")
    assert auctioneer.turn(said("ann", "propose", to_ann, {"price": 5}, reply_with="a")) == []
    accept, reject, pause = auctioneer.turn(said("bob", "propose", to_bob, {"price": 5}, reply_with="b"))
    assert acts([accept, reject]) == [("accept-proposal", "ann"), ("reject-proposal", "bob")]
    assert (accept["in_reply_to"], reject["in_reply_to"]) == ("a", "b")
    assert auctioneer.beat(wait) == [], "that round is over"
    to_ann, to_bob, wait = auctioneer.beat(pause)
    assert [to_ann["content"]["leading"], to_bob["content"]["leading"]] == [True, False]
    (odd,) = auctioneer.turn(said("bob", "propose", to_bob, {"price": 6}, reply_with="b"))
    assert odd["performative"] == "reject-proposal", "who bids takes the price that was called"
    *closed, pause = auctioneer.beat(wait)
    assert acts(closed) == [("inform", "ann"), ("inform", "bob")]
    sale, wait = auctioneer.beat(pause)
    assert acts([sale]) == [("request", "ann")]
    assert auctioneer.turn(said("ann", "agree", sale)) == []
    (again,) = auctioneer.beat(wait)
    (report,) = auctioneer.beat(again)
    assert report["content"]["why"] == "the leader did not pay in time"
    assert (report["conversation_id"], report["in_reply_to"]) == ("o-1", "order")


def test_a_bidder_remembers_its_purse() -> None:
    bidder = Swapping("auction/bidder")
    cfp = message("cfp", {"price": 60, "leading": False}, protocol="fipa-auction-english")
    (bid,) = bidder.turn(cfp)
    assert bid["reply_with"] == "bid-1"
    assert bidder.turn(cfp | {"content": {"price": 60, "leading": True}}) == []
    pay = message("request", {"price": 60}, protocol="fipa-auction-english")
    assert acts(bidder.turn(pay)) == [("agree", None), ("inform", None)]
    assert acts(bidder.turn(pay)) == [("refuse", None)]
    assert bidder.turn(cfp) == []
    (stands,) = bidder.turn(message("query-ref"))
    assert stands["content"] == {"purse": 40, "won": 1, "spent": 60, "bids": 1}
    (odd,) = bidder.turn(pay | {"protocol": "fipa-request"})
    assert odd["performative"] == "not-understood", "money is for auctions"


def test_a_subscription_goes_on_in_new_instances() -> None:
    publisher = Swapping("subscription/publisher")
    (agree,) = publisher.turn(message("subscribe", {"topic": "rates"}, conversation_id="s", reply_with="sub"))
    assert agree["performative"] == "agree"
    told, done = publisher.turn(
        message("request", {"action": "set", "topic": "rates", "value": {"eur": 1.1}})
    )
    assert (told["conversation_id"], told["in_reply_to"]) == ("s", "sub")
    assert (told["content"]["value"], done["content"]["told"]) == ({"eur": 1.1}, 1)
    late, first = publisher.turn(message("subscribe", {"topic": "rates"}, conversation_id="t"))
    assert (late["performative"], first["content"]["value"]) == ("agree", {"eur": 1.1})
    assert publisher.turn(message("not-understood", conversation_id="s")) == []
    (done,) = publisher.turn(message("cancel", conversation_id="t", reply_with="c"))
    assert done["content"] == {"cancelled": True}
    (nothing,) = publisher.turn(message("request", {"action": "set", "topic": "rates", "value": 2}))
    assert nothing["content"]["told"] == 0
    other = Guest("subscription/publisher", {"topics": ["rain"]})
    assert other.call("caxton_restore", publisher.guest.snapshot())[0] == 0
    publisher.turn(message("subscribe", {"topic": "rates"}, conversation_id="u"))
    assert other.call("caxton_restore", publisher.guest.snapshot())[0] < 0, "somebody waits for that topic"


def test_what_crosses_with_a_cancel_is_told_from_its_answer_by_a_new_instance_too() -> None:
    subscriber = Swapping("subscription/subscriber")
    agree, subscribe, _ = subscriber.turn(
        message("request", {"action": "watch", "topic": "rates", "count": 1}, **ORDER)
    )
    assert acts([agree, subscribe]) == [("agree", None), ("subscribe", "pub")]
    (within,) = subscriber.turn(said("pub", "agree", subscribe))
    assert within["receiver"] == "timer"
    cancel, wait = subscriber.turn(said("pub", "inform", subscribe, {"value": 7}))
    assert (cancel["performative"], cancel["reply_with"]) == ("cancel", "cancel-1")
    assert subscriber.turn(said("pub", "inform", subscribe, {"value": 8})) == []
    (report,) = subscriber.turn(said("pub", "inform", cancel))
    assert report["content"] == {"ended": "counted", "topic": "rates", "heard": 1, "crossed": 1, "last": 7}
    assert subscriber.beat(wait) == []


def test_a_brokering_goes_on_in_new_instances() -> None:
    broker = Swapping("brokering/broker")
    content = {
        "descriptor": {"service": "weather"},
        "message": {"performative": "query-ref", "content": {"about": "oslo"}},
    }
    proxy = message("proxy", content, **ORDER | {"protocol": "fipa-brokering", "conversation_id": "p-1"})
    agree, done, north, south, wait = broker.turn(proxy)
    assert acts([agree, north, south]) == [("agree", None), ("query-ref", "north"), ("query-ref", "south")]
    assert {north["x_proxy_of"], south["x_proxy_of"], done["conversation_id"]} == {"p-1"}
    (failed,) = broker.turn(said("south", "failure", south, {"reason": "fog"}))
    assert (failed["performative"], failed["content"]["failed"]) == ("inform", {"reason": "fog"})
    (relayed,) = broker.turn(said("north", "inform", north, {"is": "rain"}))
    assert relayed["content"] == {"from": "north", "content": {"is": "rain"}}
    assert broker.beat(wait) == []
    other = content | {"descriptor": {"service": "tides"}, "constraint": {"at_most": 1}}
    agree, search, wait = broker.turn(proxy | {"content": other, "conversation_id": "p-2"})
    assert (search["receiver"], search["content"]["constraints"]) == ("df", {"max-results": 1})
    found = {"action": "search", "result": [{"name": "eve@local"}, {"name": "dan@local"}]}
    done, eve, _ = broker.turn(said("df", "inform", search, found))
    assert (done["content"], eve["content"]) == ({"asked": ["eve@local"]}, {"about": "oslo"})
    (cancel,) = broker.turn(said("eve", "agree", eve))
    assert cancel["performative"] == "agree"
    confirm, cancel = broker.turn(message("cancel", conversation_id="p-2", reply_with="c"))
    assert acts([confirm, cancel]) == [("inform", None), ("cancel", "eve@local")]


def test_an_expert_answers_what_an_earlier_instance_was_asked() -> None:
    expert = Swapping("brokering/expert")
    agree, wait = expert.turn(message("query-ref", {"about": "oslo"}))
    assert agree["performative"] == "agree"
    assert acts(expert.turn(message("query-ref", {"about": "oslo"}))) == [("refuse", None)]
    (answer,) = expert.beat(wait)
    assert answer["content"] == {"about": "oslo", "is": "rain"}
    assert acts(expert.turn(message("query-ref", {"about": "rome"}))) == [("refuse", "tester@local")]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_state_that_is_none_is_refused(name: str) -> None:
    guest = Guest(name, SETTINGS[name])
    for state in (b"", b"{}", b'{"v":2}', b'{"v":1', b"\x00\xff", b"[1]"):
        assert guest.call("caxton_restore", state)[0] < 0
    text = guest.snapshot()
    assert json.loads(text)["v"] == 1
    for cut in range(len(text) - 1):
        assert guest.call("caxton_restore", text[:cut])[0] < 0, text[:cut]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("auction/auctioneer", {"bidders": ["x"] * 9}),
        ("auction/auctioneer", {"bidders": [1]}),
        ("auction/auctioneer", {"bidders": ["x"], "wait_ms": 0}),
        ("auction/bidder", {"purse": -1}),
        ("subscription/publisher", {}),
        ("subscription/publisher", {"topics": ["x" * 64]}),
        ("subscription/subscriber", {"publisher": 3}),
        ("brokering/broker", {"services": {"s": ["x"] * 33}}),
        ("brokering/broker", {"services": {"s": [1]}}),
        ("brokering/expert", {"knows": {"x": "y" * 1100}}),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, settings: Json) -> None:
    code, why = Guest(name).call("caxton_init", {"settings": settings})
    assert code < 0
    assert b"settings." in why
