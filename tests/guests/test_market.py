"""Buyer and sellers keep to fipa-contract-net, told by hand what the host would tell them."""

from __future__ import annotations

import itertools
import json
from collections import Counter

import pytest

from . import test_talks
from .guest import Guest, Json, message

SELLERS = ["ann", "bob", "cleo"]
MOODS = {"ann": ("eager", 40), "bob": ("steady", 44), "cleo": ("grumpy", 38)}


def buyer() -> Guest:
    return Guest("market/buyer", {"sellers": SELLERS, "wait_ms": 700})


def seller(name: str = "bob", seed: int = 1) -> Guest:
    mood, price = MOODS[name]
    return Guest("market/seller", {"price": price, "mood": mood, "seed": seed})


def order(rounds: int = 1, pause_ms: int = 0, **parameters: object) -> Json:
    content = {"action": "buy", "item": "book", "rounds": rounds, "pause_ms": pause_ms}
    return message(
        "request",
        content,
        sender="operator@local",
        conversation_id="o-1",
        protocol="fipa-request",
        **parameters,
    )


def answer(to: Json, sender: str, performative: str, content: object = None, **parameters: object) -> Json:
    """What comes back for a message that the buyer sent."""
    return (
        message(
            performative,
            content,
            sender=f"{sender}@local",
            conversation_id=to["conversation_id"],
            protocol=to["protocol"],
            in_reply_to=to.get("reply_with"),
            reply_with=f"{sender}-1",
        )
        | parameters
    )


def started(rounds: int = 1, pause_ms: int = 0) -> tuple[Guest, dict[str, Json], Json]:
    """A buyer with an order in hand: it, its cfps by seller, its request to the timer."""
    guest = buyer()
    agree, cfp, wait = guest.turn(order(rounds, pause_ms))
    assert agree == {
        "performative": "agree",
        "reply_by": "10m",
        "content": {"item": "book", "rounds": rounds},
    }
    return guest, each(cfp), wait


def each(cfp: Json) -> dict[str, Json]:
    """A message to all sellers as each of them gets it."""
    assert cfp["performative"] == "cfp"
    return dict.fromkeys(cfp["receiver"], cfp)


def test_an_order_opens_a_contract_net_and_bounds_the_wait() -> None:
    _, cfps, wait = started()
    assert list(cfps) == SELLERS
    assert cfps["ann"] == {
        "performative": "cfp",
        "receiver": SELLERS,
        "protocol": "fipa-contract-net",
        "conversation_id": "market-1",
        "reply_with": "cfp-1",
        "reply_by": "700ms",
        "content": {"item": "book", "round": 1},
    }
    assert wait == {
        "performative": "request",
        "receiver": "timer",
        "protocol": "fipa-request",
        "conversation_id": "market-1-wait",
        "reply_with": "wait-1",
        "reply_by": "3600700ms",
        "content": {"after_ms": 700, "tag": "wait-1"},
    }


def test_the_cheapest_offer_is_accepted_the_other_rejected_and_the_order_reported() -> None:
    guest, cfps, _ = started()
    assert guest.turn(answer(cfps["ann"], "ann", "propose", {"price": 30})) == []
    assert guest.turn(answer(cfps["bob"], "bob", "refuse")) == []
    reject, accept = guest.turn(answer(cfps["cleo"], "cleo", "propose", {"price": 29}))
    assert reject == {
        "performative": "reject-proposal",
        "receiver": "ann",
        "protocol": "fipa-contract-net",
        "conversation_id": "market-1",
        "in_reply_to": "ann-1",
        "content": {"item": "book", "reason": "a better offer"},
    }
    assert accept == {
        "performative": "accept-proposal",
        "receiver": "cleo",
        "protocol": "fipa-contract-net",
        "conversation_id": "market-1",
        "in_reply_to": "cleo-1",
        "reply_with": "accept-1-2",
        "reply_by": "700ms",
        "content": {"item": "book", "price": 29},
    }
    assert guest.turn(answer(cfps["ann"], "ann", "inform", {"done": True})) == []  # not the winner
    assert guest.turn(answer(accept, "cleo", "inform", {"done": True})) == [
        {
            "performative": "inform",
            "receiver": "operator@local",
            "conversation_id": "o-1",
            "protocol": "fipa-request",
            "in_reply_to": "r-1",
            "content": {"bought": 1, "spent": 29, "failed": 0},
        }
    ]


def test_missing_answers_end_with_the_timer_and_late_offers_are_rejected() -> None:
    guest, cfps, wait = started()
    guest.turn(answer(cfps["ann"], "ann", "propose", {"price": 30}))
    (accept,) = guest.turn(answer(wait, "timer", "inform", {"tag": "wait-1"}))
    assert (accept["performative"], accept["receiver"]) == ("accept-proposal", "ann")
    late = [{"performative": "reject-proposal", "content": {"reason": "late"}}]
    assert guest.turn(answer(cfps["bob"], "bob", "propose", {"price": 1})) == late
    guest.turn(answer(accept, "ann", "inform"))
    assert guest.turn(answer(cfps["cleo"], "cleo", "propose", {"price": 1})) == late


def test_an_offer_after_its_reply_by_is_late_even_where_the_timer_is_later() -> None:
    guest, cfps, wait = started()
    in_time, too_late = 1_795_342_830_823_456, 1_795_342_830_823_457
    assert guest.turn(answer(cfps["ann"], "ann", "propose", {"price": 30}, timestamp=in_time)) == []
    assert guest.turn(answer(cfps["bob"], "bob", "propose", {"price": 1}, timestamp=too_late)) == [
        {"performative": "reject-proposal", "content": {"reason": "late"}}
    ]
    (accept,) = guest.turn(answer(wait, "timer", "inform", {"tag": "wait-1"}))
    assert (accept["performative"], accept["receiver"]) == ("accept-proposal", "ann")


def test_an_order_that_is_delivered_again_first_asks_what_time_it_is() -> None:
    guest = buyer()
    agree, ask = guest.turn(order() | {"redelivered": True})
    assert (agree["performative"], ask["receiver"]) == ("agree", "timer")
    assert ask["content"] == {"after_ms": 0, "tag": "pause-1"}
    now = 1_795_348_800_000_000
    cfp, *_ = guest.turn(answer(ask, "timer", "inform", {"tag": "pause-1"}, timestamp=now))
    assert cfp["conversation_id"] == "market-2"
    soon = now + 600_000
    assert guest.turn(answer(cfp, "ann", "propose", {"price": 1}, timestamp=soon)) == []


def test_a_round_whose_name_was_used_before_takes_another() -> None:
    guest, cfps, wait = started()
    used = {"reason": "already-in-use"}
    again, wait_2 = guest.turn(answer(cfps["ann"], "ams", "not-understood", used))
    assert (again["performative"], again["conversation_id"]) == ("cfp", "market-3")
    assert again["content"]["round"] == 1
    assert guest.turn(answer(wait, "ams", "not-understood", used)) == []
    assert guest.turn(answer(again, "ann", "propose", {"price": 30})) == []
    (accept,) = guest.turn(answer(wait_2, "timer", "inform", {"tag": "wait-3"}))
    (report,) = guest.turn(answer(accept, "ams", "not-understood", {"reason": "ended"}))
    assert report["content"] == {"bought": 0, "spent": 0, "failed": 1}


def test_a_winner_that_fails_or_never_delivers_costs_the_round() -> None:
    guest, cfps, wait = started(rounds=2)
    for name in SELLERS:
        said = guest.turn(answer(cfps[name], name, "propose", {"price": 10}))
    accept = said[0]
    assert [m["performative"] for m in said] == ["accept-proposal", "reject-proposal", "reject-proposal"]
    cfp, wait = guest.turn(answer(accept, "ann", "failure", {"reason": "sold out"}))
    assert cfp["conversation_id"] == "market-2"
    for name in each(cfp):
        said = guest.turn(answer(cfp, name, "propose", {"price": 10}))
    (result,) = guest.turn(answer(wait, "timer", "inform", {"tag": "wait-2"}))
    assert result["conversation_id"] == "market-2-result"
    (report,) = guest.turn(answer(result, "timer", "inform", {"tag": "result-2"}))
    assert report["content"] == {"bought": 0, "spent": 0, "failed": 2}


def test_what_cannot_be_delivered_ends_that_branch_only() -> None:
    guest, cfps, _ = started()
    guest.turn(answer(cfps["ann"], "ams", "failure", {"reason": "unknown agent", "receiver": "ann@local"}))
    guest.turn(answer(cfps["bob"], "bob", "not-understood"))
    (accept,) = guest.turn(answer(cfps["cleo"], "cleo", "propose", {"price": 10}))
    assert accept["receiver"] == "cleo"
    (report,) = guest.turn(answer(accept, "ams", "failure", {"reason": "agent stopped"}))
    assert report["content"] == {"bought": 0, "spent": 0, "failed": 1}


def test_rounds_wait_for_their_pause_and_cancel_ends_the_order() -> None:
    guest, cfps, _ = started(rounds=3, pause_ms=50)
    for name in SELLERS:
        said = guest.turn(answer(cfps[name], name, "refuse"))
    (pause,) = said
    assert pause["content"] == {"after_ms": 50, "tag": "pause-1"}
    again, _ = guest.turn(answer(pause, "timer", "inform", {"tag": "pause-1"}))
    assert (again["performative"], again["conversation_id"]) == ("cfp", "market-2")
    assert (
        guest.turn(answer(pause, "timer", "inform", {"tag": "pause-1"})) == []
    )  # an old one changes nothing
    assert guest.turn(order(1)) == [
        {"performative": "refuse", "content": {"reason": "busy with another order"}}
    ]
    assert guest.turn(message("cancel", conversation_id="o-1", reply_with="stop")) == []
    for name in each(again):
        said = guest.turn(answer(again, name, "refuse"))
    assert (said[0]["content"], said[0]["in_reply_to"]) == ({"bought": 0, "spent": 0, "failed": 2}, "stop")
    assert guest.turn(message("cancel", conversation_id="o-1"))[0]["performative"] == "failure"


def test_a_seller_offers_delivers_once_and_knows_no_other_offer() -> None:
    bob = seller("bob")
    cfp = message("cfp", {"item": "book", "round": 1}, conversation_id="market-1", sender="buyer@local")
    (propose,) = bob.turn(cfp)
    assert propose == {
        "performative": "propose",
        "reply_with": "offer-1",
        "content": {"item": "book", "price": 44},
    }
    elsewhere = message("accept-proposal", {"item": "book"}, conversation_id="market-2", sender="buyer@local")
    assert bob.turn(elsewhere)[0]["performative"] == "failure"
    accept = elsewhere | {"conversation_id": "market-1"}
    assert bob.turn(accept) == [
        {"performative": "inform", "content": {"done": True, "item": "book", "price": 44}}
    ]
    assert bob.turn(accept)[0]["performative"] == "failure"
    assert bob.turn(message("query-ref"))[0]["content"] == {
        "price": 49,
        "mood": "steady",
        "sold": 1,
        "earned": 44,
    }


def test_moods_differ_and_settings_are_checked() -> None:
    refusals = {}
    for name in SELLERS:
        guest = seller(name)
        acts = Counter(
            guest.turn(message("cfp", {"item": "x"}, conversation_id=f"m-{n}"))[0]["performative"]
            for n in range(300)
        )
        assert set(acts) <= {"propose", "refuse"}
        refusals[name] = acts["refuse"]
    assert refusals["ann"] == refusals["bob"] == 0
    assert 50 < refusals["cleo"] < 130
    for settings in ({"price": 0}, {"mood": "merry"}, {"price": 10**7}):
        assert Guest("market/seller").call("caxton_init", {"settings": settings})[0] < 0
    for other in ({"wait_ms": 0}, {"sellers": [1]}, {"sellers": ["x"] * 9}, {"sellers": ["x" * 64]}):
        assert Guest("market/buyer").call("caxton_init", {"settings": other})[0] < 0


class Market:
    """Four guests and the little that a host does between them: names, threads, a timer that comes last."""

    def __init__(self) -> None:
        self.guests = {"buyer": buyer()} | {
            name: seller(name, seed) for seed, name in enumerate(SELLERS, start=11)
        }
        self.log: list[tuple[str, str, str, object]] = []

    def run(self, rounds: int, *, swap: bool = False) -> Json:
        now: list[tuple[str, Json]] = [("buyer", order(rounds, 5, receiver=["buyer@local"]))]
        timers: list[tuple[str, Json]] = []
        while now or timers:
            name, taken = now.pop(0) if now else timers.pop(0)
            if swap:
                self.swap(name)
            for said in self.guests[name].turn(taken):
                sent = {
                    "conversation_id": taken["conversation_id"],
                    "protocol": taken["protocol"],
                    "in_reply_to": taken.get("reply_with"),
                    "receiver": taken["sender"],
                } | said
                sent = (
                    message(sent["performative"]) | {"reply_with": None} | sent | {"sender": f"{name}@local"}
                )
                receivers = sent["receiver"] if isinstance(sent["receiver"], list) else [sent["receiver"]]
                for to in (receiver.removesuffix("@local") for receiver in receivers):
                    self.log.append((name, to, sent["performative"], sent["content"]))
                    if to == "timer":
                        tag = {"tag": sent["content"]["tag"]}
                        timers.append((name, answer(sent, "timer", "inform", tag)))
                    elif to != "operator":
                        now.append((to, sent))
                    elif sent["performative"] == "inform":
                        return sent
        raise AssertionError("the order was never reported")

    def swap(self, name: str) -> None:
        """Put a new instance in the old one's place, as a deployment does."""
        fresh = buyer() if name == "buyer" else seller(name, 99)
        assert fresh.call("caxton_restore", self.guests[name].snapshot())[0] == 0
        self.guests[name] = fresh


def test_a_whole_order_lets_different_sellers_win_and_adds_up() -> None:
    market = Market()
    report = market.run(40)
    assert report["conversation_id"] == "o-1"
    wins = Counter(to for _, to, act, _ in market.log if act == "accept-proposal")
    assert set(wins) == set(SELLERS), wins
    delivered = [content for who, _, act, content in market.log if who in SELLERS and act == "inform"]
    assert report["content"] == {
        "bought": len(delivered),
        "spent": sum(content["price"] for content in delivered if isinstance(content, dict)),
        "failed": 40 - len(delivered),
    }
    acts = Counter(act for _, _, act, _ in market.log)
    assert acts["cfp"] == 120  # one to each of three
    assert acts["propose"] == acts["accept-proposal"] + acts["reject-proposal"]
    assert acts["refuse"] > 0
    assert acts["failure"] > 0


def test_the_same_order_gives_the_same_market_even_with_a_swap_before_every_turn() -> None:
    first, second = Market(), Market()
    assert first.run(6) == second.run(6, swap=True)
    assert first.log == second.log


@pytest.mark.parametrize("name", ["buyer", "seller"])
def test_a_state_that_is_none_is_refused(name: str) -> None:
    guest = buyer() if name == "buyer" else seller()
    for state in (b"", b"{}", b'{"v":2}', b'{"v":1', b"\x00\xff", b"[1]"):
        assert guest.call("caxton_restore", state)[0] < 0
    text = guest.snapshot()
    assert json.loads(text)["v"] == 1
    for cut in range(len(text) - 1):
        assert guest.call("caxton_restore", text[:cut])[0] < 0
    assert len(guest.turn(message("query-ref"))) == 1


HOSTILE = [
    b"",
    b"{",
    b'"',
    b"\\",
    b"null",
    b"[" * 5_000,
    b'{"performative"',
    b'{"performative":',
    b'{"performative":"request","content":',
    b'{"performative":"request","content":{"action":"buy","item":"\\',
    b'{"performative":"cfp","content":{"item":"\\ud800\\u"}}',
    b'{"performative":"request","content":{"action":"buy","item":"x","rounds":1e400,"pause_ms":-1}}',
    b'{"performative":"propose","sender":"ann","conversation_id":"market-1","content":{"price":99999999999999999999}}',
    b'{"performative":"failure","sender":"ams","conversation_id":"market-1","in_reply_to":"\xff"}',
    b'{"performative":"inform","sender":"timer","conversation_id":"market-1-"}',
    b'{"performative":"request","content":"' + b"\\u0000" * 40_000 + b'"}',
    b'{"performative":"request","content":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
    json.dumps(message("request", {"action": "buy", "item": "x" * 255_000})).encode(),
    json.dumps(message("cfp", {"item": "x" * 255_000})).encode(),
    bytes(range(256)) * 100,
]


SETTINGS: dict[str, Json | None] = {
    "market/buyer": {"sellers": SELLERS},
    "market/seller": {},
    **dict.fromkeys(("echo/echo", "relay/relay", "counter/counter")),
    **test_talks.SETTINGS,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_hostile_input_never_traps(name: str) -> None:
    settings = SETTINGS[name]
    guest = Guest(name, settings)
    whole = json.dumps(order() | {"content": {"action": "buy", "item": 'a"\\\n\u2028🦀'}}).encode()
    cuts = (whole[:n] for n in range(len(whole)))
    for text in itertools.chain(HOSTILE, cuts):
        guest.call("handle_message", text)
    assert len(guest.turn(message("request", {"action": "buy", "item": "book"}))) >= 1


def test_an_item_with_every_escape_comes_through_as_it_was() -> None:
    item = 'a"\\/\b\f\n\r\t\u2028 🦀 \x01'
    guest = buyer()
    agree, cfp, *_ = guest.turn(message("request", {"action": "buy", "item": item}))
    assert agree["content"]["item"] == cfp["content"]["item"] == item
    (propose,) = seller("bob").turn(message("cfp", {"item": item}))
    assert propose["content"]["item"] == item
