"""What is said to a topic is brought to its subscribers, in one row, over every end of the daemon."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.example_modules import module
from caxton.limits import Limits
from caxton.sandbox.python.runtime import packed
from caxton.testing import Agent, Crashed, System, runtime
from testing.orders import EXAMPLES

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("python_runtime")]

LISTENER = b"""
from caxton_agent import reply, send, state
def handle(message):
    content = message["content"]
    if content == "boom":
        raise ValueError(content)
    if message["receiver"][0].startswith("topic:"):
        state.setdefault("heard", []).append([message["receiver"][0], message["sender"], content])
    elif content == "tell":
        reply("inform", [state.get("heard", []), state.get("told", [])])
    elif message["sender"].startswith("topics@"):
        state.setdefault("told", []).append([message["performative"], content])
    else:
        for act, receiver, content, more in content:
            send(act, receiver, content, **more)
"""
BUILD = packed(EXAMPLES / "listener.py", LISTENER)
SENSOR = "topic:sensors/kitchen"


def do(system: System, agent: str, *said: Any) -> None:
    system.submit([[act, receiver, content, more] for act, receiver, content, more in said], to=agent)
    system.until_quiet(0.001)


def subscribe(system: System, agent: str, topic: Any, conversation_id: str = "s", **more: Any) -> None:
    more = {"conversation_id": f"{conversation_id}-{agent}", "protocol": "fipa-subscribe", **more}
    do(system, agent, ("subscribe", "topics", topic, {"reply_with": "r", **more}))


def publish(system: System, agent: str, topic: str, *contents: Any, **more: Any) -> None:
    do(system, agent, *(("inform", topic, content, more) for content in contents))


def heard(system: System, agent: str) -> list[Any]:
    return [content for _, _, content in system.ask("tell", to=agent)["content"][0]]


def told(system: System, agent: str) -> list[Any]:
    found: list[Any] = system.ask("tell", to=agent)["content"][1]
    return found


def test_a_publication_is_one_row_and_comes_to_every_subscriber_once() -> None:
    with runtime({"p": BUILD, "a": BUILD, "b": BUILD, "c": BUILD}) as system:
        subscribe(system, "a", "sensors/kitchen")
        subscribe(system, "b", {"topic": ["topic:sensors/*", "sensors/kitchen"]})
        subscribe(system, "c", ["lamps"])
        assert told(system, "a") == [["agree", {"topic": ["sensors/kitchen"]}]]
        before = system.messages()
        publish(system, "p", SENSOR, 21.5, 22)
        assert (heard(system, "a"), heard(system, "b"), heard(system, "c")) == ([21.5, 22], [21.5, 22], [])
        said = [one for one in system.messages()[len(before) :] if one["sender"] == "p@local"]
        assert [(one["receiver"], one["content"]) for one in said] == [
            (["topic:sensors/kitchen@local"], 21.5),
            (["topic:sensors/kitchen@local"], 22),
        ]
        assert system.ask("tell", to="a")["content"][0][0] == ["topic:sensors/kitchen@local", "p@local", 21.5]
        topics = system.runtime.topics
        assert topics is not None
        (topic,) = [one for one in topics.topics() if one.name == "sensors/kitchen"]
        assert (topic.publications, topic.deliveries, topic.lost) == (2, 4, 0)


def test_a_client_publishes_and_an_agent_may_hear_itself() -> None:
    with runtime({"a": BUILD}) as system:
        subscribe(system, "a", "news.*")
        system.submit("hello", to="topic:news.today", performative="inform")
        publish(system, "a", "topic:news.tomorrow", "again")
        assert heard(system, "a") == ["hello", "again"]
        system.submit("nobody", to="topic:other", performative="inform")
        system.until_quiet()
        assert not system.rows()["dead_letter"]


def test_cancel_ends_a_subscription() -> None:
    with runtime({"p": BUILD, "a": BUILD}) as system:
        subscribe(system, "a", "t")
        subscribe(system, "a", "t", "again")
        publish(system, "p", "topic:t", 1)
        cancel = {"conversation_id": "s-a", "protocol": "fipa-subscribe", "reply_with": "c"}
        do(system, "a", ("cancel", "topics", None, cancel))
        publish(system, "p", "topic:t", 2)
        assert heard(system, "a") == [1, 2], "the other subscription goes on"
        cancel = {"conversation_id": "again-a", "protocol": "fipa-subscribe", "reply_with": "c"}
        do(system, "a", ("cancel", "topics", None, cancel))
        publish(system, "p", "topic:t", 3)
        assert heard(system, "a") == [1, 2]
        assert told(system, "a")[-1] == ["inform", {"cancelled": ["t"]}]
        do(system, "a", ("cancel", "topics", None, {"conversation_id": "none"}))
        assert told(system, "a")[-1][0] == "failure"


def test_what_was_retained_comes_to_new_subscribers() -> None:
    with runtime({"p": BUILD, "a": BUILD, "b": BUILD, "c": BUILD}) as system:
        publish(system, "p", SENSOR, 20, 21, x_retain=True)
        publish(system, "p", SENSOR, 99)
        system.run(system.runtime.journal.written())
        system.crash()
        system.start()
        subscribe(system, "a", "sensors/*")
        subscribe(system, "b", {"topic": "sensors/*", "retained": False})
        assert system.ask("tell", to="a")["content"][0] == [["topic:sensors/kitchen@local", "p@local", 21]]
        assert heard(system, "b") == []
        publish(system, "p", SENSOR, None, x_retain=True)
        subscribe(system, "c", "sensors/*")
        assert heard(system, "c") == []


def test_a_full_subscriber_loses_it_and_the_publisher_hears_nothing() -> None:
    small = Agent(BUILD, limits=Limits(mailbox=2))
    with runtime({"p": BUILD, "full": small, "b": BUILD}) as system:
        subscribe(system, "full", "t")
        subscribe(system, "b", "t")
        system.run(system.runtime.agents.suspend("full"))
        publish(system, "p", "topic:t", 1, 2, 3, 4)
        assert heard(system, "b") == [1, 2, 3, 4]
        system.run(system.runtime.agents.resume("full"))
        system.until_quiet()
        assert heard(system, "full") == [1, 2]
        counts = system.runtime.bus.counts
        assert (counts.publications, counts.publications_lost, counts.dead_letters) == (4, 2, 0)
        assert not system.messages(receiver="p@local", performative="failure")


def test_the_publisher_hears_nothing_of_a_subscriber_that_fails() -> None:
    with runtime({"p": BUILD, "a": BUILD}) as system:
        subscribe(system, "a", "t")
        publish(system, "p", "topic:t", "boom")
        ((_, agent, _, code, _),) = system.rows()["dead_letter"]
        assert (agent, code) == ("a@local", "guest_error")
        assert not system.messages(performative="failure")


@pytest.mark.parametrize("seed", range(6))
def test_every_subscriber_reads_each_publication_once_whenever_the_power_goes(seed: int) -> None:
    names = ["a", "b", "c"]
    with runtime({"p": BUILD, **dict.fromkeys(names, BUILD)}, seed=seed) as system:
        for name in names:
            subscribe(system, name, "t*")
        system.run(system.runtime.journal.written())
        sent = 0
        for _ in range(3):
            system.crash_after(12 + 5 * seed)
            try:
                for _ in range(5):
                    system.send(sent, to="topic:t1", performative="inform")
                    sent += 1
                system.until_quiet()
            except Crashed:
                system.crash_after(None)
                system.start()
        system.crash_after(None)
        system.until_quiet()
        published = [one["content"] for one in system.messages(receiver="topic:t1@local")]
        assert len(published) >= sent > 0
        for name in names:
            assert heard(system, name) == published


def test_a_stopped_subscriber_ends_and_a_removed_one_too() -> None:
    with runtime({"p": BUILD, "a": BUILD, "b": BUILD}) as system:
        topics = system.runtime.topics
        assert topics is not None
        subscribe(system, "a", "t")
        subscribe(system, "b", "t", protocol=None)
        system.run(system.runtime.agents.stop("a"))
        assert [one.subscriber for one in topics.subscriptions()] == ["b@local"]
        system.run(system.runtime.agents.remove("b"))
        assert topics.subscriptions() == []
        publish(system, "p", "topic:t", 1)
        assert not system.rows()["dead_letter"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no topic"),
        ({"topic": "a b"}, "no topic"),
        ([], "1 to 100"),
        ({"topic": "a", "retained": 1}, "retained"),
    ],
)
def test_what_is_wrong_is_named(content: Any, says: str) -> None:
    with runtime({"a": BUILD}) as system:
        do(system, "a", ("subscribe", "topics", content, {}))
        ((act, answer),) = told(system, "a")
        assert act == "not-understood"
        assert says in answer["reason"]


def test_an_agent_of_that_name_keeps_it() -> None:
    echo = module("echo")
    with runtime(
        {"a": BUILD, "topics": echo}, config={"agents": {"topics": {"wasm": "topics.wasm"}}}
    ) as system:
        assert system.runtime.topics is None
        assert system.ask("hi", to="topics")["content"] == "hi"
        system.submit("x", to="topic:t", performative="inform", conversation_id="c")
        system.until_quiet()
        (failed,) = system.messages(conversation_id="c", performative="failure")
        assert "topics" in failed["content"]["reason"]
        system.restart()
        assert system.runtime.topics is None


def test_a_new_agent_cannot_have_that_name() -> None:
    from caxton.errors import ConfigurationError

    with runtime({"a": BUILD}) as system, pytest.raises(ConfigurationError, match="belongs to the platform"):
        system.deploy("topics", module("echo"))
