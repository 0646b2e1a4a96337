"""The directory facilitator: registering, finding, leases, subscriptions; over restarts, and always legally."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bus.asking import guest_told, told, violations
from bus.harness import Json, Stand, stand

from caxton.clock import VirtualClock
from caxton.journal import DirectoryRow
from caxton.platform_agents import df, management_agent, subscriptions

SELLER: Json = {"name": "ann", "services": [{"name": "books", "type": "selling"}]}
SEARCH: Json = {"action": "search", "description": {"services": [{"type": "selling"}]}}


def wish(action: str, description: Json | None = None, **constraints: Any) -> Json:
    said: Json = {"action": action}
    if description is not None:
        said["description"] = description
    return {**said, "constraints": constraints} if constraints else said


async def names(runtime: Stand, search: Json = SEARCH) -> list[str]:
    answer = await told(runtime, "df", search)
    assert answer["performative"] == "inform", answer
    return [one["name"] for one in answer["content"]["result"]]


async def error(runtime: Stand, content: object, **more: Any) -> tuple[str, str, list[str]]:
    answer = await told(runtime, "df", content, **more)
    said = answer["content"]
    assert said["reason"]
    assert said["act"] == more.get("act", "request")
    return answer["performative"], said["error"], said["arguments"]


async def test_an_agent_registers_is_found_changes_and_leaves(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        answer = await guest_told(runtime, "ann", "df", wish("register", SELLER), reply_with="r-1")
        assert (answer["performative"], answer["in_reply_to"]) == ("inform", "r-1")
        whole = {**SELLER, "name": "ann@local"}
        assert answer["content"] == {"action": "register", "done": True, "description": whole}
        found = await told(runtime, "df", SEARCH)
        assert found["content"] == {"action": "search", "result": [whole]}
        changed = {**SELLER, "services": [{"type": "telling"}]}
        assert (await guest_told(runtime, "ann", "df", wish("modify", changed)))["performative"] == "inform"
        assert await names(runtime) == []
        assert await names(runtime, wish("search", {"services": [{"type": "telling"}]})) == ["ann@local"]
        gone = await guest_told(runtime, "ann", "df", wish("deregister", {"name": "ann"}))
        assert gone["content"] == {"action": "deregister", "done": True}
        assert await names(runtime, wish("search")) == []
        assert await violations(runtime) == []
        assert runtime.pending() == []


async def test_who_may_speak_for_whom(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        for name in ("ann", "bob"):
            runtime.agent(name)
        for action in ("register", "modify", "deregister"):
            answer = await guest_told(runtime, "bob", "df", wish(action, SELLER))
            assert (answer["performative"], answer["content"]["error"]) == ("refuse", "unauthorised")
        assert (await told(runtime, "df", wish("register", SELLER)))["performative"] == "inform"
        assert await names(runtime) == ["ann@local"]
        own = wish("register", {"name": "operator.tim", "services": [{"type": "selling"}]})
        assert (await told(runtime, "df", own, sender="operator.tim"))["performative"] == "inform"
        there = wish("register", {"name": "eve@elsewhere", "services": [{"type": "selling"}]})
        assert (await told(runtime, "df", there))["performative"] == "inform"
        assert await names(runtime) == ["ann@local", "operator.tim@local", "eve@elsewhere"]
        assert await violations(runtime) == []


async def test_exceptions_have_fipas_names(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        nothing = {"name": "ann"}
        of = "df-agent-description"
        assert await error(runtime, wish("modify", nothing)) == ("failure", "not-registered", [])
        assert await error(runtime, wish("deregister", nothing)) == ("failure", "not-registered", [])
        await told(runtime, "df", wish("register", SELLER))
        assert await error(runtime, wish("register", SELLER)) == ("failure", "already-registered", [])
        refusals: list[tuple[object, str, list[str]]] = [
            (wish("fly"), "unsupported-function", ["fly"]),
            (wish("register"), "missing-argument", []),
            (wish("register", {}), "missing-parameter", [of, "name"]),
            (wish("register", {"name": "b"}), "unrecognised-parameter-value", ["name", "b@local"]),
            (wish("modify", {"name": "ann", "services": [{"ownership": "me"}]}), "missing-parameter",
             ["service-description", "type"]),
            (wish("register", {"name": "ann", "lease": "1h"}), "unexpected-parameter", [of, "lease"]),
            (wish("modify", {"name": "ann", "lease-time": "0s"}), "unrecognised-parameter-value",
             ["lease-time", "2023-11-14T22:13:20.000000Z"]),
            (wish("register", nothing, max_results=1), "unexpected-argument-count", []),
            (wish("search", {}, max_results="all"), "unrecognised-parameter-value", ["max-results", "all"]),
            ({"action": "search", "template": {}}, "unexpected-argument", ["template"]),
        ]  # fmt: skip
        runtime.rings.stands_at_us = 1_700_000_000_000_000
        for content, name, arguments in refusals:
            assert await error(runtime, content) == ("refuse", name, arguments)
        for content in (None, [], "search", {}, {"action": 1}, 5):
            assert await error(runtime, content) == ("not-understood", "unrecognised-value", ["content"])
        assert await error(runtime, SEARCH, language="kif") == (
            "not-understood",
            "unsupported-value",
            ["language"],
        )
        assert await error(runtime, SEARCH, ontology="market") == (
            "not-understood",
            "unsupported-value",
            ["ontology"],
        )
        assert await names(runtime, SEARCH) == ["ann@local"]
        assert (await told(runtime, "df", SEARCH, ontology="FIPA-Agent-Management"))[
            "performative"
        ] == "inform"
        assert await error(runtime, SEARCH, act="query-ref", protocol="fipa-query") == (
            "not-understood",
            "unsupported-act",
            ["query-ref"],
        )
        assert await violations(runtime) == []
        assert runtime.pending() == []


async def test_constraints_bound_a_search(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        for n in range(4):
            name = f"s{n}"
            runtime.agent(name)
            await told(runtime, "df", wish("register", {"name": name, "services": [{"type": "selling"}]}))
        search = SEARCH["description"]
        assert await names(runtime, wish("search", search, max_results=2)) == ["s0@local", "s1@local"]
        assert await names(runtime, {**SEARCH, "search-constraints": {"max-results": 0}}) == []
        all_of_them = wish("search", search, **{"max-results": -1, "max-depth": 3, "search-id": "x"})
        assert len(await names(runtime, all_of_them)) == 4


async def test_a_lease_ends_also_while_nothing_runs(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        granted: list[str | None] = []
        for name, lease in (("ann", "10s"), ("bob", "1h"), ("eve", None)):
            runtime.agent(name)
            answer = await told(
                runtime, "df", wish("register", {**SELLER, "name": name, "lease-time": lease})
            )
            granted.append(answer["content"]["description"].get("lease-time"))
        assert granted == ["2023-11-14T22:13:30.000000Z", "2023-11-14T23:13:20.000000Z", None]
        clock.advance(9.999_999)
        assert await names(runtime) == ["ann@local", "bob@local", "eve@local"]
        renewed = wish("modify", {**SELLER, "lease-time": "2023-11-14T22:14:00Z"})
        assert (await told(runtime, "df", renewed))["performative"] == "inform"
        clock.advance(30)
        assert await names(runtime) == ["ann@local", "bob@local", "eve@local"]
        clock.advance(0.000_001)
        assert [one.name for one in runtime.df.entries()] == ["bob@local", "eve@local"]
        await runtime.commit()
        assert {row.key for row in await runtime.journal.reader.directory("df")} == {"bob@local", "eve@local"}
    clock = VirtualClock(clock.now_us() + 7_200_000_000)
    async with stand(tmp_path, clock) as runtime:
        assert [one.name for one in runtime.df.entries()] == ["eve@local"]
        runtime.df.begin()
        clock.advance(0)
        await runtime.commit()
        assert [row.key for row in await runtime.journal.reader.directory("df")] == ["eve@local"]


@pytest.mark.parametrize("days", [60, -60, 1, -1])
async def test_a_clock_that_is_set_ends_no_lease_and_lengthens_none(tmp_path: Path, days: int) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        for name in ("ann", "bob"):
            runtime.agent(name)
            clock.set_by(days * 86_400)
            # said in the time of the clock as it stands
            lease = wish("register", {**SELLER, "name": name, "lease-time": "10s"})
            assert (await told(runtime, "df", lease))["performative"] == "inform"
        clock.advance(9)
        assert await names(runtime) == ["ann@local", "bob@local"]
        clock.advance(1)
        assert [one.name for one in runtime.df.entries()] == []
        assert await names(runtime) == []


async def test_a_clock_that_was_set_back_at_a_start_makes_no_lease_longer(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("ann")
        await told(runtime, "df", wish("register", {**SELLER, "name": "ann", "lease-time": "10s"}))
        await runtime.commit()
    clock.set_by(-60 * 86_400)
    async with stand(tmp_path, clock) as runtime:
        assert [one.name for one in runtime.df.entries()] == ["ann@local"]
        clock.advance(10)
        assert [one.name for one in runtime.df.entries()] == []


async def notices(runtime: Stand, talk: str = "talk") -> list[tuple[str, list[str], Json | None]]:
    """What a subscription was told: act, who was found, what had changed."""
    rows = await runtime.messages()
    found = [one for one in rows if one["conversation_id"] == talk and one["sender"] == "df@local"]
    return [
        (one["performative"], [e["name"] for e in one["content"]["result"]], one["content"].get("change"))
        for one in found
        if "result" in one["content"]
    ]


async def subscribe(runtime: Stand, content: object = SEARCH, talk: str = "talk", **more: Any) -> Json:
    more = {"act": "subscribe", "protocol": "fipa-subscribe", "conversation_id": talk, **more}
    return await told(runtime, "df", content, **more)


async def test_a_subscriber_hears_what_there_is_and_every_change(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        for name in ("ann", "bob"):
            runtime.agent(name)
        await told(runtime, "df", wish("register", SELLER))
        first = await subscribe(runtime, reply_with="s-1")
        assert (first["performative"], first["in_reply_to"]) == ("inform", "s-1")
        bob = {"name": "bob", "services": [{"type": "selling"}], "lease-time": "10s"}
        await told(runtime, "df", wish("register", bob))
        await told(runtime, "df", wish("modify", {**SELLER, "languages": ["json"]}))
        await told(runtime, "df", wish("modify", {**SELLER, "languages": ["json"]}))
        await told(runtime, "df", wish("modify", {"name": "ann", "services": [{"type": "telling"}]}))
        await told(runtime, "df", wish("deregister", {"name": "ann"}))
        clock.advance(10)
        ann, both = ["ann@local"], ["ann@local", "bob@local"]
        assert await notices(runtime) == [
            ("inform", ann, None),
            ("inform", both, {"what": "registered", "name": "bob@local"}),
            ("inform", both, {"what": "modified", "name": "ann@local"}),
            ("inform", ["bob@local"], {"what": "modified", "name": "ann@local"}),
            ("inform", [], {"what": "expired", "name": "bob@local"}),
        ]
        said = [one for one in await runtime.messages() if one["conversation_id"] == "talk"]
        assert {one.get("in_reply_to") for one in said[1:]} == {"s-1"}
        assert {one["protocol"] for one in said} == {"fipa-subscribe"}
        assert await violations(runtime) == []


async def test_cancel_ends_a_subscription(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        await subscribe(runtime)
        cancel: dict[str, Any] = {"act": "cancel", "protocol": "fipa-subscribe", "conversation_id": "talk"}
        foreign = await told(runtime, "df", None, **{**cancel, "conversation_id": "other", "protocol": None})
        assert (foreign["performative"], foreign["content"]["arguments"]) == (
            "failure",
            ["nothing to cancel"],
        )
        answer = await told(runtime, "df", None, reply_with="c-1", **cancel)
        assert (answer["performative"], answer["in_reply_to"]) == ("inform", "c-1")
        assert answer["content"] == {"action": "cancel", "done": True}
        await told(runtime, "df", wish("register", SELLER))
        assert len(await notices(runtime)) == 1
        assert runtime.df.subscriptions() == []
        assert await violations(runtime) == []


async def test_only_a_search_can_be_subscribed_to_and_once_a_conversation(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        more = {"act": "subscribe", "protocol": "fipa-subscribe"}
        assert await error(runtime, wish("register", SELLER), **more) == (
            "refuse",
            "unsupported-function",
            ["register"],
        )
        assert (await error(runtime, {"action": "search", "description": {"x": 1}}, **more))[:2] == (
            "refuse",
            "unexpected-parameter",
        )
        assert await violations(runtime) == []
        await subscribe(runtime)
        await subscribe(runtime, talk="free", protocol=None)
        again = await subscribe(runtime, talk="free", protocol=None)
        assert (again["performative"], again["content"]["error"]) == ("refuse", "unsupported-function")
        assert len(runtime.df.subscriptions()) == 2


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        await told(runtime, "df", wish("register", {**SELLER, "lease-time": "300d"}))
        await subscribe(runtime, reply_with="s-1")
        sl0 = "((iota ?x (result (action df (search (df-agent-description :name ann))) ?x)))"
        await subscribe(runtime, sl0, "sl", language="fipa-sl0")
        await subscribe(runtime, talk="ended")
        cancel: dict[str, Any] = {"act": "cancel", "conversation_id": "ended", "protocol": "fipa-subscribe"}
        await told(runtime, "df", None, reply_with="c-1", **cancel)
        before = runtime.df.entries()
        await runtime.commit()
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        assert runtime.df.entries() == before
        assert [one.conversation_id for one in runtime.df.subscriptions()] == ["talk", "sl"]
        assert runtime.pending() == []
        # a stand has the same ids again after a restart
        await told(runtime, "df", wish("deregister", {"name": "ann"}), conversation_id="leave")
        assert (await notices(runtime))[1:] == [("inform", [], {"what": "deregistered", "name": "ann@local"})]
        *_, last = [one for one in await runtime.messages() if one["conversation_id"] == "sl"]
        assert (last["content"], last["language"]) == (
            "((= (iota ?x (result (action (agent-identifier :name df@local) (search (df-agent-description "
            ":name (agent-identifier :name ann@local)))) ?x)) (sequence)))",
            "fipa-sl0",
        )
        assert await violations(runtime) == []


async def test_a_subscription_that_another_version_took_does_not_keep_the_daemon_from_starting(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as runtime:
        await subscribe(runtime)
        (row,) = await runtime.journal.reader.directory("subscription")
        old = str(row.body).replace('"search"', '"watch"')
        runtime.journal.batch.records.append(DirectoryRow("subscription", row.key, row.at_us, None, old))
        await runtime.commit()
    async with stand(tmp_path) as runtime:
        assert runtime.df.subscriptions() == []
        await runtime.commit()
        assert await runtime.journal.reader.directory("subscription") == []


async def test_who_is_removed_leaves_the_directory_and_hears_nothing_more(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        for name in ("ann", "bob"):
            runtime.agent(name)
            await told(runtime, "df", wish("register", {**SELLER, "name": name}))
        await subscribe(runtime)
        more = {"performative": "subscribe", "protocol": "fipa-subscribe"}
        await guest_told(runtime, "ann", "df", SEARCH, **more)
        assert len(runtime.df.subscriptions()) == 2
        del runtime.bus.endpoints["ann@local"]
        runtime.df.removed("ann@local")
        assert (await notices(runtime))[-1] == (
            "inform",
            ["bob@local"],
            {"what": "removed", "name": "ann@local"},
        )
        assert len(runtime.df.subscriptions()) == 1
        assert len(await runtime.journal.reader.directory("df")) == 1
        assert len(await runtime.journal.reader.directory("subscription")) == 1
        assert await runtime.letters() == []


async def test_the_ams_cancels_for_a_subscriber_that_is_stopped(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        for name in ("ann", "bob"):
            runtime.agent(name)
            more = {"performative": "subscribe", "protocol": "fipa-subscribe"}
            await guest_told(runtime, name, "df", SEARCH, **more)
        runtime.bus.agent_gone("ann@local", "ann was stopped")
        assert [one.subscriber for one in runtime.df.subscriptions()] == ["bob@local"]
        await told(runtime, "df", wish("register", SELLER))
        assert runtime.cell.end().message["content"]["change"]["what"] == "registered"
        assert not runtime.cell.frames
        assert await violations(runtime) == []
        assert await runtime.letters() == []
        assert runtime.pending() == []


async def test_a_result_is_never_cut_in_silence(tmp_path: Path) -> None:
    async with stand(tmp_path, message_bytes=8192) as runtime:
        await subscribe(runtime)
        for n in range(40):
            name = f"operator.s{n}"
            await told(runtime, "df", wish("register", {**SELLER, "name": name, "ontologies": ["o" * 100]}))
        assert await error(runtime, SEARCH) == ("failure", "internal-error", ["too long"])
        assert len(await names(runtime, {**SEARCH, "constraints": {"max-results": 5}})) == 5
        rows = [one for one in await runtime.messages() if one["conversation_id"] == "talk"]
        assert [one["performative"] for one in rows[2:]] == ["inform"] * (len(rows) - 3) + ["failure"]
        assert 10 < len(rows) < 40
        assert runtime.df.subscriptions() == []
        assert await violations(runtime) == []
        assert max(len(json.dumps(one)) for one in rows) < 8192


@pytest.mark.parametrize("number", ["1.10", "1234567890123456789012345.5", "100000000000000000.5", "1e2"])
async def test_numbers_keep_their_digits_in_either_language_and_over_a_restart(
    tmp_path: Path, number: str
) -> None:
    wanted = f'"value":{number}'.encode()
    description = {**SELLER, "services": [{"type": "selling", "properties": [{"name": "price", "value": 0}]}]}
    said = json.dumps({"action": "register", "description": description}, separators=(",", ":"))

    async def spelled(runtime: Stand) -> list[bytes]:
        """Every message of the df's that names the number, by its body."""
        await runtime.commit()
        rows = await runtime.journal.reader.messages(limit=100_000)
        return [row.body for row in rows if b'"sender":"df@local"' in row.body]

    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        await subscribe(runtime)
        raw = f'{{"performative":"request","receiver":"df","content":{said}}}'
        runtime.bus.submit(raw.replace('"value":0', f'"value":{number}').encode())
        _, done, notice = await spelled(runtime)
        assert wanted in done
        assert wanted in notice
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        runtime.ask("df", SEARCH)
        assert wanted in (await spelled(runtime))[-1]
        search = "((action (agent-identifier :name df@local) (search (df-agent-description))))"
        runtime.ask("df", search, language="fipa-sl0")
        assert f":value {number}".encode() in (await spelled(runtime))[-1]


async def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "SUBSCRIPTIONS_OF_ONE_MAX", 2)
    monkeypatch.setattr(df, "OTHERS_MAX", 1)
    assert management_agent.HEAD_BYTES < 8192
    async with stand(tmp_path) as runtime:
        for name in ("ann", "bob"):
            runtime.agent(name)
        long = {**SELLER, "ontologies": [f"{n}{'o' * 1000}" for n in range(20)]}
        assert await error(runtime, wish("register", long)) == ("failure", "internal-error", ["too long"])
        await told(runtime, "df", wish("register", {**SELLER, "name": "ann@elsewhere"}))
        assert await error(runtime, wish("register", {**SELLER, "name": "operator.bob"})) == (
            "failure",
            "internal-error",
            ["full"],
        )
        for talk in ("one", "two"):
            assert (await subscribe(runtime, talk=talk))["performative"] == "inform"
        third = await subscribe(runtime, talk="three")
        assert (third["performative"], third["content"]["error"]) == ("failure", "internal-error")
        assert await violations(runtime) == []


async def test_a_notice_belongs_to_the_chain_of_what_caused_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        await subscribe(runtime)
        seq = runtime.ask("df", wish("register", SELLER))
        registered, notice = await runtime.messages(after=seq)
        assert (registered["cause"], notice["cause"], notice["hops"]) == (seq, seq, 1)
        assert notice["trace_id"] == registered["trace_id"]


@pytest.mark.parametrize("act", ["not-understood", "failure", "inform", "refuse", "agree"])
async def test_it_answers_no_answers(tmp_path: Path, act: str) -> None:
    async with stand(tmp_path) as runtime:
        runtime.bus.submit({"performative": act, "receiver": "df"})
        assert len(await runtime.messages()) == 1
        assert runtime.pending() == []


@pytest.mark.parametrize("value", [10**30, -(10**30), 2**63, 1e300, -0.0, "\x7f", {"deep": [1, {"a": None}]}])
async def test_a_property_has_any_value_that_json_has(tmp_path: Path, value: object) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        described = {
            "name": "ann",
            "services": [{"type": "t", "properties": [{"name": "p", "value": value}]}],
        }
        said = await told(runtime, "df", wish("register", described))
        assert said["performative"] == "inform", said
        if isinstance(value, int | float):
            text = f"((action df (modify (df-agent-description :name ann :services (set (service-description \
:type t :properties (set (property :name p :value {value!r}))))))))"
            said = await told(runtime, "df", text, language="fipa-sl0")
            assert said["performative"] == "inform", said
        template = {"services": [{"properties": [{"name": "p", "value": value}]}]}
        assert await names(runtime, wish("search", template)) == ["ann@local"]
        in_sl0 = await told(
            runtime, "df", "((action df (search (df-agent-description))))", language="fipa-sl0"
        )
        assert in_sl0["performative"] == "inform"
