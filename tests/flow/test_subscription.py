"""The subscription example on a real daemon: refused, counted, cancelled, closed, and cut off, always legal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conversations import Json, Talks, branches, exercised, talking
from .running import EXAMPLES

FOLDER = EXAMPLES / "subscription"
PROTOCOL = "fipa-subscribe"


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talks]:
    with talking(tmp_path_factory.mktemp("subscription"), 'name = "subscription"\ncells = 1\n') as talks:
        yield talks


def pair(talks: Talks, name: str, *, wait_ms: int = 5000) -> tuple[str, str]:
    """A publisher and a subscriber whose names begin so."""
    talks.deploy(f"{name}-pub", "subscription/publisher", topics=["rates", "weather"])
    talks.deploy(f"{name}-sub", "subscription/subscriber", publisher=f"{name}-pub", wait_ms=wait_ms)
    return f"{name}-pub", f"{name}-sub"


def publish(talks: Talks, publisher: str, value: object, topic: str = "rates") -> int:
    """Set a value; how many subscribers were told."""
    (told,) = talks.ask(
        "request", publisher, {"action": "set", "topic": topic, "value": value}, protocol="fipa-request"
    )
    return int(told["content"]["told"])


def watch(talks: Talks, subscriber: str, **order: object) -> str:
    """Let it watch the rates and wait until it is subscribed, or knows that it is not; the order's conversation."""
    content = {"action": "watch", "topic": "rates"} | order
    sent = talks.send("request", subscriber, content, protocol="fipa-request", reply_with="watch")
    talks.until(
        lambda said: said[-1].get("protocol") == PROTOCOL and said[-1]["receiver"] == [f"{subscriber}@local"]
    )
    return str(sent.conversation_id)


def place(talks: Talks, subscriber: str) -> str:
    """The conversation of its last subscription."""
    return str(talks.said("subscribe", by=subscriber)[-1]["conversation_id"])


def test_the_folder_is_a_project_that_tells_what_changes(tmp_path: Path) -> None:
    configuration = (FOLDER / "caxton.toml").read_text()
    with talking(tmp_path / "subscription", configuration, [*FOLDER.glob("*.wasm")]) as talks:
        order = watch(talks, "watcher", count=3)
        assert [publish(talks, "publisher", value) for value in (40, 41, 41, 42)] == [1, 1, 0, 1]
        result = talks.result(order)
        assert result["content"] == {
            "ended": "counted", "topic": "rates", "heard": 3, "crossed": 0, "last": 42,
        }  # fmt: skip
        assert publish(talks, "publisher", 43) == 0
        found = talks.judge()
        assert branches(found, place(talks, "watcher")) == {"publisher": "cancelled"}
        assert exercised(found, PROTOCOL) >= {
            "start subscribe",
            "subscribed agree",
            "active inform",
            "any cancel",
            "any cancelled",
        }


def test_the_present_value_comes_first_and_each_change_in_its_order(talks: Talks) -> None:
    publisher, subscriber = pair(talks, "order")
    assert publish(talks, publisher, 0) == 0
    order = watch(talks, subscriber, count=30)
    for value in range(1, 30):
        assert publish(talks, publisher, value) == 1
    assert talks.result(order)["content"]["last"] == 29
    heard = talks.said("inform", by=publisher, protocol=PROTOCOL)
    assert [one["content"].get("value") for one in heard][:30] == list(range(30))
    assert heard[-1]["in_reply_to"] == "cancel-1"


def test_a_topic_that_there_is_not_is_refused(talks: Talks) -> None:
    _, subscriber = pair(talks, "none")
    agree, result = talks.ask(
        "request", subscriber, {"action": "watch", "topic": "gossip"}, replies=2, protocol="fipa-request"
    )
    assert (agree["performative"], result["performative"]) == ("agree", "failure")
    assert result["content"] == {"reason": "the publisher refused"}
    assert branches(talks.judge(), place(talks, subscriber)) == {"none-pub": "refused"}


def test_a_publisher_takes_so_many_subscriptions_and_no_more(talks: Talks) -> None:
    publisher, _ = pair(talks, "full")
    subscribe: Json = {"protocol": PROTOCOL, "reply_with": "s"}
    taken = [talks.ask("subscribe", publisher, {"topic": "weather"}, **subscribe)[0] for _ in range(16)]
    assert {one["performative"] for one in taken} == {"agree"}
    (refused,) = talks.ask("subscribe", publisher, {"topic": "weather"}, **subscribe)
    assert refused["performative"] == "refuse"
    (done,) = talks.ask(
        "cancel",
        publisher,
        None,
        conversation_id=taken[3]["conversation_id"],
        protocol=PROTOCOL,
        reply_with="c",
    )
    assert (done["performative"], done["in_reply_to"]) == ("inform", "c")
    (again,) = talks.ask("subscribe", publisher, {"topic": "weather"}, **subscribe)
    assert again["performative"] == "agree"
    assert publish(talks, publisher, "rain", "weather") == 16


def test_who_hears_too_little_in_time_cancels_all_the_same(talks: Talks) -> None:
    publisher, subscriber = pair(talks, "slow")
    assert publish(talks, publisher, 7) == 0
    order = watch(talks, subscriber, count=2, within_ms=100)
    content = talks.result(order)["content"]
    assert (content["ended"], content["heard"], content["last"]) == ("time", 1, 7)
    assert branches(talks.judge(), place(talks, subscriber)) == {publisher: "cancelled"}


def test_a_topic_that_is_closed_ends_its_subscriptions_by_failure(talks: Talks) -> None:
    publisher, subscriber = pair(talks, "closed")
    order = watch(talks, subscriber, count=9)
    publish(talks, publisher, 1)
    (told,) = talks.ask(
        "request",
        publisher,
        {"action": "close", "topic": "rates", "reason": "no more"},
        protocol="fipa-request",
    )
    assert told["content"]["told"] == 1
    assert talks.result(order)["content"]["ended"] == "closed"
    assert publish(talks, publisher, 2) == 0
    assert branches(talks.judge(), place(talks, subscriber)) == {publisher: "failed"}


def test_an_order_that_is_cancelled_is_confirmed_and_ends_the_subscription(talks: Talks) -> None:
    publisher, subscriber = pair(talks, "stop")
    order = watch(talks, subscriber, count=9)
    publish(talks, publisher, 1)
    (busy,) = talks.ask("request", subscriber, {"action": "watch", "topic": "rates"}, protocol="fipa-request")
    assert busy["performative"] == "refuse"
    (done,) = talks.ask(
        "cancel", subscriber, None, conversation_id=order, protocol="fipa-request", reply_with="x"
    )
    assert done["content"] | {"heard": 1} == {
        "cancelled": True, "topic": "rates", "heard": 1, "crossed": 0, "last": done["content"]["last"],
    }  # fmt: skip
    talks.until(
        lambda said: said[-1].get("in_reply_to") == "cancel-1" and said[-1]["sender"] == f"{publisher}@local"
    )
    found = talks.judge()
    assert branches(found, order) == {subscriber: "cancelled"}
    assert branches(found, place(talks, subscriber)) == {publisher: "cancelled"}


def test_a_subscriber_that_is_gone_or_cannot_be_reached_is_told_no_more(talks: Talks) -> None:
    publisher, subscriber = pair(talks, "gone")
    watch(talks, subscriber, count=9)
    talks.client.change_agent(subscriber, "stop")
    talks.until(
        lambda said: (said[-1]["performative"], said[-1]["receiver"]) == ("cancel", [f"{publisher}@local"])
    )
    assert publish(talks, publisher, 1) == 0, "the platform cancelled in its name"
    module = (EXAMPLES / "subscription" / "subscriber.wasm").read_bytes()
    talks.client.deploy("narrow", module, settings={"publisher": publisher}, limits={"mailbox": 1})
    watch(talks, "narrow", count=9)
    talks.until(
        lambda said: said[-1]["sender"] == f"{publisher}@local" and said[-1]["performative"] == "inform"
    )
    talks.client.change_agent("narrow", "suspend")
    told = [publish(talks, publisher, value) for value in range(2, 6)]
    assert told[-1] == 0, "one notification filled its mailbox, and the next was sent back"
    assert branches(talks.judge(), place(talks, "narrow")) == {publisher: "failed-delivery"}
    assert branches(talks.judge(), place(talks, subscriber)) == {publisher: "cancelled"}


def test_a_publisher_that_is_not_there_is_said_so(talks: Talks) -> None:
    talks.deploy("lonely", "subscription/subscriber", publisher="nobody")
    agree, result = talks.ask(
        "request", "lonely", {"action": "watch", "topic": "rates"}, replies=2, protocol="fipa-request"
    )
    assert (agree["performative"], result["performative"]) == ("agree", "failure")
    assert result["content"] == {"reason": "the publisher could not be asked"}
    assert branches(talks.judge(), place(talks, "lonely")) == {"nobody": "failed-delivery"}


def test_a_publisher_that_does_not_answer_is_not_waited_for(talks: Talks) -> None:
    # a relay answers requests and informs only: to a subscribe it says nothing
    talks.deploy("silent-pub", "relay/relay")
    talks.deploy("silent-sub", "subscription/subscriber", publisher="silent-pub", wait_ms=100)
    agree, result = talks.ask(
        "request", "silent-sub", {"action": "watch", "topic": "rates"}, replies=2, protocol="fipa-request"
    )
    assert (agree["performative"], result["performative"]) == ("agree", "failure")
    assert result["content"] == {"reason": "the publisher did not answer"}
