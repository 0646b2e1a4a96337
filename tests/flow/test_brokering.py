"""The brokering example on a real daemon: answers, refusals, failures and nobody at all, always legal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from .conversations import Json, Talks, branches, exercised, talking
from .running import EXAMPLES

FOLDER = EXAMPLES / "brokering"
PROTOCOL = "fipa-brokering"


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talks]:
    """The example itself; its conversations do not get into each other's way."""
    configuration = (FOLDER / "caxton.toml").read_text()
    with talking(tmp_path_factory.mktemp("brokering"), configuration, [*FOLDER.glob("*.wasm")]) as talks:
        yield talks


def proxy(service: str, about: str = "oslo", constraint: Mapping[str, int] | None = None) -> Json:
    content: Json = {
        "descriptor": {"service": service},
        "message": {"performative": "query-ref", "content": {"about": about}},
    }
    return content | ({"constraint": dict(constraint)} if constraint else {})


def brokered(talks: Talks, content: Json, replies: int, broker: str = "broker") -> tuple[list[Json], Json]:
    """What the broker answered after its agree and its inform, and what the judge says of everything."""
    agree, done, *answers = talks.ask(
        "proxy", broker, content, replies=replies, protocol=PROTOCOL, reply_with="p"
    )
    assert (agree["performative"], done["performative"]) == ("agree", "inform")
    assert {one["in_reply_to"] for one in answers} <= {"p"}
    return answers, talks.judge()


def state(found: Json, answers: list[Json], broker: str = "broker") -> str:
    return branches(found, answers[0]["conversation_id"])[broker]


def test_every_answer_is_relayed_and_then_it_is_done(talks: Talks) -> None:
    answers, found = brokered(talks, proxy("weather"), 6)
    assert Counter((one["content"]["from"], one["performative"]) for one in answers) == {
        ("north", "inform"): 1,
        ("south", "inform"): 1,
        ("slow", "agree"): 1,
        ("slow", "inform"): 1,
    }
    said = {
        one["content"]["from"]: one["content"]["content"]
        for one in answers
        if one["performative"] == "inform"
    }
    assert said["north"] == {"about": "oslo", "is": "rain"}
    assert state(found, answers) == "done"
    assert exercised(found, PROTOCOL) >= {
        "start proxy",
        "proxied agree",
        "agreed inform",
        "forwarding inform",
        "forwarding agree",
        "forwarding served",
    }
    subs = [one for one in talks.messages() if one.get("x_proxy_of") == answers[0]["conversation_id"]]
    assert [one["receiver"] for one in subs] == [["north@local"], ["south@local"], ["slow@local"]]
    assert {one["protocol"] for one in subs} == {"fipa-query"}


def test_who_does_not_know_refuses_and_that_is_relayed(talks: Talks) -> None:
    answers, found = brokered(talks, proxy("weather", "rome", {"at_most": 2}), 4)
    assert {one["content"]["from"]: one["performative"] for one in answers} == {
        "north": "refuse",
        "south": "inform",
    }
    assert state(found, answers) == "done"


def test_where_nobody_is_found_the_broker_refuses(talks: Talks) -> None:
    (refusal,) = talks.ask("proxy", "broker", proxy("gossip"), protocol=PROTOCOL)
    assert (refusal["performative"], refusal["content"]["reason"]) == (
        "refuse",
        "nobody is known who offers that service",
    )
    assert branches(talks.judge(), refusal["conversation_id"]) == {"broker": "refused"}


def test_the_directory_is_asked_who_offers_a_service(talks: Talks) -> None:
    answers, found = brokered_by_finder(talks, "forecasts")
    assert [(one["performative"], one["content"]) for one in answers] == [("failure", {"reason": "no match"})]
    assert state(found, answers, "finder") == "failed"
    for name in ("north", "south"):
        description = {"name": name, "services": [{"name": "oslo", "type": "forecasts"}]}
        (done,) = talks.ask("request", "df", {"action": "register", "description": description})
        assert done["performative"] == "inform", done
    done, *answers = brokered_by_finder(talks, "forecasts", 4)[0]
    assert sorted(done["content"]["asked"]) == ["north@local", "south@local"]
    said = {one["content"]["from"]: one["content"]["content"]["is"] for one in answers}
    assert said == {"north@local": "rain", "south@local": "cold"}
    done, answer = brokered_by_finder(talks, "forecasts", 3, at_most=1)[0]
    assert done["content"]["asked"] == [answer["content"]["from"]]
    found = talks.judge()
    assert exercised(found, PROTOCOL) >= {"agreed failure", "agreed inform", "forwarding served"}
    assert state(found, [answer], "finder") == "done"


def brokered_by_finder(
    talks: Talks, service: str, replies: int = 2, **constraint: int
) -> tuple[list[Json], Json]:
    agree, *answers = talks.ask(
        "proxy",
        "finder",
        proxy(service, constraint=constraint),
        replies=replies,
        protocol=PROTOCOL,
        reply_with="p",
    )
    assert agree["performative"] == "agree"
    return answers, talks.judge()


def test_one_that_fails_does_not_spoil_the_others_answer(talks: Talks) -> None:
    answers, found = brokered(talks, proxy("tides"), 4)
    by = {one["content"]["from"]: one for one in answers}
    assert by["north"]["content"]["content"]["is"] == "rain"
    assert by["broken"]["performative"] == "inform"
    assert by["broken"]["content"]["failed"] == {"reason": "the instruments are broken"}
    assert state(found, answers) == "done"


def test_where_everybody_fails_the_broker_fails(talks: Talks) -> None:
    answers, found = brokered(talks, proxy("ice"), 3)
    assert answers[0]["performative"] == "failure"
    assert answers[0]["content"]["failed"] == {"reason": "the instruments are broken"}
    assert state(found, answers) == "failed"
    answers, found = brokered(talks, proxy("snow"), 3)
    assert (answers[0]["performative"], answers[0]["content"]) == ("failure", {"reason": "nobody answered"})
    assert state(found, answers) == "failed"


def test_who_is_gone_is_not_waited_for_where_another_answers(talks: Talks) -> None:
    talks.deploy("half", "brokering/broker", services={"w": ["gone", "north", "gone-too"]}, wait_ms=60_000)
    answers, found = brokered(talks, proxy("w"), 3, "half")
    assert answers[0]["content"]["from"] == "north"
    assert state(found, answers, "half") == "done"


def test_who_does_not_answer_in_time_is_not_waited_for(talks: Talks) -> None:
    talks.deploy("mute", "relay/relay")
    talks.deploy("slower", "brokering/expert", knows={"oslo": "later"}, slow_ms=600_000)
    talks.deploy("hasty", "brokering/broker", services={"w": ["mute"], "v": ["mute", "slower"]}, wait_ms=500)
    answers, found = brokered(talks, proxy("w"), 3, "hasty")
    assert answers[0]["content"] == {"reason": "nobody answered"}
    assert state(found, answers, "hasty") == "failed"
    # one has agreed and is too slow: it is told so by cancel
    agree, failure = brokered(talks, proxy("v"), 4, "hasty")[0]
    assert (agree["performative"], failure["performative"]) == ("agree", "failure")
    talks.until(lambda said: said[-1]["sender"] == "slower@local" and said[-1]["performative"] == "inform"
                and said[-1].get("in_reply_to") == "cancel-1")  # fmt: skip


def test_a_cancelled_proxy_is_called_off_everywhere(talks: Talks) -> None:
    talks.deploy("snail", "brokering/expert", knows={"oslo": "later"}, slow_ms=600_000)
    talks.deploy("patient", "brokering/broker", services={"w": ["snail"]}, wait_ms=120_000)
    said = talks.ask("proxy", "patient", proxy("w"), replies=3, protocol=PROTOCOL, reply_with="p")
    assert [one["performative"] for one in said] == ["agree", "inform", "agree"]
    where = said[0]["conversation_id"]
    (done,) = talks.ask("cancel", "patient", None, conversation_id=where, protocol=PROTOCOL, reply_with="c")
    assert (done["performative"], done["in_reply_to"]) == ("inform", "c")
    talks.until(lambda all: all[-1]["sender"] == "snail@local" and all[-1].get("in_reply_to") == "cancel-0")
    found = talks.judge()
    assert branches(found, where) == {"patient": "cancelled"}
    (sub,) = [one for one in talks.messages() if one.get("x_proxy_of") == where]
    assert branches(found, sub["conversation_id"]) == {"snail": "cancelled"}


def test_what_is_no_proxy_is_not_understood_and_what_cannot_be_passed_on_refused(talks: Talks) -> None:
    (odd,) = talks.ask("proxy", "broker", {"to": "whom it may concern"}, protocol=PROTOCOL)
    assert odd["performative"] == "not-understood"
    content = proxy("weather") | {"message": {"performative": "cfp", "content": None}}
    (refusal,) = talks.ask("proxy", "broker", content, protocol=PROTOCOL)
    assert refusal["performative"] == "refuse"


def test_many_at_a_time_and_each_gets_its_own_answers(talks: Talks) -> None:
    talks.deploy("crowd-slow", "brokering/expert", knows={"oslo": "fog"}, slow_ms=500)
    talks.deploy("crowd", "brokering/broker", services={"w": ["crowd-slow"], "v": ["north"]}, wait_ms=60_000)
    first = talks.send("proxy", "crowd", proxy("w"), protocol=PROTOCOL).conversation_id
    answers, _ = brokered(talks, proxy("v"), 3, "crowd")
    assert answers[0]["content"]["from"] == "north"
    talks.until(lambda said: said[-1]["conversation_id"] == first and said[-1]["content"].get("from") == "crowd-slow"
                and said[-1]["performative"] == "inform")  # fmt: skip
    assert branches(talks.judge(), first) == {"crowd": "done"}
