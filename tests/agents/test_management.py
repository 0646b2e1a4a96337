"""Agents' lives by message: what `ams` is asked to do is done, by whom it may be asked, and the `df` follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caxton.acl.message import read_message
from caxton.deploy import DeploymentRequest
from caxton.errors import AgentNotFound
from caxton.house import House
from caxton.protocols import Legality, Referee, library

from .homes import COUNTER, MAILBOX, ask, commit, count, home, letters, reached


async def request(house: House, action: str, description: dict[str, Any], to: str = "ams") -> dict[str, Any]:
    wish = {"action": action, "description": description}
    return await ask(house, to, wish, protocol="fipa-request")


async def state_of(house: House, name: str) -> str | None:
    found = (await request(house, "search", {"name": name}))["content"]["result"]
    return found[0]["state"] if found else None


async def violations(house: House) -> list[tuple[str, str]]:
    await commit(house)
    referee, found = Referee(library()), list[tuple[str, str]]()
    for row in await house.journal.reader.messages(limit=10_000):
        verdict = referee.judge(message := read_message(row.body), row.at_us)
        if verdict.legality is Legality.VIOLATION:
            found.append((message.performative, verdict.rule))
    return found


async def test_agents_appear_and_disappear_with_their_life(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        assert await state_of(house, "c") is None
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        assert await state_of(house, "c") == "active"
        await house.agents.stop("c")
        assert await state_of(house, "c") == "initiated"
        await house.agents.start("c")
        await house.agents.remove("c")
        assert await state_of(house, "c") is None


async def test_a_client_suspends_and_resumes_by_message(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        said = await request(house, "modify", {"name": "c", "state": "suspended"})
        assert said["content"] == {
            "action": "modify",
            "done": True,
            "description": {"name": "c@local", "state": "suspended"},
        }
        assert house.agents.view("c").state == "suspended"
        assert await state_of(house, "c") == "suspended"
        house.bus.submit({"performative": "request", "receiver": "c"})
        assert house.agents.view("c").mailbox == 1
        again = await request(house, "modify", {"name": "c", "state": "suspended"})
        assert again["performative"] == "inform"
        said = await request(house, "modify", {"name": "c", "state": "active"})
        assert said["content"]["description"]["state"] == "active"
        await reached(house, lambda: house.agents.view("c").mailbox == 0)
        assert await count(house) == 2
        await house.agents.stop("c")
        said = await request(house, "modify", {"name": "c", "state": "suspended"})
        assert (said["performative"], said["content"]["error"]) == ("failure", "internal-error")
        assert "only an agent that runs" in said["content"]["reason"]
        assert await violations(house) == []


def speaker(message: dict[str, Any]) -> bytes:
    """A guest whose first turn says that message; it says nothing to what comes later."""
    line = json.dumps(message)
    text = line.replace('"', "\\22")
    return f"""(module
      (memory (export "memory") 1)
      (global $spoke (mut i32) (i32.const 0))
      (data (i32.const 16) {MAILBOX})
      (data (i32.const 256) "{text}")
      (func (export "caxton_abi") (result i32) (i32.const 16))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      (func (export "handle_message") (param i32 i32) (result i32)
        (i32.store (i32.const 40) (i32.const 0))
        (if (global.get $spoke) (then (return (i32.const 0))))
        (global.set $spoke (i32.const 1))
        (i32.store (i32.const 40) (i32.const {len(line)}))
        (i32.const 1)))""".encode()


def own_wish(action: str, **description: Any) -> dict[str, Any]:
    return {
        "performative": "request",
        "protocol": "fipa-request",
        "conversation_id": "self",
        "receiver": "ams",
        "content": {"action": action, "description": {"name": "r", **description}},
    }


async def test_an_agent_suspends_itself_and_hears_of_it_when_it_goes_on(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(
            DeploymentRequest("r", speaker(own_wish("modify", state="suspended")), wat=True)
        )
        house.bus.submit({"performative": "inform", "receiver": "r"})
        await reached(house, lambda: house.agents.view("r").state == "suspended")
        # the answer waits, too
        await reached(house, lambda: house.agents.view("r").mailbox == 1)
        assert house.agents.view("r").turns == 1
        said = await request(house, "modify", {"name": "r", "state": "active"})
        assert said["performative"] == "inform"
        await reached(house, lambda: house.agents.view("r").turns == 2)
        rows = await house.journal.reader.messages(conversation="self")
        assert [json.loads(row.body)["performative"] for row in rows] == ["request", "inform"]
        assert await violations(house) == []


async def test_an_agent_that_removes_itself_is_gone_without_a_dead_letter(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("r", speaker(own_wish("deregister")), wat=True))
        house.bus.submit({"performative": "inform", "receiver": "r"})
        await reached(house, lambda: "r" not in house.agents.registry.agents)
        await commit(house)
        assert await letters(house) == []
        assert await state_of(house, "r") is None
        assert [one.agent for one in await house.journal.reader.turns()][:2] == ["r@local", "ams@local"]
    async with home(tmp_path) as house:
        assert house.agents.views() == []


async def test_a_removed_agent_leaves_the_df(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        await request(house, "register", {"name": "c", "services": [{"type": "counting"}]}, to="df")
        await request(house, "modify", {"name": "c", "ownership": "Acme"})
        said = await request(house, "deregister", {"name": "c"})
        assert said["content"] == {"action": "deregister", "done": True}
        with pytest.raises(AgentNotFound):
            house.agents.view("c")
        assert house.df.entries() == []
        assert await state_of(house, "c") is None
    async with home(tmp_path) as house:
        assert house.df.entries() == []
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        assert house.df.entries() == []
        said = await request(house, "search", {"ownership": "Acme"})
        assert said["content"]["result"] == []
        assert await letters(house) == []
