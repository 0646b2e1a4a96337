"""The agent management service on a bare bus: who is there, and what it says by FIPA's names; lives are tested with
a supervisor, in tests/agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bus.asking import guest_told, told, violations
from bus.harness import Json, Stand, stand

OF = "ams-agent-description"


async def error(runtime: Stand, content: object, **more: Any) -> tuple[str, str, list[str]]:
    answer = await told(runtime, "ams", content, **more)
    assert answer["content"]["reason"]
    return answer["performative"], answer["content"]["error"], answer["content"]["arguments"]


async def found(runtime: Stand, description: Json | None = None) -> list[Json]:
    answer = await told(runtime, "ams", {"action": "search", "description": description})
    result: list[Json] = answer["content"]["result"]
    return result


async def test_it_knows_who_is_there(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b", running=False)
        runtime.ask("ams", {"action": "search"}, conversation_id="talk", reply_with="r-1")
        _, said = await runtime.messages()
        assert (said["performative"], said["sender"], said["in_reply_to"]) == ("inform", "ams@local", "r-1")
        names = [one["name"] for one in said["content"]["result"]]
        assert names == ["ams@local", "df@local", "timer@local", "a@local", "b@local"]
        assert {one["state"] for one in said["content"]["result"]} == {"active"}
        assert [turn.agent for turn in await runtime.turns()] == ["ams@local"]
        assert await found(runtime, {"name": "b"}) == [{"name": "b@local", "state": "active"}]
        assert await found(runtime, {"state": "suspended"}) == []
        two = {"action": "search", "constraints": {"max-results": 2}}
        assert len((await told(runtime, "ams", two))["content"]["result"]) == 2


async def test_it_describes_the_platform(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        said = await told(runtime, "ams", {"action": "get-description"})
        description = said["content"]["result"]
        assert description["name"] == "local"
        assert [one["name"] for one in description["ap-services"]] == ["ams@local", "df@local", "timer@local"]
        said = await told(runtime, "ams", "(action ams get-description)", language="fipa-sl0")
        assert said["content"] == (
            "((result (action (agent-identifier :name ams@local) (get-description)) (sequence "
            "(ap-description :name local :ap-services (sequence "
            "(ap-service :name ams@local :type fipa.ams :addresses (set)) "
            "(ap-service :name df@local :type fipa.df :addresses (set)) "
            "(ap-service :name timer@local :type caxton.timer :addresses (set)))))))"
        )


async def test_a_client_registers_itself_and_leaves(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        tim: Json = {"name": "operator.tim", "ownership": "Acme", "state": "active"}
        whole = {**tim, "name": "operator.tim@local"}
        said = await told(runtime, "ams", {"action": "register", "description": tim}, sender="operator.tim")
        assert said["content"] == {"action": "register", "done": True, "description": whole}
        assert await found(runtime, {"ownership": "Acme"}) == [whole]
        assert await error(runtime, {"action": "register", "description": tim}) == (
            "failure",
            "already-registered",
            [],
        )
        changed = {"action": "modify", "description": {**tim, "ownership": "Zenith"}}
        assert (await told(runtime, "ams", changed))["performative"] == "inform"
        assert await violations(runtime) == []
    async with stand(tmp_path) as runtime:
        assert [one["name"] for one in await found(runtime, {"ownership": "Zenith"})] == [
            "operator.tim@local"
        ]
        leave = {"action": "deregister", "description": {"name": "operator.tim"}}
        assert (await told(runtime, "ams", leave, conversation_id="leave"))["performative"] == "inform"
        assert await error(runtime, leave, conversation_id="again") == ("failure", "not-registered", [])
        assert await found(runtime, {"name": "operator.tim"}) == []


async def test_who_owns_a_guest_is_kept_until_it_is_removed(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        own = {"action": "modify", "description": {"name": "ann", "ownership": "Acme"}}
        said = await guest_told(runtime, "ann", "ams", own)
        assert said["content"]["description"] == {"name": "ann@local", "ownership": "Acme", "state": "active"}
        assert [one["name"] for one in await found(runtime, {"ownership": "Acme"})] == ["ann@local"]
        runtime.ams.removed("ann@local")
        assert await found(runtime, {"ownership": "Acme"}) == []
        await runtime.commit()
        assert await runtime.journal.reader.directory("ams") == []


async def test_exceptions_have_fipas_names(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        for name in ("ann", "bob"):
            runtime.agent(name)
        for action in ("register", "modify", "deregister"):
            said = await guest_told(runtime, "bob", "ams", {"action": action, "description": {"name": "ann"}})
            assert (said["performative"], said["content"]["error"]) == ("refuse", "unauthorised")
        own = {"action": "register", "description": {"name": "bob"}}
        assert (await guest_told(runtime, "bob", "ams", own))["content"]["error"] == "already-registered"
        cases: list[tuple[object, str, str, list[str]]] = [
            ({"action": "fly"}, "refuse", "unsupported-function", ["fly"]),
            ({"action": "modify"}, "refuse", "missing-argument", []),
            ({"action": "modify", "description": {}}, "refuse", "missing-parameter", [OF, "name"]),
            ({"action": "modify", "description": {"name": "eve"}}, "failure", "not-registered", []),
            ({"action": "deregister", "description": {"name": "eve"}}, "failure", "not-registered", []),
            ({"action": "deregister", "description": {"name": "df"}}, "refuse", "unauthorised", []),
            ({"action": "modify", "description": {"name": "ams", "state": "suspended"}}, "refuse",
             "unauthorised", []),
            ({"action": "register", "description": {"name": "eve"}}, "refuse",
             "unrecognised-parameter-value", ["name", "eve@local"]),
            ({"action": "register", "description": {"name": "operator.x", "state": "waiting"}}, "refuse",
             "unrecognised-parameter-value", ["state", "waiting"]),
            ({"action": "modify", "description": {"name": "ann", "state": "transit"}}, "refuse",
             "unrecognised-parameter-value", ["state", "transit"]),
            ({"action": "search", "description": {"services": []}}, "refuse", "unexpected-parameter",
             [OF, "services"]),
            ({"action": "get-description", "description": {}}, "refuse", "unexpected-argument-count", []),
            (None, "not-understood", "unrecognised-value", ["content"]),
        ]  # fmt: skip
        for content, act, name, arguments in cases:
            assert await error(runtime, content) == (act, name, arguments)
        search = {"action": "search"}
        assert await error(runtime, search, act="query-ref", protocol="fipa-query") == (
            "not-understood",
            "unsupported-act",
            ["query-ref"],
        )
        assert await violations(runtime) == []
        assert await error(runtime, None, act="cancel", protocol=None) == (
            "failure",
            "internal-error",
            ["nothing to cancel"],
        )
        assert runtime.pending() == []


@pytest.mark.parametrize("act", ["not-understood", "failure", "inform"])
async def test_it_answers_no_answers(tmp_path: Path, act: str) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        runtime.cell.end({"performative": act, "receiver": "ams"})
        assert len(await runtime.messages()) == 2
        assert runtime.pending() == []
        assert not runtime.cell.frames
