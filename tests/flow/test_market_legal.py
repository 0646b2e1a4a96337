"""The market on a real daemon: whatever happens to an order, every conversation is legal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conversations import Json, Talks, branches, exercised, talking
from .running import EXAMPLES

FOLDER = EXAMPLES / "market"
PROTOCOL = "fipa-contract-net"
BUY = {"action": "buy", "item": "book", "rounds": 1, "pause_ms": 0}


@pytest.fixture
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talks]:
    configuration = (FOLDER / "caxton.toml").read_text()
    with talking(tmp_path_factory.mktemp("market"), configuration, [*FOLDER.glob("*.wasm")]) as talks:
        yield talks


def buyer(talks: Talks, *sellers: str, wait_ms: int = 1000) -> None:
    """The project's buyer with other sellers."""
    talks.deploy("buyer", "market/buyer", sellers=list(sellers), wait_ms=wait_ms)


def test_a_long_order_takes_every_row_that_a_market_can_take(talks: Talks) -> None:
    report = talks.order("buyer", BUY | {"rounds": 60})["content"]
    assert report["bought"] + report["failed"] == 60
    found = talks.judge()
    assert exercised(found, PROTOCOL) == {
        "start cfp",
        "cfp-sent propose",
        "cfp-sent refuse",
        "proposed accept-proposal",
        "proposed reject-proposal",
        "accepted inform",
        "accepted failure",
    }
    rounds = [one for one in found["conversations"] if one["protocol"] == PROTOCOL]
    assert {(one["state"], one["aggregate"]) for one in rounds[-60:]} == {("Completed", "complete")}


def test_pauses_a_second_order_and_what_nobody_understands(talks: Talks) -> None:
    order = talks.send("request", "buyer", BUY | {"rounds": 2, "pause_ms": 300}, protocol="fipa-request")
    (busy,) = talks.ask("request", "buyer", BUY, protocol="fipa-request")
    assert busy["performative"] == "refuse"
    assert "bought" in talks.result(order.conversation_id)["content"]
    (odd,) = talks.ask("request", "buyer", {"action": "sing"}, protocol="fipa-request")
    (odd_too,) = talks.ask("cfp", "seller-bob", {"thing": 1}, protocol=PROTOCOL)
    (strange,) = talks.ask("subscribe", "seller-bob", None, protocol="fipa-subscribe")
    (asked,) = talks.ask("query-ref", "seller-bob", None, protocol="fipa-query")
    assert [one["performative"] for one in (odd, odd_too, strange, asked)] == [
        *["not-understood"] * 3,
        "inform",
    ]


@pytest.mark.parametrize("pause_ms", [0, 600_000])
def test_an_order_that_is_cancelled(talks: Talks, pause_ms: int) -> None:
    order = talks.send(
        "request",
        "buyer",
        BUY | {"rounds": 100_000, "pause_ms": pause_ms},
        protocol="fipa-request",
        reply_with="r",
    )
    where: dict[str, Any] = {"conversation_id": order.conversation_id, "protocol": "fipa-request"}
    if pause_ms:
        talks.until(lambda said: said[-1]["conversation_id"] == "market-1-pause")
    (done,) = talks.ask("cancel", "buyer", None, reply_with="c", **where)
    assert (done["performative"], done["in_reply_to"]) == ("inform", "c")
    assert branches(talks.judge(), order.conversation_id) == {"buyer": "cancelled"}


def test_sellers_that_are_not_there_stopped_or_silent(talks: Talks) -> None:
    talks.deploy("mute", "echo/echo")
    buyer(talks, "nobody", "seller-ann", "mute", "seller-bob", wait_ms=1000)
    talks.client.change_agent("seller-ann", "stop")
    report = talks.order("buyer", BUY)["content"]
    assert report["bought"] + report["failed"] == 1
    states = branches(talks.judge(), "market-1")
    assert states["nobody"] == states["seller-ann"] == "failed-delivery"
    assert states["mute"] == "no-response"
    assert states["seller-bob"] in ("done", "failed")
    buyer(talks, "nobody")
    assert talks.order("buyer", BUY)["content"] == {"bought": 0, "spent": 0, "failed": 1}


@pytest.mark.parametrize("mode", ["enforce", "warn", "off"])
def test_an_offer_that_comes_too_late_is_rejected(tmp_path: Path, mode: str) -> None:
    """By the platform under `enforce`, else by the buyer, who sees by the offer's time that it is late."""
    configuration = (FOLDER / "caxton.toml").read_text() + f'\n[referee]\nmode = "{mode}"\n'
    with talking(tmp_path / mode, configuration, [*FOLDER.glob("*.wasm")]) as talks:
        late_offer(talks, "ams@local" if mode == "enforce" else "buyer@local")


def late_offer(talks: Talks, rejects: str) -> None:
    buyer(talks, "seller-ann", "seller-bob", wait_ms=200)
    talks.client.change_agent("seller-ann", "suspend")
    report = talks.order("buyer", BUY)["content"]
    assert report["bought"] + report["failed"] == 1
    talks.client.change_agent("seller-ann", "resume")
    rejected: list[Json] = []

    def late(said: list[Json]) -> bool:
        one = said[-1]
        if one["performative"] == "reject-proposal" and one["receiver"] == ["seller-ann@local"]:
            rejected.append(one)
        return bool(rejected)

    talks.until(late)
    assert (rejected[0]["content"]["reason"], rejected[0]["sender"]) == ("late", rejects)
    assert branches(talks.judge(), "market-1")["seller-ann"] == "late-rejected"


def test_a_seller_that_stops_after_its_offer_wins_nothing(talks: Talks) -> None:
    talks.deploy("mute", "echo/echo")
    buyer(talks, "seller-bob", "mute", wait_ms=60_000)
    order = talks.send("request", "buyer", BUY, protocol="fipa-request")
    talks.until_said("propose", by="seller-bob")
    talks.client.change_agent("seller-bob", "stop")
    talks.client.change_agent("mute", "stop")
    assert talks.result(order.conversation_id)["content"] == {"bought": 0, "spent": 0, "failed": 1}
    assert branches(talks.judge(), "market-1") == {"seller-bob": "failed-delivery", "mute": "failed-delivery"}
